//! Why a sender retransmits: after a time-out, as a probe, or in recovery.

use wire::SeqNum;

/// Why a sender retransmits a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetransmissionKind {
    /// Its retransmission timer expired (RFC 6298).
    Timeout,
    /// No ACK came for a while after the last segment of a flight (RFC 8985, section 7).
    TailLossProbe,
    /// The receiver's ACKs reported the loss, or a loss before it in the same flight.
    Recovery,
}

/// A retransmitted segment, and the state of the connection when it was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retransmission {
    /// The receiver's last ACK carried SACK blocks beyond it, or repeated the one before.
    pub(crate) ack_reports_loss: bool,
    /// Time since the receiver's last segment, in nanoseconds.
    pub(crate) since_ack_ns: u64,
    /// Round-trip time of the handshake.
    pub(crate) round_trip_ns: Option<u64>,
    /// First byte that is not acknowledged (RFC 9293, section 3.3.1).
    pub(crate) snd_una: SeqNum,
    /// First byte of the retransmission.
    pub(crate) start: SeqNum,
    /// The retransmission ends at `snd_nxt`.
    pub(crate) is_tail: bool,
    /// One past the highest byte that was sent.
    pub(crate) snd_nxt: SeqNum,
    /// Both sides may use SACK, without which no probes are sent.
    pub(crate) sack_permitted: bool,
}

/// A sender's loss recovery, as far as its segments show it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Recovery {
    /// `snd_una` when a timer expired last.
    rto_at: Option<SeqNum>,
    /// `snd_nxt` when a loss was noticed last (RFC 6675's RecoveryPoint): what lies before it is
    /// retransmitted as ACKs come.
    recovery_point: Option<SeqNum>,
}

impl Recovery {
    /// Longest time between an ACK and a retransmission that it causes: one and a half round trips
    /// and 10 ms for the sender's timers and a capture out of order.
    const fn reaction_ns(round_trip_ns: Option<u64>) -> u64 {
        match round_trip_ns {
            Some(ns) => ns.saturating_add(ns / 2).saturating_add(10_000_000),
            None => 150_000_000,
        }
    }

    /// Why the sender sent `c`.
    pub(super) fn classify(&mut self, c: &Retransmission) -> RetransmissionKind {
        let soon = c.since_ack_ns < Self::reaction_ns(c.round_trip_ns);
        let in_recovery = self.recovery_point.is_some_and(|point| c.start.before(point))
            && self.rto_at != Some(c.snd_una);
        if soon && (c.ack_reports_loss || in_recovery) {
            if c.ack_reports_loss {
                self.recovery_point = Some(c.snd_nxt);
            }
            return RetransmissionKind::Recovery;
        }
        let first = self.rto_at != Some(c.snd_una);
        (self.rto_at, self.recovery_point) = (Some(c.snd_una), Some(c.snd_nxt));
        if first && c.is_tail && c.sack_permitted {
            RetransmissionKind::TailLossProbe
        } else {
            RetransmissionKind::Timeout
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn retransmission() -> Retransmission {
        Retransmission {
            ack_reports_loss: false,
            since_ack_ns: 220 * MS,
            round_trip_ns: Some(10 * MS),
            snd_una: SeqNum(1000),
            start: SeqNum(1000),
            is_tail: false,
            snd_nxt: SeqNum(5000),
            sack_permitted: true,
        }
    }

    #[test]
    fn a_retransmission_soon_after_an_ack_that_reports_loss_is_recovery_and_a_late_one_is_not() {
        let mut recovery = Recovery::default();
        let reported =
            Retransmission { ack_reports_loss: true, since_ack_ns: 12 * MS, ..retransmission() };
        assert_eq!(recovery.classify(&reported), RetransmissionKind::Recovery);
        let lost_again = Retransmission { ack_reports_loss: true, ..retransmission() };
        assert_eq!(recovery.classify(&lost_again), RetransmissionKind::Timeout);
    }

    #[test]
    fn acks_after_a_timeout_cause_recovery_of_the_same_flight() {
        let mut recovery = Recovery::default();
        assert_eq!(recovery.classify(&retransmission()), RetransmissionKind::Timeout);
        let next = Retransmission {
            since_ack_ns: MS,
            snd_una: SeqNum(2000),
            start: SeqNum(2000),
            ..retransmission()
        };
        assert_eq!(recovery.classify(&next), RetransmissionKind::Recovery);
        let newer = Retransmission { start: SeqNum(5000), snd_una: SeqNum(5000), ..next };
        assert_eq!(recovery.classify(&newer), RetransmissionKind::Timeout, "not of that flight");
    }

    #[test]
    fn the_first_retransmission_of_the_tail_is_a_probe_where_sack_is_permitted() {
        let tail = Retransmission { is_tail: true, start: SeqNum(4000), ..retransmission() };
        let mut recovery = Recovery::default();
        assert_eq!(recovery.classify(&tail), RetransmissionKind::TailLossProbe);
        assert_eq!(recovery.classify(&tail), RetransmissionKind::Timeout);
        assert_eq!(recovery.classify(&retransmission()), RetransmissionKind::Timeout);
        let without = Retransmission { sack_permitted: false, ..tail };
        assert_eq!(Recovery::default().classify(&without), RetransmissionKind::Timeout);
    }
}
