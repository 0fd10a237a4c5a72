//! Which acknowledgements time the network alone, and which also time an application or a timer of
//! the receiver.

use fact::RttLeftOut;
use wire::Timestamp;

/// What an acknowledgement says of the round-trip time between the tap and its sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RoundTrip {
    /// Nothing: it acknowledges no segment whose time is known.
    #[default]
    Nothing,
    /// This long took the network, and the kernel that answered at once.
    Prompt(u64),
    /// The same, unless the segment that the ACK leaves out was lost: the ACK may have been delayed
    /// then.
    LeavesOutNext(u64),
    /// This long took the network and what the receiver may have waited before it acknowledged.
    Unproven(u64),
    /// No sample. The network took at most this long, where that is known.
    LeftOut(RttLeftOut, Option<u64>),
}

/// What the receiver may have waited in a sample that counts as prompt: less than a wake-up of a
/// process and the jitter of a capture's times.
const SLACK_NS: u64 = 50_000;

impl RoundTrip {
    /// Of an ACK without payload that came `ns` after the segment that it acknowledges.
    ///
    /// `next_ns` is the time from this segment to the next one, which the ACK does not cover. An
    /// ACK covers all that has arrived (RFC 9293, section 3.4): the next segment had not arrived
    /// when the ACK was sent. So the receiver cannot have waited longer than `next_ns`.
    pub(super) fn of_plain_ack(ns: u64, next_ns: Option<u64>) -> Self {
        match next_ns {
            Some(waited) if waited <= ns / 10 + SLACK_NS => Self::LeavesOutNext(ns),
            _ => Self::Unproven(ns),
        }
    }
}

/// The shortest time that the network is known to take between the tap and one side: what tells
/// ACKs that were sent at once from those that were delayed.
///
/// Every sample is the network's time or more, so each shorter one lowers it. Only prompt ones set
/// and raise it: a minimum over a window of time, as that of BBR
/// (draft-ietf-ccwg-bbr, section 5.3.2), of which one sample is kept.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RttFloor {
    /// 0 if unknown.
    ns: u64,
    /// Time of the sample.
    at: Timestamp,
    /// In microseconds, the last sample that left out the next segment. One that is not near the
    /// floor is believed if it agrees with this, since losses do not repeat so. 0 if none.
    candidate_us: u32,
}

impl RttFloor {
    /// After this time the next prompt sample replaces it.
    const WINDOW_NS: u64 = 10_000_000_000;
    /// The shortest time for which receivers delay ACKs is 40 ms (Linux: `TCP_DELACK_MIN`): a
    /// quarter of this is not taken for one.
    const MAX_MARGIN_NS: u64 = 10_000_000;

    /// A floor of a sample whose time was not kept.
    pub(super) fn of(ns: u64) -> Self {
        Self { ns, at: Timestamp::ZERO, candidate_us: 0 }
    }

    /// Judges the next sample: `Ok` if it is one of the network, else the reason for which it is
    /// left out.
    pub(super) fn judge(&mut self, sample: RoundTrip, now: Timestamp) -> Judgement {
        let agrees = match sample {
            RoundTrip::LeavesOutNext(ns) => self.agrees(ns),
            _ => true,
        };
        let (ns, judgement) = match sample {
            RoundTrip::Nothing => return Judgement::Nothing,
            RoundTrip::LeavesOutNext(ns) if !agrees => {
                (Some(ns), Judgement::LeftOut(RttLeftOut::Undecided))
            }
            RoundTrip::Prompt(ns) | RoundTrip::LeavesOutNext(ns) => {
                if self.ns == 0 || now.nanos_since(self.at) > Self::WINDOW_NS {
                    (self.ns, self.at) = (ns, now);
                }
                (Some(ns), Judgement::Sample(ns))
            }
            RoundTrip::Unproven(_) if self.ns == 0 => {
                return Judgement::LeftOut(RttLeftOut::Undecided);
            }
            RoundTrip::Unproven(ns) if self.is_near(ns) => (Some(ns), Judgement::Sample(ns)),
            RoundTrip::Unproven(_) => (None, Judgement::LeftOut(RttLeftOut::Delayed)),
            RoundTrip::LeftOut(reason, at_most) => (at_most, Judgement::LeftOut(reason)),
        };
        if let Some(ns) = ns.filter(|&ns| ns < self.ns) {
            (self.ns, self.at) = (ns, now);
        }
        judgement
    }

    fn is_near(self, ns: u64) -> bool {
        let margin = (self.ns / 4).clamp(SLACK_NS, Self::MAX_MARGIN_NS);
        ns <= self.ns.saturating_add(margin)
    }

    /// Whether the floor or the candidate is about as long as `ns`, which is the next candidate.
    fn agrees(&mut self, ns: u64) -> bool {
        let candidate = u64::from(self.candidate_us) * 1_000;
        self.candidate_us = micros(ns);
        (self.ns != 0 && self.is_near(ns))
            || (candidate != 0 && ns.abs_diff(candidate) <= (candidate / 4).max(SLACK_NS))
    }
}

fn micros(ns: u64) -> u32 {
    u32::try_from(ns / 1_000).unwrap_or(u32::MAX)
}

/// What becomes of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// There is none.
    Nothing,
    /// It is one of the network.
    Sample(u64),
    /// It is counted and left out.
    LeftOut(RttLeftOut),
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u64 = 1_000;
    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_nanos(1_700_000_000_000 * MS + ms * MS)
    }

    fn judge(floor: &mut RttFloor, sample: RoundTrip, ms: u64) -> Judgement {
        floor.judge(sample, at(ms))
    }

    #[test]
    fn an_ack_that_leaves_the_next_segment_out_is_as_prompt_as_the_two_are_close() {
        let ack = |next| RoundTrip::of_plain_ack(20 * MS, next);
        assert_eq!(ack(Some(2 * MS)), RoundTrip::LeavesOutNext(20 * MS));
        assert_eq!(ack(Some(3 * MS)), RoundTrip::Unproven(20 * MS));
        assert_eq!(ack(None), RoundTrip::Unproven(20 * MS));
    }

    #[test]
    fn an_ack_that_leaves_out_the_next_segment_needs_another_that_agrees() {
        let mut floor = RttFloor::default();
        let undecided = Judgement::LeftOut(RttLeftOut::Undecided);
        let ack = RoundTrip::LeavesOutNext;
        assert_eq!(judge(&mut floor, ack(7 * MS), 0), undecided, "the next may be lost");
        assert_eq!(judge(&mut floor, ack(2 * MS), 1), undecided);
        assert_eq!(judge(&mut floor, ack(2 * MS), 2), Judgement::Sample(2 * MS));
        assert_eq!(judge(&mut floor, ack(7 * MS), 3), undecided);
        assert_eq!(judge(&mut floor, ack(7 * MS), 4), Judgement::Sample(7 * MS));
    }

    #[test]
    fn without_a_floor_nothing_unproven_is_believed() {
        let mut floor = RttFloor::default();
        let undecided = Judgement::LeftOut(RttLeftOut::Undecided);
        assert_eq!(judge(&mut floor, RoundTrip::Unproven(20 * US), 0), undecided);
        let answer = RoundTrip::LeftOut(RttLeftOut::WithPayload, Some(20 * US));
        assert_eq!(judge(&mut floor, answer, 1), Judgement::LeftOut(RttLeftOut::WithPayload));
        assert_eq!(judge(&mut floor, RoundTrip::Unproven(20 * US), 2), undecided);
    }

    #[test]
    fn near_the_floor_it_is_believed_and_a_delayed_ack_is_not_on_any_path() {
        for path in [20 * US, MS, 40 * MS, 100 * MS, 300 * MS, 2000 * MS] {
            let mut floor = RttFloor::of(path);
            for (ns, believed) in
                [(path / 2, true), (path, true), (path + 11 * MS, false), (path + 40 * MS, false)]
            {
                let expected = match believed {
                    true => Judgement::Sample(ns),
                    false => Judgement::LeftOut(RttLeftOut::Delayed),
                };
                let mut floor = floor;
                assert_eq!(judge(&mut floor, RoundTrip::Unproven(ns), 0), expected, "{path} {ns}");
            }
            let jitter = path + 40 * US;
            assert_eq!(
                judge(&mut floor, RoundTrip::Unproven(jitter), 0),
                Judgement::Sample(jitter)
            );
        }
    }

    #[test]
    fn the_floor_falls_with_every_sample_and_rises_with_prompt_ones_after_a_while() {
        let mut floor = RttFloor::default();
        assert_eq!(judge(&mut floor, RoundTrip::Prompt(40 * MS), 0), Judgement::Sample(40 * MS));
        let answer = RoundTrip::LeftOut(RttLeftOut::WithPayload, Some(5 * MS));
        judge(&mut floor, answer, 1);
        let slow = RoundTrip::Unproven(40 * MS);
        let delayed = Judgement::LeftOut(RttLeftOut::Delayed);
        assert_eq!(judge(&mut floor, slow, 2), delayed);
        // A prompt sample counts however long it took, but a shorter one is still to be expected.
        assert_eq!(judge(&mut floor, RoundTrip::Prompt(40 * MS), 3), Judgement::Sample(40 * MS));
        assert_eq!(judge(&mut floor, slow, 4), delayed);
        assert_eq!(judge(&mut floor, slow, 20_000), delayed, "unproven samples raise nothing");
        judge(&mut floor, RoundTrip::Prompt(40 * MS), 20_001);
        assert_eq!(judge(&mut floor, slow, 20_002), Judgement::Sample(40 * MS));
    }
}
