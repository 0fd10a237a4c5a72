use wire::Timestamp;

use super::{Circumstance, Findings, Recovery, Repeat, Segment};

/// Counts of what most flows never have; kept in a box of its own for each side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Troubles {
    pub(crate) retransmissions: u32,
    pub(crate) syn_retransmissions: u32,
    pub(crate) fast_retransmissions: u32,
    pub(crate) spurious_retransmissions: u32,
    pub(crate) timeout_retransmissions: u32,
    pub(crate) tail_loss_probes: u32,
    pub(crate) recovery_retransmissions: u32,
    pub(crate) needless_retransmissions: u32,
    pub(crate) out_of_order: u32,
    pub(crate) duplicate_acks: u32,
    pub(crate) zero_windows: u32,
    pub(crate) zero_window_probes: u32,
    pub(crate) zero_window_probe_acks: u32,
    pub(crate) window_full: u32,
    pub(crate) window_updates: u32,
    pub(crate) keep_alives: u32,
    pub(crate) keep_alive_acks: u32,
    pub(crate) lost_segments: u32,
    pub(crate) acked_lost_segments: u32,
    pub(crate) ecn_ce: u32,
    pub(crate) ecn_echo: u32,
    pub(crate) ecn_cwr: u32,
    pub(crate) zero_window_episodes: u32,
    zero_window_ns: u64,
    zero_window_max_ns: u64,
    closed_since: Option<Timestamp>,
    recovery: Recovery,
}

impl Troubles {
    pub(crate) fn count(&mut self, found: Findings, segment: &Segment<'_>) {
        let counters: [(Findings, &mut u32); 14] = [
            (Findings::RETRANSMISSION, &mut self.retransmissions),
            (Findings::FAST_RETRANSMISSION, &mut self.fast_retransmissions),
            (Findings::SPURIOUS_RETRANSMISSION, &mut self.spurious_retransmissions),
            (Findings::OUT_OF_ORDER, &mut self.out_of_order),
            (Findings::DUPLICATE_ACK, &mut self.duplicate_acks),
            (Findings::ZERO_WINDOW, &mut self.zero_windows),
            (Findings::ZERO_WINDOW_PROBE, &mut self.zero_window_probes),
            (Findings::ZERO_WINDOW_PROBE_ACK, &mut self.zero_window_probe_acks),
            (Findings::WINDOW_FULL, &mut self.window_full),
            (Findings::WINDOW_UPDATE, &mut self.window_updates),
            (Findings::KEEP_ALIVE, &mut self.keep_alives),
            (Findings::KEEP_ALIVE_ACK, &mut self.keep_alive_acks),
            (Findings::LOST_SEGMENT, &mut self.lost_segments),
            (Findings::ACKED_LOST_SEGMENT, &mut self.acked_lost_segments),
        ];
        for (finding, counter) in counters {
            *counter = counter.saturating_add(u32::from(found.has(finding)));
        }
        let syn_again = found.has(Findings::RETRANSMISSION) && segment.tcp.flags.syn();
        self.syn_retransmissions = self.syn_retransmissions.saturating_add(u32::from(syn_again));
    }

    /// Counts a repeat of payload or FIN by what it was sent for.
    pub(crate) fn repeat(&mut self, circumstance: &Circumstance) {
        let counter = match self.recovery.repeat(circumstance) {
            Repeat::Timeout => &mut self.timeout_retransmissions,
            Repeat::TailLossProbe => &mut self.tail_loss_probes,
            Repeat::Recovery => &mut self.recovery_retransmissions,
        };
        *counter = counter.saturating_add(1);
    }

    /// The receiver reports that it had a segment already. What the network doubled is not the sender's.
    pub(crate) fn needless(&mut self) {
        self.needless_retransmissions =
            self.needless_retransmissions.saturating_add(1).min(self.retransmissions);
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

    /// The longest time for which the window was closed without a break, up to `now` if it still is.
    pub(crate) fn zero_window_max_ns(&self, now: Timestamp) -> u64 {
        self.zero_window_max_ns.max(self.closed_since.map_or(0, |since| now.nanos_since(since)))
    }

    /// Time for which the window was closed, up to `now` if it still is.
    pub(crate) fn zero_window_ns(&self, now: Timestamp) -> u64 {
        self.zero_window_ns.saturating_add(self.closed_since.map_or(0, |since| now.nanos_since(since)))
    }
}
