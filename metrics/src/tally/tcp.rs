//! What a shard counted of TCP.

use fact::{CloseReason, FlowRecord, RttLeftOut, TcpCounter, Trouble};
use wire::{Direction, PerDirection};

use crate::histogram::DurationTally;
use crate::snapshot::{Counted, Snapshot};

/// What TCP shows about the network and about the hosts.
#[derive(Debug, Default)]
pub(crate) struct TcpTally {
    /// Durations of handshakes by the direction in which the side's answer travels.
    pub(crate) handshake: PerDirection<DurationTally>,
    /// What clients waited for their connections.
    pub(crate) connect: DurationTally,
    pub(crate) rtt: PerDirection<DurationTally>,
    pub(crate) counts: PerDirection<Counts>,
    /// Each reason for which a connection was never established, with how often.
    pub(crate) failures: Vec<(&'static str, u64)>,
    /// What went wrong, with how often.
    pub(crate) troubles: Vec<(&'static str, u64)>,
}

/// Counts of what one side of the flows of an edge sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// By [`TcpCounter`], each as in [`Counted`].
    tcp: [u64; TcpCounter::COUNT],
    /// Retransmissions of SYN/ACK.
    pub(crate) syn_ack_retransmissions: u64,
    pub(crate) zero_window_ns: u64,
    pub(crate) resets: u64,
    rtt_left_out: [u64; RttLeftOut::COUNT],
}

impl TcpTally {
    pub(super) fn add(&mut self, now: &FlowRecord, before: Option<&Snapshot>) {
        if let Some(times) =
            now.handshake.filter(|h| h.complete && !before.is_some_and(|b| b.handshake))
        {
            times.connect_ns.iter().for_each(|&nanos| self.connect.observe(nanos));
            let sides = [
                (Direction::ToClient, times.server_rtt_ns),
                (Direction::ToServer, times.client_rtt_ns),
            ];
            for (answer, nanos) in sides {
                if let Some(nanos) = nanos.and_then(|nanos| u64::try_from(nanos).ok()) {
                    self.handshake[answer].observe(nanos);
                }
            }
        }
        for direction in Direction::BOTH {
            let record = &now.directions[direction];
            let before = before.map(|before| &before.directions[direction]);
            self.counts[direction].add(&Counted::of(record), before.unwrap_or(&Counted::default()));
            self.rtt[direction].add_since(&record.rtt_latencies, before.map(|before| &before.rtt));
        }
    }

    pub(super) fn closed(&mut self, flow: &FlowRecord) {
        let Some(trouble) = flow.trouble else { return };
        count(&mut self.troubles, trouble.as_str());
        let answers = &flow.directions.to_client;
        let failure = match trouble {
            Trouble::SynUnanswered
            | Trouble::SynAckUnanswered
            | Trouble::HandshakeAborted
            | Trouble::StalePeer => trouble.as_str(),
            Trouble::Refused => CloseReason::ServerRefused.as_str(),
            // The client believes in the connection, the server never did.
            Trouble::AcceptQueueFull if answers.packets <= answers.syn_ack + answers.rst => {
                trouble.as_str()
            }
            _ => return,
        };
        count(&mut self.failures, failure);
    }
}

fn count(names: &mut Vec<(&'static str, u64)>, name: &'static str) {
    match names.iter_mut().find(|(known, _)| *known == name) {
        Some((_, times)) => *times += 1,
        None => names.push((name, 1)),
    }
}

impl Counts {
    fn add(&mut self, now: &Counted, before: &Counted) {
        for ((sum, (_, now)), (_, before)) in
            self.tcp.iter_mut().zip(now.tcp.iter()).zip(before.tcp.iter())
        {
            *sum += u64::from(now.saturating_sub(before));
        }
        self.syn_ack_retransmissions += u64::from(now.syn_ack.saturating_sub(before.syn_ack));
        self.zero_window_ns += now.zero_window_ns.saturating_sub(before.zero_window_ns);
        self.resets += now.resets.saturating_sub(before.resets);
        for ((sum, (_, now)), (_, before)) in self
            .rtt_left_out
            .iter_mut()
            .zip(now.rtt_left_out.iter())
            .zip(before.rtt_left_out.iter())
        {
            *sum += u64::from(now.saturating_sub(before));
        }
    }

    /// ACKs that are no samples of the round-trip time, by reason.
    pub(crate) fn rtt_left_out(&self) -> impl Iterator<Item = (RttLeftOut, u64)> {
        RttLeftOut::ALL.iter().copied().zip(self.rtt_left_out)
    }

    pub(crate) fn of(&self, counter: TcpCounter) -> u64 {
        self.tcp[counter as usize]
    }
}
