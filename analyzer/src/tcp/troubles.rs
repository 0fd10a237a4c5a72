use fact::{TcpCounter, TcpCounters};
use wire::Timestamp;

use super::{Circumstance, Findings, Recovery, Repeat, Segment};

/// Counts of what most flows never have; kept in a box of its own for each side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Troubles {
    pub(crate) counters: TcpCounters,
    pub(crate) zero_window_episodes: u32,
    zero_window_ns: u64,
    zero_window_max_ns: u64,
    closed_since: Option<Timestamp>,
    recovery: Recovery,
}

impl Troubles {
    pub(crate) fn count(&mut self, found: Findings, segment: &Segment<'_>) {
        found.iter().for_each(|finding| self.counters.increment(finding));
        if found.has(TcpCounter::Retransmission) && segment.tcp.flags.syn() {
            self.counters.increment(TcpCounter::SynRetransmission);
        }
    }

    /// Counts a repeat of payload or FIN by what it was sent for.
    pub(crate) fn repeat(&mut self, circumstance: &Circumstance) {
        self.counters.increment(match self.recovery.repeat(circumstance) {
            Repeat::Timeout => TcpCounter::TimeoutRetransmission,
            Repeat::TailLossProbe => TcpCounter::TailLossProbe,
            Repeat::Recovery => TcpCounter::RecoveryRetransmission,
        });
    }

    /// The receiver reports by D-SACK that it had a segment already. Copies that the network made
    /// are not the sender's: there are never more than retransmissions.
    pub(crate) fn needless(&mut self) {
        let counters = &mut self.counters;
        if counters[TcpCounter::NeedlessRetransmission] < counters[TcpCounter::Retransmission] {
            counters.increment(TcpCounter::NeedlessRetransmission);
        }
    }

    /// Follows how long the window is closed. A FIN does not open it, an RST ends all.
    pub(crate) fn window(&mut self, segment: &Segment<'_>) {
        let flags = segment.tcp.flags;
        if segment.tcp.window == 0 && !flags.syn() && !flags.rst() {
            if self.closed_since.is_none() && !segment.control() {
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
    pub(crate) fn shut(&self) -> bool {
        self.closed_since.is_some()
    }

    /// The longest time for which the window was closed without a break, up to `now` if it still
    /// is.
    pub(crate) fn zero_window_max_ns(&self, now: Timestamp) -> u64 {
        self.zero_window_max_ns.max(self.closed_since.map_or(0, |since| now.nanos_since(since)))
    }

    /// Time for which the window was closed, up to `now` if it still is.
    pub(crate) fn zero_window_ns(&self, now: Timestamp) -> u64 {
        self.zero_window_ns.saturating_add(self.closed_since.map_or(0, |since| now.nanos_since(since)))
    }
}
