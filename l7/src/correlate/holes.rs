//! What holes in the streams do to the exchanges in the queue.

use wire::{Direction, Timestamp};

use super::correlator::Correlator;
use super::kind::Kind;
use super::loss::Standing;
use super::pool::EntryPool;
use super::position::Position;
use fact::Outcome;

impl Correlator {
    /// A request is about to begin at stream offset `start`. Settles how sure the pairing is of
    /// those that wait, and of the new one.
    pub(super) fn before_request(
        &mut self,
        asker: Direction,
        start: u64,
        pool: &mut EntryPool,
    ) -> Standing {
        if self.pairing.is_by_id() {
            return Standing::default();
        }
        let mut before = self.loss.before_request(asker, self.now);
        if self.loss.is_behind_hole(asker) {
            before.follows_response = self.follows_response(asker, start);
        }
        if before.batch_over {
            self.abandon_batch(asker, pool);
        }
        let pending = self.queue.iter().any(|e| e.is_pending_of(asker));
        let joined_amid = self.counters.responses > 1 && self.counters.requests <= 1;
        let standing = self.loss.on_request(asker, before, pending, joined_amid);
        if standing.ambiguous {
            // What waits behind the hole is as doubtful as the new request.
            let newest_first = self.queue.iter_mut().rev().filter(|e| e.is_pending_of(asker));
            newest_first
                .take_while(|e| e.doubts.after_hole && !e.doubts.ambiguous)
                .for_each(|e| e.doubts.ambiguous = true);
        }
        standing
    }

    /// Whether something of the other direction passed between the byte before `start` and the one
    /// there: a client that has one request under way is answered before it sends the next.
    fn follows_response(&self, asker: Direction, start: u64) -> bool {
        let (requests, responses) = (&self.timelines[asker], &self.timelines[asker.reverse()]);
        let before = start.checked_sub(1).map_or(Timestamp::ZERO, |offset| requests.at(offset));
        responses.end().checked_sub(1).is_some_and(|offset| responses.at(offset) >= before)
    }

    /// Whether the response that begins cannot be told to be that of the request at this place: it
    /// may be another's that waits, or that was missed.
    pub(super) fn is_another_possible(&self, index: usize) -> bool {
        let entry = &self.queue[index];
        if self.pairing.is_by_id() || !entry.is_doubtful() {
            return false;
        }
        let mut pending = self.queue.iter().filter(|e| e.is_pending_of(entry.asker));
        entry.doubts.ambiguous || pending.nth(1).is_some()
    }

    /// The requests of `asker` that wait were answered by responses that are missing.
    fn abandon_batch(&mut self, asker: Direction, pool: &mut EntryPool) {
        let mut requests = 0;
        while let Some(index) = self.queue.position(None, |e| e.is_pending_of(asker)) {
            self.remove(index, Outcome::LostBytes, pool);
            requests += 1;
        }
        self.pairing.forget_orphan_responses();
        self.loss.on_batch_abandoned(asker, requests);
    }

    /// Bytes are missing before it is known what is spoken.
    pub(crate) fn loss_before_protocol(&mut self, direction: Direction) {
        self.loss.on_hole(direction);
    }

    /// Bytes are missing that are not known to belong to an open message.
    pub(crate) fn extend_hole(&mut self, direction: Direction) {
        self.loss.extend_hole(direction);
    }

    /// Messages may be missing from `position` on; an open one ends where it was last seen.
    pub(super) fn mark_loss(&mut self, position: &Position<'_>, pool: &mut EntryPool) {
        let direction = position.direction;
        let asker = direction.reverse();
        self.loss.on_hole(direction);
        self.pairing.forget_orphan_responses();
        if !self.loss.snapped {
            self.mark_incomplete(direction, None);
        }
        self.close_all(Kind::Request, direction, position.offset, pool);
        self.close_all(Kind::Response, asker, position.offset, pool);
        // Those that began before the last loss are marked already.
        let unmarked = self.loss.mark_before(direction, self.queue.next_number());
        let unmarked = self.queue.iter_from(unmarked).filter(|entry| entry.asker == asker);
        unmarked.for_each(|entry| entry.doubts.response_lost = true);
    }

    /// Messages may be missing from `position` on. Those that are open go on: their parts
    /// carry their id.
    pub(super) fn mark_loss_keep_open(&mut self, position: &Position<'_>) {
        self.loss.on_hole(position.direction);
        let asker = position.direction.reverse();
        let pending = self.queue.iter_mut().filter(|e| e.is_pending_of(asker));
        pending.for_each(|entry| entry.doubts.response_lost = true);
    }

    /// Bytes that were to be skipped are missing: those of the message that the parser named, or
    /// else of all open messages of this direction.
    pub(crate) fn mark_skipped_incomplete(&mut self, direction: Direction) {
        self.mark_incomplete(direction, self.loss.skipped_id(direction));
    }

    /// Bytes of the open messages of a direction are missing, of this id if one is given.
    pub(crate) fn mark_incomplete(&mut self, direction: Direction, id: Option<u64>) {
        let open = self.queue.open_count(Kind::Request, direction)
            + self.queue.open_count(Kind::Response, direction.reverse());
        if open == 0 {
            return;
        }
        for entry in self.queue.iter_mut().filter(|e| id.is_none_or(|id| id == e.slot.id)) {
            let kind = if entry.asker == direction { Kind::Request } else { Kind::Response };
            let message = entry.message_mut(kind);
            message.incomplete |= message.open;
        }
    }

    /// The open messages of a kind end at `end`; the responses among them are not whole.
    fn close_all(&mut self, kind: Kind, asker: Direction, end: u64, pool: &mut EntryPool) {
        let mut index = match self.queue.open_count(kind, asker) {
            1 => self.queue.open_index(kind, asker, None).unwrap_or(0),
            _ => 0,
        };
        while self.queue.open_count(kind, asker) > 0 && index < self.queue.len() {
            let before = self.queue.len();
            let entry = &mut self.queue[index];
            if entry.asker == asker && entry.message(kind).open {
                entry.doubts.response_lost |= kind == Kind::Response;
                self.close(index, kind, end, pool);
            }
            index += usize::from(self.queue.len() == before);
        }
    }
}
