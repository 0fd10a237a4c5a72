//! What of the cumulative figures of a flow the metrics contain already.

use fact::{DirectionRecord, FlowRecord, Latencies, RttLeftOutCounts, TcpCounter, TcpCounters};
use wire::{Direction, PerDirection};

/// The cumulative figures of one direction that were counted already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) packets: u64,
    pub(crate) ip_bytes: u64,
    /// As in the record, but recovery without what is fast, and SYN without SYN/ACK.
    pub(crate) tcp: TcpCounters,
    /// Retransmissions of SYN/ACK.
    pub(crate) syn_ack: u32,
    pub(crate) zero_window_ns: u64,
    pub(crate) resets: u64,
    pub(crate) rtt_left_out: RttLeftOutCounts,
    pub(crate) rtt: Latencies,
}

impl Counted {
    /// All but the round-trip times.
    pub(crate) fn of(record: &DirectionRecord) -> Self {
        let (mut tcp, mut syn_ack) = (record.tcp, 0);
        // SYN and SYN/ACK repeats share one counter in the record; which of
        // the two a side sent tells them apart.
        if record.syn_ack > 0 {
            syn_ack = std::mem::take(&mut tcp[TcpCounter::SynRetransmission]);
        }
        let fast = tcp[TcpCounter::FastRetransmission];
        let recovery = &mut tcp[TcpCounter::RecoveryRetransmission];
        *recovery = recovery.saturating_sub(fast);
        Self {
            packets: record.packets,
            ip_bytes: record.ip_bytes,
            tcp,
            syn_ack,
            zero_window_ns: record.zero_window_ns,
            resets: record.rst,
            rtt_left_out: record.rtt_left_out,
            rtt: Latencies::default(),
        }
    }
}

/// What of a flow was counted already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) directions: PerDirection<Counted>,
    pub(crate) handshake: bool,
}

impl Snapshot {
    pub(crate) fn of(record: &FlowRecord) -> Self {
        let mut snapshot = Self::default();
        snapshot.update(record);
        snapshot
    }

    /// Takes the figures of `record` over. Allocates only where round-trip times first become many.
    pub(crate) fn update(&mut self, record: &FlowRecord) {
        for direction in Direction::BOTH {
            let counted = &mut self.directions[direction];
            let record = &record.directions[direction];
            let mut rtt = std::mem::take(&mut counted.rtt);
            rtt.clone_from(&record.rtt_latencies);
            *counted = Counted { rtt, ..Counted::of(record) };
        }
        self.handshake = record.handshake.is_some_and(|handshake| handshake.complete);
    }
}
