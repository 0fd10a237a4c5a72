use std::collections::VecDeque;

use wire::{SeqNum, Timestamp};

/// Segments of one direction that were not acknowledged yet, newest first.
#[derive(Debug, Default)]
pub(crate) struct Unacked {
    sent: VecDeque<Sent>,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    time: Timestamp,
    start: SeqNum,
    end: SeqNum,
    /// TSval, 0 if the segment had none.
    timestamp: u32,
    /// Another copy of some of its bytes was sent, before or after.
    ambiguous: bool,
}

/// What an acknowledgement tells about the segments that it covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acked {
    /// Time of the oldest segment that ends where the acknowledgement does (Wireshark's choice).
    pub(crate) oldest: Option<Timestamp>,
    /// Time of the segment that surely caused it: sent once, or named by the echoed timestamp.
    pub(crate) certain: Option<Timestamp>,
}

impl Unacked {
    /// Room that is made at first: most connections have no more on the way.
    const FIRST: usize = 2;

    pub(crate) fn len(&self) -> usize {
        self.sent.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.sent.capacity() * size_of::<Sent>()
    }

    pub(crate) fn push(&mut self, time: Timestamp, start: SeqNum, end: SeqNum, timestamp: u32, again: bool) {
        if again {
            for other in &mut self.sent {
                other.ambiguous |= other.start.before(end) && start.before(other.end);
            }
        }
        if self.sent.capacity() == 0 {
            self.sent.reserve_exact(Self::FIRST);
        }
        self.sent.push_front(Sent { time, start, end, timestamp, ambiguous: again });
    }

    /// Forgets the oldest.
    pub(crate) fn pop_oldest(&mut self) {
        self.sent.pop_back();
    }

    /// Removes what `ack` covers.
    pub(crate) fn acknowledge(&mut self, ack: SeqNum, echo: Option<u32>) -> Acked {
        let mut acked = Acked::default();
        if self.sent.is_empty() {
            return acked;
        }
        let mut echoed = None;
        let mut copies = 0;
        let mut once = None;
        self.sent.retain_mut(|sent| {
            if sent.end.after(ack) {
                if ack.after(sent.start) {
                    sent.start = ack;
                }
                return true;
            }
            if sent.end == ack {
                acked.oldest = Some(sent.time);
                if !sent.ambiguous {
                    once = Some(sent.time);
                }
            }
            if sent.ambiguous && sent.timestamp != 0 && echo == Some(sent.timestamp) {
                copies += 1;
                echoed = Some(sent.time);
            }
            false
        });
        acked.certain = once.or(if copies == 1 { echoed } else { None });
        acked
    }
}
