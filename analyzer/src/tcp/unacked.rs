//! Segments whose acknowledgement is awaited, for round-trip times.

use std::collections::VecDeque;

use wire::decode::TcpFlags;
use wire::{SeqNum, Timestamp};

/// Segments in which the original of a copy is looked for: a copy comes soon, and what an attacker
/// sends out of order must not cost a walk through all that is on the way.
const MAX_LOOKED_AT: usize = 64;

/// Segments of one direction that are not acknowledged yet. Most connections have one at a time.
#[derive(Debug, Default)]
pub(crate) struct Unacked {
    oldest: Option<Sent>,
    /// Those sent after it; empty where there is no oldest. Costs a flow one word until needed.
    later: Option<Box<Later>>,
}

/// Segments in the order in which they were sent.
#[derive(Debug, Default)]
struct Later {
    sent: VecDeque<Sent>,
    /// Some may start before the end of one that was sent before them, the oldest of all included,
    /// or they go around half of the circle. Otherwise an acknowledgement looks at no more than it
    /// covers, however many are on the way.
    out_of_order: bool,
    /// The highest acknowledgement since there is this list.
    acked: Option<SeqNum>,
}

/// A segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) time: Timestamp,
    pub(super) start: SeqNum,
    pub(super) end: SeqNum,
    /// TSval, 0 if the segment had none.
    pub(super) timestamp: u32,
    /// IPv4 identification.
    pub(super) id: u16,
    pub(super) flags: TcpFlags,
    pub(super) copies: Copies,
}

/// Whether the bytes of a segment were sent more than once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Copies {
    /// They were not.
    #[default]
    None,
    /// Some of them were, before or after.
    Some,
    /// All of them had been acknowledged when the segment was sent. It makes the receiver
    /// acknowledge nothing new, but its timestamp may be echoed (RFC 7323, section 4.3).
    AfterAck,
}

impl Sent {
    fn is_ambiguous(&self) -> bool {
        self.copies != Copies::None
    }
}

/// What an acknowledgement shows of the segments that it covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acked {
    /// Time of the oldest segment that ends where the acknowledgement does (Wireshark's choice).
    pub(crate) oldest: Option<Timestamp>,
    /// Time of the segment that surely caused it: sent once, or named by the echoed timestamp.
    pub(crate) certain: Option<Timestamp>,
    /// Time of the segment that begins where the acknowledgement ends, sent once.
    pub(crate) next: Option<Timestamp>,
}

impl Unacked {
    pub(crate) fn len(&self) -> usize {
        usize::from(self.oldest.is_some()) + self.later.as_ref().map_or(0, |later| later.sent.len())
    }

    /// Heap memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let room = |later: &Later| size_of::<Later>() + later.sent.capacity() * size_of::<Sent>();
        self.later.as_deref().map_or(0, room)
    }

    /// Adds a segment.
    pub(super) fn push(&mut self, mut sent: Sent, retransmitted: bool) {
        let Sent { start, end, .. } = sent;
        if retransmitted {
            let later = self.later.iter_mut().flat_map(|later| later.sent.iter_mut());
            for other in self.oldest.iter_mut().chain(later) {
                let overlaps = other.start.before(end) && start.before(other.end);
                if overlaps && other.copies == Copies::None {
                    other.copies = Copies::Some;
                }
            }
            // A late acknowledgement lets the sender's last one fall behind.
            let acked = self.later.as_ref().and_then(|later| later.acked);
            if acked.is_some_and(|acked| !end.after(acked)) {
                sent.copies = Copies::AfterAck;
            } else if sent.copies == Copies::None {
                sent.copies = Copies::Some;
            }
        }
        match self.oldest {
            None => self.oldest = Some(sent),
            Some(oldest) => {
                let later = self.later.get_or_insert_default();
                let before = later.sent.back().map_or(oldest.end, |last| last.end);
                let around = end.before(oldest.start);
                later.out_of_order |= start.before(before) || around;
                later.sent.push_back(sent);
            }
        }
    }

    /// The latest segment with these bytes and flags, among the last [`MAX_LOOKED_AT`].
    pub(super) fn find(&self, start: SeqNum, end: SeqNum, flags: TcpFlags) -> Option<&Sent> {
        let later = self.later.iter().flat_map(|later| later.sent.iter().rev());
        later
            .chain(self.oldest.iter())
            .take(MAX_LOOKED_AT)
            .find(|sent| (sent.start, sent.end, sent.flags) == (start, end, flags))
    }

    /// Forgets the oldest.
    pub(crate) fn pop_oldest(&mut self) {
        self.oldest = self.later.as_mut().and_then(|later| later.sent.pop_front());
        if let (None, Some(later)) = (self.oldest, &mut self.later) {
            later.out_of_order = false;
        }
    }

    /// How many of the first 65 were sent more than once.
    pub(crate) fn copies(&self) -> usize {
        let later = self.later.iter().flat_map(|later| later.sent.iter()).take(64);
        self.oldest.iter().chain(later).filter(|sent| sent.is_ambiguous()).count()
    }

    /// Removes what `ack` covers. After ACKs that reported a `hole` it is the segment that filled
    /// the hole, not the last one, that made the receiver acknowledge.
    pub(crate) fn acknowledge(&mut self, ack: SeqNum, echo: Option<u32>, hole: bool) -> Acked {
        if let Some(later) = &mut self.later
            && later.acked.is_none_or(|acked| ack.after(acked))
        {
            later.acked = Some(ack);
        }
        let mut covered = Covered::default();
        let Some(oldest) = &mut self.oldest else { return Acked::default() };
        let keep_oldest = covered.keep(oldest, ack, echo);
        if let Some(Later { sent, out_of_order, .. }) = self.later.as_deref_mut() {
            // Half of the circle away, an acknowledgement may cover the last ones and not the
            // first.
            let around = keep_oldest && sent.back().is_some_and(|last| !ack.before(last.end));
            if *out_of_order || around {
                sent.retain_mut(|sent| covered.keep(sent, ack, echo));
            } else if !keep_oldest {
                while sent.pop_front_if(|first| !covered.keep(first, ack, echo)).is_some() {}
            }
        }
        if !keep_oldest {
            self.pop_oldest();
        }
        let echoed = if covered.echo_candidates == 1 { covered.echoed } else { None };
        let once = covered.once.filter(|_| !hole && !covered.repeated);
        let next = self.oldest.filter(|next| next.start == ack && !next.is_ambiguous());
        Acked { oldest: covered.oldest, certain: once.or(echoed), next: next.map(|next| next.time) }
    }
}

/// What is known of the segments that an acknowledgement covers, the oldest first.
#[derive(Default)]
struct Covered {
    oldest: Option<Timestamp>,
    once: Option<Timestamp>,
    echoed: Option<Timestamp>,
    /// Segments whose timestamp the acknowledgement may echo.
    echo_candidates: u32,
    /// One of them was sent more than once.
    repeated: bool,
}

impl Covered {
    /// Whether `sent` is still unacknowledged, at least a part of it.
    fn keep(&mut self, sent: &mut Sent, ack: SeqNum, echo: Option<u32>) -> bool {
        // At half of the circle each number lies before the other, as Wireshark has it.
        if ack.before(sent.end) {
            if sent.start.before(ack) {
                sent.start = ack;
            }
            return true;
        }
        if sent.end == ack {
            self.oldest.get_or_insert(sent.time);
            if !sent.is_ambiguous() {
                self.once.get_or_insert(sent.time);
            }
        }
        self.repeated |= sent.is_ambiguous();
        if sent.timestamp != 0 && echo == Some(sent.timestamp) {
            match sent.copies {
                Copies::None => {}
                Copies::Some => {
                    self.echo_candidates += 1;
                    self.echoed.get_or_insert(sent.time);
                }
                Copies::AfterAck => self.echo_candidates += 2,
            }
        }
        false
    }
}
