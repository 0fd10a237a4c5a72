//! The messages of one session, from the first byte of a request until its exchange is emitted.

use std::collections::VecDeque;

use wire::{Direction, PerDirection, Timestamp, Transport, invariant};

use super::counters::Counters;
use super::entry::Entry;
use super::kind::{Kind, Order};
use super::loss::Loss;
use super::pairing::Pairing;
use super::pool::EntryPool;
use super::position::{Position, StartMark};
use super::queue::Queue;
use super::timeline::Timeline;
use fact::{Attributes, Outcome, Protocol, Unanswered};

/// Bytes that the requests of one session that wait may take; with more, the oldest are emitted
/// unanswered.
const MAX_BYTES: usize = 16 << 20;
/// Finished exchanges for which there is room when the correlator is reused.
const REUSED: usize = 64;

/// What is spoken before a parser is chosen: no exchange begins.
const UNDECIDED: Protocol = Protocol::new("undecided");

/// Pairs the messages of one session.
#[derive(Debug)]
pub(crate) struct Correlator {
    /// Requests that may wait for a response.
    limit: usize,
    /// Protocol of the exchanges that begin.
    protocol: Protocol,
    pub(super) queue: Queue,
    /// Exchanges to which nothing is added any more, oldest first.
    pub(super) finished: VecDeque<Box<Entry>>,
    pub(crate) timelines: PerDirection<Timeline>,
    pub(super) pairing: Pairing,
    pub(super) loss: Loss,
    pub(crate) counters: Counters,
    /// Attributes that the protocol before this one on the same connection kept for what follows.
    pub(super) carried_over: Attributes,
    /// What is told with each exchange of the connection.
    pub(crate) connection_attributes: Attributes,
    /// An exchange ended, whether it was to be emitted or not.
    pub(super) ended_exchanges: bool,
    /// Time of what is dealt with now.
    pub(super) now: Timestamp,
    /// No request of the connection began that is going to be emitted.
    pub(super) before_first: bool,
}

/// A message that begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beginning {
    pub(super) kind: Kind,
    pub(super) id: u64,
    pub(super) start: StartMark,
}

impl Correlator {
    /// A correlator in which up to `limit` requests may wait (in order, a multiple of it).
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            protocol: UNDECIDED,
            queue: Queue::default(),
            finished: VecDeque::new(),
            timelines: PerDirection::default(),
            pairing: Pairing::default(),
            loss: Loss::default(),
            counters: Counters::default(),
            carried_over: Attributes::default(),
            connection_attributes: Attributes::default(),
            ended_exchanges: false,
            now: Timestamp::ZERO,
            before_first: true,
        }
    }

    /// Makes it as new, and keeps the memory of its lists. Whatever is not named here is new.
    pub(crate) fn reset(&mut self) {
        let mut old = std::mem::replace(self, Self::new(self.limit));
        old.finished.clear();
        old.finished.shrink_to(REUSED);
        old.carried_over.clear();
        old.connection_attributes.clear();
        self.queue = old.queue.emptied();
        self.finished = old.finished;
        self.carried_over = old.carried_over;
        self.connection_attributes = old.connection_attributes;
        self.timelines = PerDirection {
            to_server: old.timelines.to_server.emptied(),
            to_client: old.timelines.to_client.emptied(),
        };
    }

    /// Sets what is spoken from now on, and how responses find their requests in it.
    pub(crate) fn set_protocol(&mut self, protocol: Protocol, order: Order) {
        self.protocol = protocol;
        self.pairing.order = order;
    }

    /// Sets the time of what is dealt with from now on: a packet, a tick, or the end of the input.
    pub(crate) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Sets whether what is lost now was cut off by the snap length.
    pub(crate) fn set_snapped(&mut self, snapped: bool) {
        self.loss.snapped = snapped;
    }

    /// Number of requests that wait for a response.
    pub(crate) fn pending(&self) -> usize {
        self.queue.iter().filter(|entry| entry.is_pending()).count()
    }

    /// Whether a request waits for a response.
    pub(crate) fn has_pending(&self) -> bool {
        self.queue.iter().any(Entry::is_pending)
    }

    /// Whether an exchange ended, emitted or not.
    pub(crate) fn has_ended_exchanges(&self) -> bool {
        self.ended_exchanges
    }

    /// Forgets all messages: they were read in a protocol that is not spoken.
    pub(crate) fn discard_all(&mut self, pool: &mut EntryPool) {
        while let Some(entry) = self.queue.remove(0) {
            pool.put(entry);
        }
        self.pairing = Pairing::default();
        self.loss = Loss::default();
        self.counters = Counters { evicted: self.counters.evicted, ..Counters::default() };
        self.before_first = true;
    }

    /// Takes the oldest exchange to which nothing is added any more.
    pub(crate) fn pop_finished(&mut self) -> Option<Box<Entry>> {
        self.finished.pop_front()
    }

    /// Memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let slots = self.finished.capacity() * size_of::<Box<Entry>>();
        let finished: usize = self.finished.iter().map(|entry| entry.bytes()).sum();
        let lines: usize = Direction::BOTH.iter().map(|&d| self.timelines[d].bytes()).sum();
        self.queue.bytes()
            + slots
            + finished
            + lines
            + self.carried_over.bytes()
            + self.connection_attributes.bytes()
    }

    /// Place of the open message of this kind (and id, where pairing is by id) at `position`.
    pub(super) fn open_index(&self, kind: Kind, id: u64, position: &Position<'_>) -> Option<usize> {
        self.queue.open_index(kind, position.asker(kind), self.pairing.key(id))
    }

    /// A message begins: adds it to the exchange to which it belongs, or makes a new one.
    pub(super) fn begin(
        &mut self,
        message: Beginning,
        position: &Position<'_>,
        pool: &mut EntryPool,
    ) -> &mut Entry {
        let Beginning { kind, id, start, .. } = message;
        let asker = position.asker(kind);
        self.counters.on_message(kind, asker);
        let seq = position.sequence(start.offset, id);
        if kind == Kind::Response {
            let stands = self.timelines[asker].end();
            self.loss.on_response(asker, stands, self.now);
            let mut index = self.pairing.answered(&self.queue, asker, id, start.passed);
            let mut tag = None;
            if let Some(doubtful) = index.filter(|&index| self.is_another_possible(index)) {
                // One of them got it: which one is unknown, and neither is told with it.
                tag = Some(self.queue[doubtful].notes.tag);
                self.remove(doubtful, Outcome::LostBytes, pool);
                index = None;
            }
            let index = index.unwrap_or_else(|| self.add(message, position, pool));
            let entry = self.queue.open(index, kind);
            entry.notes.tag = tag.unwrap_or(entry.notes.tag);
            entry.begin(kind, start.offset, seq, start.passed);
            // It has the request's id, so what was lost was something else.
            entry.doubts.response_lost &= !self.pairing.is_by_id();
            return entry;
        }
        let standing = self.before_request(asker, start.offset, pool);
        let index = self.add(message, position, pool);
        let entry = self.queue.open(index, kind);
        entry.begin(kind, start.offset, seq, start.passed);
        entry.doubts.after_hole = standing.after_hole;
        entry.doubts.ambiguous = standing.ambiguous;
        entry
    }

    /// Adds an exchange. The oldest ones are emitted unanswered if there are too many.
    fn add(&mut self, message: Beginning, position: &Position<'_>, pool: &mut EntryPool) -> usize {
        let by_id = self.pairing.is_by_id();
        let capacity = self.pairing.capacity(self.limit, message.kind);
        let may_evict = by_id || message.kind != Kind::Response;
        while self.queue.len() >= capacity || may_evict && self.queue.measured_bytes() > MAX_BYTES {
            if self.queue.len() == 0 {
                invariant!("an empty queue holds no bytes, and has room for one");
                break;
            }
            self.counters.evicted += 1;
            self.give_up(0, Unanswered::Displaced, pool);
        }
        let transport = position.base.map_or(Transport::Udp, |_| Transport::Tcp);
        let troubles = position.troubles_at(message.start.offset);
        let mut entry = pool.take(self.protocol);
        entry.set_origin(message.id, position.asker(message.kind), transport, troubles);
        if message.kind != Kind::Response {
            entry.is_first = std::mem::take(&mut self.before_first);
        }
        self.queue.push(entry, by_id)
    }
}
