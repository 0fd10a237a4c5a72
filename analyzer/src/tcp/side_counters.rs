//! Counters of one side of a TCP connection, and how long it kept its window closed.

use fact::{TcpCounter, TcpCounters};
use wire::Timestamp;

use super::{Findings, Recovery, Retransmission, RetransmissionKind, Segment};

/// Counters, zero-window times and loss recovery of one side. Most flows never need them: they are
/// allocated with the first event.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SideCounters {
    pub(crate) counters: TcpCounters,
    pub(crate) zero_window_episodes: u32,
    zero_window_ns: u64,
    zero_window_max_ns: u64,
    /// Frames that were captured before.
    pub(crate) copies: u32,
    /// Those of them that Wireshark calls retransmissions.
    pub(crate) copied_retransmissions: u32,
    /// Those of them that Wireshark calls out of order.
    pub(crate) copied_out_of_order: u32,
    /// When this side closed its window, while it is closed.
    closed_since: Option<Timestamp>,
    recovery: Recovery,
}

impl SideCounters {
    /// Counts a frame that was captured before. Counters that are Wireshark's count it too.
    pub(crate) fn count_copy(&mut self, found: Findings) {
        let add = |sum: &mut u32, n: bool| *sum = sum.saturating_add(u32::from(n));
        add(&mut self.copies, true);
        add(&mut self.copied_retransmissions, found.has(TcpCounter::Retransmission));
        add(&mut self.copied_out_of_order, found.has(TcpCounter::OutOfOrder));
    }

    /// What the side sent again.
    pub(crate) fn retransmissions(&self) -> u32 {
        self.counters[TcpCounter::Retransmission].saturating_sub(self.copied_retransmissions)
    }

    /// What came out of order.
    pub(crate) fn out_of_order(&self) -> u32 {
        self.counters[TcpCounter::OutOfOrder].saturating_sub(self.copied_out_of_order)
    }

    /// Counts what the analysis found in a segment. `copy`: it was captured before.
    pub(crate) fn count_findings(&mut self, found: Findings, segment: &Segment<'_>, copy: bool) {
        found.iter().for_each(|finding| self.counters.increment(finding));
        if copy {
            self.count_copy(found);
        }
        if found.has(TcpCounter::Retransmission) && segment.tcp.flags.syn() {
            self.counters.increment(TcpCounter::SynRetransmission);
        }
    }

    /// Counts a retransmission of payload or FIN by what the sender sent it for.
    pub(crate) fn count_retransmission(&mut self, retransmission: &Retransmission) {
        self.counters.increment(match self.recovery.classify(retransmission) {
            RetransmissionKind::Timeout => TcpCounter::TimeoutRetransmission,
            RetransmissionKind::TailLossProbe => TcpCounter::TailLossProbe,
            RetransmissionKind::Recovery => TcpCounter::RecoveryRetransmission,
        });
    }

    /// The receiver reports by D-SACK that it had a segment already. Copies that the network made
    /// are not the sender's: there are never more than retransmissions.
    pub(crate) fn on_dsack(&mut self) {
        let sent_again = self.retransmissions();
        let counters = &mut self.counters;
        if counters[TcpCounter::DsackRetransmission] < sent_again {
            counters.increment(TcpCounter::DsackRetransmission);
        }
    }

    /// Updates the time for which the window is closed. A window of 0 in a FIN leaves it as it is;
    /// SYN and RST open it.
    pub(crate) fn update_window(&mut self, segment: &Segment<'_>) {
        let flags = segment.tcp.flags;
        if segment.tcp.window == 0 && !flags.syn() && !flags.rst() {
            if self.closed_since.is_none() && !segment.has_control_flag() {
                self.closed_since = Some(segment.time);
                self.zero_window_episodes = self.zero_window_episodes.saturating_add(1);
            }
        } else if let Some(since) = self.closed_since.take() {
            let closed = segment.time.nanos_since(since);
            self.zero_window_ns = self.zero_window_ns.saturating_add(closed);
            self.zero_window_max_ns = self.zero_window_max_ns.max(closed);
        }
    }

    /// Whether the window is closed.
    pub(crate) fn window_closed(&self) -> bool {
        self.closed_since.is_some()
    }

    /// The longest time for which the window was closed without a break, up to `now` if it still
    /// is.
    pub(crate) fn zero_window_max_ns(&self, now: Timestamp) -> u64 {
        self.zero_window_max_ns.max(self.closed_since.map_or(0, |since| now.nanos_since(since)))
    }

    /// Time for which the window was closed, up to `now` if it still is.
    pub(crate) fn zero_window_ns(&self, now: Timestamp) -> u64 {
        self.zero_window_ns
            .saturating_add(self.closed_since.map_or(0, |since| now.nanos_since(since)))
    }
}
