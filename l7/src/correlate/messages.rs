//! Where a parser puts the messages that it finds: the verbs that it has, and no others.

use super::correlator::{Beginning, Correlator};
use super::entry::{Doubts, Entry};
use super::kind::Kind;
use super::pool::EntryPool;
use super::position::{EndMark, Position, StartMark};
use fact::{Unanswered, Value};

/// The messages of a session, as its parser sees them during one call.
///
/// `at` counts from the first of the bytes that the parser is shown. `id` matters where pairing is
/// [`ById`](super::Order::ById). Verbs that speak of "this direction" mean that of the bytes shown.
#[derive(Debug)]
pub(crate) struct Messages<'a> {
    correlator: &'a mut Correlator,
    pool: &'a mut EntryPool,
    position: Position<'a>,
}

impl<'a> Messages<'a> {
    /// The messages of a session, for a parser that is shown the bytes at `position`.
    pub(crate) fn new(
        correlator: &'a mut Correlator,
        pool: &'a mut EntryPool,
        position: Position<'a>,
    ) -> Self {
        correlator.loss.set_skipped_id(position.direction, None);
        Self { correlator, pool, position }
    }
}

/// Where the parser is.
impl Messages<'_> {
    /// Stream offset of the first of the bytes shown.
    pub(crate) fn offset(&self) -> u64 {
        self.position.offset
    }

    /// The place where a message begins of which the parser finds out later, when its bytes are not
    /// shown any more.
    pub(crate) fn start_mark(&self, at: usize) -> StartMark {
        let offset = self.position.offset + at as u64;
        let passed = self.correlator.timelines[self.position.direction].at(offset);
        StartMark { offset, passed }
    }

    /// The place behind the byte before `at`, kept for later.
    pub(crate) fn end_mark(&self, at: usize) -> EndMark {
        let offset = self.position.offset + at as u64;
        let timeline = &self.correlator.timelines[self.position.direction];
        EndMark { offset, passed: timeline.at(offset.saturating_sub(1)) }
    }
}

/// Messages begin and end.
impl Messages<'_> {
    /// A message begins at `at`. The parser adds to the entry what it knows of the message.
    pub(crate) fn open(&mut self, kind: Kind, id: u64, at: usize) -> &mut Entry {
        self.open_at(kind, id, self.start_mark(at))
    }

    /// A message of this direction began at `start`.
    pub(crate) fn open_at(&mut self, kind: Kind, id: u64, start: StartMark) -> &mut Entry {
        let message = Beginning { kind, id, start };
        self.correlator.begin(message, &self.position, self.pool)
    }

    /// The open message, for what is found out later about it. None if it was evicted, or if its
    /// beginning was not seen.
    pub(crate) fn current(&mut self, kind: Kind, id: u64) -> Option<&mut Entry> {
        let index = self.open_index(kind, id)?;
        self.correlator.queue.get_mut(index)
    }

    /// The open message, or a new one that begins at `at`.
    pub(crate) fn current_or_open(&mut self, kind: Kind, id: u64, at: usize) -> &mut Entry {
        match self.open_index(kind, id) {
            Some(index) => &mut self.correlator.queue[index],
            None => self.open(kind, id, at),
        }
    }

    /// The open message ends before `at`. Does nothing where none is open: it was evicted.
    pub(crate) fn close(&mut self, kind: Kind, id: u64, at: usize) {
        if let Some(index) = self.open_index(kind, id) {
            let end = self.position.offset + at as u64;
            self.correlator.close(index, kind, end, self.pool);
        }
    }

    /// The open message ends before `at`, unless more of it comes: it is whole if nothing does.
    pub(crate) fn pause(&mut self, kind: Kind, id: u64, at: usize) {
        if let Some(index) = self.open_index(kind, id) {
            let end = self.position.offset + at as u64;
            self.correlator.pause(index, kind, end);
        }
    }

    /// The exchange of this id ends, whatever of it is open. `why`: nothing more will come, where
    /// its response is not whole. `note` may add to it. A request that was answered before its end
    /// needs no more of it: it is whole as it is.
    pub(crate) fn abort(&mut self, id: u64, why: Unanswered, note: impl FnOnce(&mut Entry)) {
        self.correlator.abort(id, why, note, self.pool);
    }

    fn open_index(&self, kind: Kind, id: u64) -> Option<usize> {
        self.correlator.open_index(kind, id, &self.position)
    }
}

/// Requests that wait for a response.
impl Messages<'_> {
    /// Tag of the request that the next response answers; none if there is none.
    pub(crate) fn next_tag(&self) -> Option<u16> {
        let asker = self.position.direction.reverse();
        let Correlator { pairing, queue, .. } = &*self.correlator;
        pairing.next(queue, |e| e.is_pending_of(asker)).map(|e| e.notes.tag)
    }

    /// Whether a request waits that the next response can answer and that has such a tag.
    pub(crate) fn any_pending(&self, wanted: impl Fn(u16) -> bool) -> bool {
        let asker = self.position.direction.reverse();
        let Correlator { pairing, queue, .. } = &*self.correlator;
        pairing.next(queue, |e| e.is_pending_of(asker) && wanted(e.notes.tag)).is_some()
    }

    /// Id of the oldest request for which `wanted` holds and that waits for this direction.
    pub(crate) fn pending_id(&self, wanted: impl Fn(u64) -> bool) -> Option<u64> {
        let asker = self.position.direction.reverse();
        let found = self.correlator.queue.find(wanted, |e| e.is_pending_of(asker));
        found.map(|e| e.slot.id)
    }

    /// Whether a request of this id waits for this direction.
    pub(crate) fn is_pending(&self, id: u64) -> bool {
        let asker = self.position.direction.reverse();
        self.correlator.queue.position(Some(id), |e| e.is_pending_of(asker)).is_some()
    }

    /// Whether a message of this direction that began at `start` passed before the request that
    /// waits the longest: it answers something that was not seen.
    pub(crate) fn precedes_request(&self, start: StartMark) -> bool {
        let asker = self.position.direction.reverse();
        let oldest = self.correlator.queue.iter().find(|e| e.is_pending_of(asker));
        oldest.is_some_and(|entry| entry.is_after(start.passed))
    }

    /// The next response is that of the oldest request that waits, whatever is missing: it repeats
    /// what the request said.
    pub(crate) fn confirm_next(&mut self) {
        let asker = self.position.direction.reverse();
        let queue = &mut self.correlator.queue;
        if let Some(index) = queue.position(None, |e| e.is_pending_of(asker)) {
            queue[index].doubts = Doubts::default();
        }
    }

    /// The next response answers none of the requests that wait.
    pub(crate) fn expect_orphan_response(&mut self) {
        self.correlator.pairing.expect_orphan_response();
    }

    /// The server will not answer the oldest request that waits: because what came before it in the
    /// same batch failed, or because it asked for no response where all is well.
    pub(crate) fn skip_request(&mut self) {
        self.correlator.skip_request(self.position.direction.reverse(), self.pool);
    }
}

/// Responses that travel in the other direction.
impl Messages<'_> {
    /// The response that is open, or else the request that waits, of what this direction asked.
    pub(crate) fn outstanding(&mut self, id: u64) -> Option<&mut Entry> {
        let asker = self.position.direction;
        let Correlator { pairing, queue, .. } = &mut *self.correlator;
        let id = pairing.key(id);
        let open = queue.open_index(Kind::Response, asker, id);
        let index = open.or_else(|| queue.position(id, |e| e.is_pending_of(asker)))?;
        queue.get_mut(index)
    }

    /// The open response to what this direction asked ended at `end` of the other direction.
    pub(crate) fn close_response(&mut self, id: u64, end: EndMark) {
        let id = self.correlator.pairing.key(id);
        let asker = self.position.direction;
        if let Some(index) = self.correlator.queue.open_index(Kind::Response, asker, id) {
            self.correlator.close_response(index, end, self.pool);
        }
    }
}

/// What is missing, and what is not looked at.
impl Messages<'_> {
    /// Whether what is lost now was cut off by the snap length: the packet passed, and its length
    /// is known.
    pub(crate) fn is_snapped(&self) -> bool {
        self.correlator.loss.snapped
    }

    /// Messages of this direction may be missing from here on; an open one ends where it was last
    /// seen.
    pub(crate) fn mark_loss(&mut self) {
        self.correlator.mark_loss(&self.position, self.pool);
    }

    /// Messages of this direction may be missing from here on. Those that are open go on: their
    /// parts carry their id.
    pub(crate) fn mark_loss_keep_open(&mut self) {
        self.correlator.mark_loss_keep_open(&self.position);
    }

    /// Bytes of the open messages of this direction are missing.
    pub(crate) fn mark_open_incomplete(&mut self) {
        self.correlator.mark_incomplete(self.position.direction, None);
    }

    /// The bytes that are skipped next belong to the message of this id, and to no other that is
    /// open.
    pub(crate) fn skip_belongs_to(&mut self, id: u64) {
        self.correlator.loss.set_skipped_id(self.position.direction, Some(id));
    }
}

/// A protocol that follows another on the same connection.
impl Messages<'_> {
    /// Keeps the attributes of the open message with these keys for the protocol that follows.
    pub(crate) fn carry_over(&mut self, kind: Kind, id: u64, keys: &[&str]) {
        // None: the exchange was evicted.
        let Some(index) = self.open_index(kind, id) else { return };
        let Correlator { queue, carried_over, .. } = &mut *self.correlator;
        carried_over.clear();
        let attributes = queue[index].exchange.attributes.iter();
        for (key, value) in attributes.filter(|(key, _)| keys.contains(key)) {
            match value {
                Value::Text(text) => carried_over.push_text(key, text),
                Value::Int(n) => carried_over.push_int(key, n),
                Value::Bool(b) => carried_over.push_bool(key, b),
            }
        }
    }

    /// Adds the attributes that the protocol before kept to the open message.
    pub(crate) fn add_carried_over(&mut self, kind: Kind, id: u64) {
        if let Some(index) = self.open_index(kind, id) {
            let Correlator { queue, carried_over, .. } = &mut *self.correlator;
            queue[index].exchange.attributes.append(carried_over);
        }
    }
}
