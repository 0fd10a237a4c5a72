use wire::{SeqNum, Timestamp};

use super::lifecycle::{answered, finish};
use super::{Entry, Kind, Messages};

/// A place in a direction and when it passed, kept for later: [`Messages::close_response`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndMark {
    offset: u64,
    passed: Timestamp,
}

/// What one direction tells about a response that travels in the other.
impl Messages {
    /// The place before `at`, counted from the first of the bytes shown.
    pub(crate) fn end_mark(&self, at: usize) -> EndMark {
        let offset = self.here.offset + at as u64;
        EndMark { offset, passed: self.timelines[self.here.direction].at(offset.saturating_sub(1)) }
    }

    /// The response that is open, or else the request that waits, of what this direction asked.
    pub(crate) fn outstanding(&mut self, id: u64) -> Option<&mut Entry> {
        let (direction, id) = (self.here.direction, self.key(id));
        let open = self.entries.open_index(Kind::Response, direction, id);
        let waits = |e: &Entry| e.is_waiting() && e.asker == direction;
        let index = open.or_else(|| self.entries.position(id, waits))?;
        self.entries.get_mut(index)
    }

    /// The open response to what this direction asked ended at `end` of the other direction.
    pub(crate) fn close_response(&mut self, id: u64, end: EndMark) {
        let id = self.key(id);
        let Some(index) = self.entries.open_index(Kind::Response, self.here.direction, id) else { return };
        let entry = self.entries.shut(index, Kind::Response);
        let (start, torn) = (entry.response_start, entry.response_torn);
        if let Some(span) = &mut entry.exchange.response {
            let base = self.here.base.map(|_| SeqNum(span.seq.start.0.wrapping_sub(start as u32)));
            finish(span, start, end.offset.max(start), end.passed.max(span.first), base);
            span.whole = !torn;
        }
        if entry.is_whole() {
            let outcome = answered(entry);
            self.remove(index, outcome);
        }
    }
}
