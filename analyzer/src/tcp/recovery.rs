use wire::SeqNum;

/// What a sender repeats a segment for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Its retransmission timer ran out.
    Timeout,
    /// Nothing was heard for a while after the last segment of a flight (RFC 8985, section 7).
    TailLossProbe,
    /// The receiver's ACKs told of the loss, or led through one.
    Recovery,
}

/// Circumstances of a repeated segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstance {
    /// The receiver's last ACK carried SACK blocks beyond it, or repeated the one before.
    pub(crate) called: bool,
    /// Since the receiver's last segment, in nanoseconds.
    pub(crate) silence_ns: u64,
    /// Round-trip time of the handshake.
    pub(crate) round_trip_ns: Option<u64>,
    /// First byte that is not acknowledged.
    pub(crate) unacked: SeqNum,
    /// First byte of the repeat.
    pub(crate) start: SeqNum,
    /// The repeat ends where all that was sent ends.
    pub(crate) tail: bool,
    /// One past the highest byte that was sent.
    pub(crate) sent: SeqNum,
    /// Both sides can tell losses by SACK, which probes need.
    pub(crate) selective: bool,
}

/// What a sender did about its losses so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Recovery {
    /// First unacknowledged byte when a timer ran out last.
    alarmed: Option<SeqNum>,
    /// What was sent when a loss was noticed last: until it is acknowledged, ACKs lead through the loss.
    until: Option<SeqNum>,
}

impl Recovery {
    /// More than a round trip, a sender's timers and a capture's disorder can be apart from an ACK and the repeat that it calls for.
    const fn patience_ns(round_trip_ns: Option<u64>) -> u64 {
        match round_trip_ns {
            Some(ns) => ns.saturating_add(ns / 2).saturating_add(10_000_000),
            None => 150_000_000,
        }
    }

    /// What the repeat is for.
    pub(super) fn repeat(&mut self, c: &Circumstance) -> Repeat {
        let prompt = c.silence_ns < Self::patience_ns(c.round_trip_ns);
        let leading =
            self.until.is_some_and(|until| c.start.before(until)) && self.alarmed != Some(c.unacked);
        if prompt && (c.called || leading) {
            if c.called {
                self.until = Some(c.sent);
            }
            return Repeat::Recovery;
        }
        let first = self.alarmed != Some(c.unacked);
        (self.alarmed, self.until) = (Some(c.unacked), Some(c.sent));
        if first && c.tail && c.selective { Repeat::TailLossProbe } else { Repeat::Timeout }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn circumstance() -> Circumstance {
        Circumstance {
            called: false,
            silence_ns: 220 * MS,
            round_trip_ns: Some(10 * MS),
            unacked: SeqNum(1000),
            start: SeqNum(1000),
            tail: false,
            sent: SeqNum(5000),
            selective: true,
        }
    }

    #[test]
    fn what_acks_call_for_at_once_is_recovery_and_what_comes_after_silence_is_not() {
        let mut recovery = Recovery::default();
        let called = Circumstance { called: true, silence_ns: 12 * MS, ..circumstance() };
        assert_eq!(recovery.repeat(&called), Repeat::Recovery);
        let lost_again = Circumstance { called: true, ..circumstance() };
        assert_eq!(recovery.repeat(&lost_again), Repeat::Timeout);
    }

    #[test]
    fn acks_after_a_timeout_lead_through_the_loss() {
        let mut recovery = Recovery::default();
        assert_eq!(recovery.repeat(&circumstance()), Repeat::Timeout);
        let next =
            Circumstance { silence_ns: MS, unacked: SeqNum(2000), start: SeqNum(2000), ..circumstance() };
        assert_eq!(recovery.repeat(&next), Repeat::Recovery);
        let newer = Circumstance { start: SeqNum(5000), unacked: SeqNum(5000), ..next };
        assert_eq!(recovery.repeat(&newer), Repeat::Timeout, "not of that flight");
    }

    #[test]
    fn the_first_repeat_of_the_tail_is_a_probe_where_sack_allows_one() {
        let tail = Circumstance { tail: true, start: SeqNum(4000), ..circumstance() };
        let mut recovery = Recovery::default();
        assert_eq!(recovery.repeat(&tail), Repeat::TailLossProbe);
        assert_eq!(recovery.repeat(&tail), Repeat::Timeout);
        assert_eq!(recovery.repeat(&circumstance()), Repeat::Timeout);
        let without = Circumstance { selective: false, ..tail };
        assert_eq!(Recovery::default().repeat(&without), Repeat::Timeout);
    }
}
