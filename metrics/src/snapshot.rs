use fact::{DirectionRecord, FlowRecord, Latencies};
use wire::PerDirection;

/// The cumulative figures of one direction that were counted already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) packets: u64,
    pub(crate) ip_bytes: u64,
    pub(crate) timeout: u64,
    pub(crate) fast: u64,
    pub(crate) spurious: u64,
    pub(crate) syn: u64,
    pub(crate) syn_ack: u64,
    pub(crate) probe: u64,
    /// Without those that are fast.
    pub(crate) recovery: u64,
    pub(crate) out_of_order: u64,
    pub(crate) duplicate_acks: u64,
    pub(crate) zero_windows: u64,
    pub(crate) zero_window_ns: u64,
    pub(crate) window_full: u64,
    pub(crate) resets: u64,
    pub(crate) rtt: Latencies,
}

impl Counted {
    /// All but the round-trip times, which are not cheap to keep.
    pub(crate) fn of(record: &DirectionRecord) -> Self {
        // SYN and SYN/ACK repeats share one counter in the record; which of the two a side sent tells them apart.
        let (syn, syn_ack) = if record.syn_ack > 0 {
            (0, record.syn_retransmissions)
        } else {
            (record.syn_retransmissions, 0)
        };
        Self {
            packets: record.packets,
            ip_bytes: record.ip_bytes,
            timeout: record.timeout_retransmissions,
            fast: record.fast_retransmissions,
            spurious: record.spurious_retransmissions,
            syn,
            syn_ack,
            probe: record.tail_loss_probes,
            recovery: record.recovery_retransmissions.saturating_sub(record.fast_retransmissions),
            out_of_order: record.out_of_order,
            duplicate_acks: record.duplicate_acks,
            zero_windows: record.zero_windows,
            zero_window_ns: record.zero_window_ns,
            window_full: record.window_full,
            resets: record.rst,
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
        let whole = |direction: &DirectionRecord| Counted {
            rtt: direction.rtt_latencies.clone(),
            ..Counted::of(direction)
        };
        Self {
            directions: PerDirection {
                to_server: whole(&record.directions.to_server),
                to_client: whole(&record.directions.to_client),
            },
            handshake: record.handshake.is_some_and(|h| h.complete),
        }
    }
}
