//! Messages as parsers report them, and their pairing into exchanges: in order, or by an id that both sides carry.

mod answer;
mod entry;
mod lifecycle;
mod lost;
mod queue;
#[cfg(test)]
mod tests;
mod timeline;

pub(crate) use answer::EndMark;
pub(crate) use entry::{Entry, OwnBytes};

use std::collections::VecDeque;

use wire::{Direction, PerDirection, SeqNum, Timestamp};

use crate::input::TroubleCounts;
use entry::begun;
use fact::{Attributes, Protocol, Unanswered, Value};
use lost::Missing;
use queue::Queue;
use timeline::Timeline;

/// How responses find their requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The next response answers the oldest request.
    InOrder,
    /// Both carry an id; of requests with the same id the oldest is answered first.
    ById,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Asks for a response.
    Request,
    /// Answers.
    Response,
    /// Asks for nothing.
    OneWay,
}

/// Where the bytes that a parser is shown stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Here {
    /// Direction as the flow sees it.
    pub(crate) direction: Direction,
    /// Stream offset of the first of the bytes.
    pub(crate) offset: u64,
    /// Sequence number of offset 0; none for datagrams.
    pub(crate) base: Option<SeqNum>,
    /// Totals of the flow when the first of the bytes came.
    pub(crate) trouble_first: TroubleCounts,
    /// Offset from which `trouble` holds.
    pub(crate) fresh_from: u64,
    /// Totals of the flow now.
    pub(crate) trouble: TroubleCounts,
}

impl Here {
    /// Before anything was said.
    const NOWHERE: Self = Self {
        direction: Direction::ToServer,
        offset: 0,
        base: None,
        trouble_first: TroubleCounts::NONE,
        fresh_from: 0,
        trouble: TroubleCounts::NONE,
    };
}

/// A place in a direction where a message begins: [`Messages::open_at`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartMark {
    pub(crate) offset: u64,
    first: Timestamp,
}

/// What was counted on a conversation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) responses: u64,
    pub(crate) errors: u64,
    /// A log-in or the like went well: no exchange of a user's, but what is spoken is certain.
    pub(crate) quietly: bool,
    /// Requests that went out unanswered because too many waited; since the last look.
    pub(crate) evicted: u64,
}

/// Where a parser puts the messages that it finds.
#[derive(Debug)]
pub(crate) struct Messages {
    /// What exchanges that begin are of.
    pub(crate) protocol: Protocol,
    pub(crate) order: Order,
    pub(crate) here: Here,
    pub(crate) timelines: PerDirection<Timeline>,
    pub(crate) counts: Counts,
    /// What is lost now was cut off by the snap length.
    pub(crate) cut: bool,
    limit: usize,
    entries: Queue,
    done: VecDeque<Box<Entry>>,
    /// Room's, while it is lent.
    spare: Spare,
    /// In order: responses that will still come for requests that went out unanswered.
    owed: u32,
    /// What is missing before the next request of this direction.
    missing: PerDirection<Missing>,
    /// Entries before this number know that bytes of this direction were lost.
    marked: PerDirection<u64>,
    /// Answers to requests of this direction are missing, and some that wait may have been answered by them.
    short: PerDirection<bool>,
    /// Nothing more comes in this direction.
    pub(crate) ended: PerDirection<bool>,
    /// Id of the message of which bytes are skipped in this direction, if that is known.
    pub(crate) skipped: PerDirection<Option<u64>>,
    /// Something was answered (or the answer missed) since the last request of this direction.
    turned: PerDirection<bool>,
    /// Requests go on while some wait and others are answered: they do not come in batches that are answered before the next.
    rolling: bool,
    /// Who asked first.
    pub(crate) first_asker: Option<Direction>,
    /// What the protocol before this one on the same connection said that goes for all that follows.
    handed_on: Attributes,
}

/// Before a parser was chosen no exchange begins.
const UNDECIDED: Protocol = Protocol::new("undecided");

/// Where answers come in order, so many times the limit of requests may wait: clients write pipelines of thousands before they read the
/// first answer.
const PIPELINE: usize = 8;
/// Memory that the requests of one conversation that wait may take, in bytes; with more, the oldest go.
const HELD: usize = 16 << 20;
/// Entries that are over, for which there is room when it is reused.
const DONE_KEPT: usize = 64;

/// Finished entries kept for reuse, the last on top: the conversations of a shard share them.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "each is handed on as it is, and never moved")]
pub(crate) struct Spare(Vec<Box<Entry>>);

impl Spare {
    /// Entries kept, some 700 KB: as many as a deep pipeline has under way.
    const MOST: usize = 1024;

    /// What is larger is not kept.
    const LARGEST: usize = 4096;

    /// Room for entries. (Without, as by default, it keeps none.)
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(Self::MOST))
    }

    pub(crate) fn keep(&mut self, entry: Box<Entry>) {
        if self.0.len() < self.0.capacity() && entry.bytes() <= Self::LARGEST {
            self.0.push(entry);
        }
    }

    /// Memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let entries: usize = self.0.iter().map(|entry| entry.bytes()).sum();
        entries + self.0.capacity() * size_of::<Box<Entry>>()
    }
}

impl Messages {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            protocol: UNDECIDED,
            order: Order::InOrder,
            here: Here::NOWHERE,
            timelines: PerDirection::default(),
            counts: Counts::default(),
            cut: false,
            limit: limit.max(1),
            entries: Queue::default(),
            done: VecDeque::new(),
            spare: Spare::default(),
            owed: 0,
            missing: PerDirection::default(),
            marked: PerDirection::default(),
            short: PerDirection::default(),
            ended: PerDirection::default(),
            skipped: PerDirection::default(),
            turned: PerDirection::default(),
            rolling: false,
            first_asker: None,
            handed_on: Attributes::default(),
        }
    }

    /// Makes it as new, and keeps the memory of its lists.
    pub(crate) fn reset(&mut self) {
        let Self {
            protocol,
            order,
            here,
            timelines,
            counts,
            cut,
            limit: _,
            entries,
            done,
            spare,
            owed,
            missing,
            marked,
            short,
            ended,
            skipped,
            turned,
            rolling,
            first_asker,
            handed_on,
        } = self;
        handed_on.clear();
        entries.reset();
        done.clear();
        done.shrink_to(DONE_KEPT);
        *spare = Spare::default();
        Direction::BOTH.into_iter().for_each(|direction| timelines[direction].reset());
        *protocol = UNDECIDED;
        (*order, *here, *counts) = (Order::InOrder, Here::NOWHERE, Counts::default());
        (*missing, *skipped) = (PerDirection::default(), PerDirection::default());
        (*short, *ended, *turned) =
            (PerDirection::default(), PerDirection::default(), PerDirection::default());
        *marked = PerDirection::default();
        (*cut, *owed, *rolling, *first_asker) = (false, 0, false, None);
    }

    /// Stream offset of the first of the bytes shown.
    pub(crate) fn offset(&self) -> u64 {
        self.here.offset
    }

    /// Whether what is lost now was cut off by the snap length: it passed the tap, and nobody misses it.
    pub(crate) fn is_snapped(&self) -> bool {
        self.cut
    }

    /// Bytes of the open messages of this direction are missing.
    pub(crate) fn mark_open_incomplete(&mut self) {
        self.tear(self.here.direction, false);
    }

    /// A message begins at `at`, counted from the first of the bytes shown. The entry takes what is known of it.
    pub(crate) fn open(&mut self, kind: Kind, id: u64, at: usize) -> &mut Entry {
        self.open_at(kind, id, self.start_mark(at))
    }

    /// A place where a message begins of which it is found out later, when its bytes are not shown any more.
    pub(crate) fn start_mark(&self, at: usize) -> StartMark {
        let offset = self.here.offset + at as u64;
        StartMark { offset, first: self.timelines[self.here.direction].at(offset) }
    }

    /// A message of this direction began at `start`.
    pub(crate) fn open_at(&mut self, kind: Kind, id: u64, start: StartMark) -> &mut Entry {
        let StartMark { offset, first } = start;
        let direction = self.here.direction;
        let seq = self.here.base.map_or(SeqNum(id as u16 as u32), |base| base.plus(offset as u32));
        let asker = if kind == Kind::Response { direction.reverse() } else { direction };
        self.first_asker.get_or_insert(asker);
        let span = begun(seq, first);
        if kind == Kind::Response {
            self.counts.responses += 1;
            self.turned[asker] = true;
            let by_id = self.order == Order::ById;
            let index = self.answered_by(asker, id, first);
            let index = index.unwrap_or_else(|| self.add(asker, kind, id, offset));
            let entry = self.entries.open(index, kind);
            entry.exchange.response = Some(span);
            entry.response_start = offset;
            // Its id says that it is the answer: what was lost was something else.
            entry.lost &= !by_id;
            return entry;
        }
        self.counts.requests += 1;
        let standing = self.settle(asker);
        let index = self.add(asker, kind, id, offset);
        let entry = self.entries.open(index, kind);
        (entry.after_hole, entry.doubtful) = (standing.after_hole, standing.doubtful);
        entry.exchange.request = Some(span);
        entry.request_start = offset;
        entry.one_way = kind == Kind::OneWay;
        entry
    }

    /// The open message, for what is found out later about it.
    pub(crate) fn current(&mut self, kind: Kind, id: u64) -> Option<&mut Entry> {
        let index = self.open_index(kind, id)?;
        Some(&mut self.entries[index])
    }

    /// Adds what the protocol before left to the open message.
    pub(crate) fn add_carried_over(&mut self, kind: Kind, id: u64) {
        if let Some(index) = self.open_index(kind, id) {
            self.entries[index].exchange.attributes.append(&self.handed_on);
        }
    }

    /// Leaves what the open message says under these keys to the protocol that follows.
    pub(crate) fn carry_over(&mut self, kind: Kind, id: u64, keys: &[&str]) {
        let Some(index) = self.open_index(kind, id) else { return };
        self.handed_on.clear();
        for (key, value) in
            self.entries[index].exchange.attributes.iter().filter(|(key, _)| keys.contains(key))
        {
            match value {
                Value::Text(text) => self.handed_on.push_text(key, text),
                Value::Int(n) => self.handed_on.push_int(key, n),
                Value::Bool(b) => self.handed_on.push_bool(key, b),
            }
        }
    }

    /// The open message, or a new one that begins at `at`.
    pub(crate) fn current_or_open(&mut self, kind: Kind, id: u64, at: usize) -> &mut Entry {
        match self.open_index(kind, id) {
            Some(index) => &mut self.entries[index],
            None => self.open(kind, id, at),
        }
    }

    /// The open message of this kind (and id, where pairing is by id) ends before `at`.
    pub(crate) fn close(&mut self, kind: Kind, id: u64, at: usize) {
        let Some(index) = self.open_index(kind, id) else { return };
        self.close_index(index, kind, self.here.offset + at as u64);
    }

    /// Tag of the request that the next response answers; none if there is none.
    pub(crate) fn next_tag(&self) -> Option<u16> {
        if self.owed > 0 {
            return None;
        }
        self.entries.iter().find(|e| e.is_waiting() && e.asker != self.here.direction).map(|e| e.notes.tag)
    }

    /// Whether a request that the next response can answer has such a tag.
    pub(crate) fn any_pending(&self, wanted: impl Fn(u16) -> bool) -> bool {
        let direction = self.here.direction;
        self.owed == 0
            && self.entries.iter().any(|e| e.is_waiting() && e.asker != direction && wanted(e.notes.tag))
    }

    /// The next response answers none of the requests that wait.
    pub(crate) fn expect_orphan_response(&mut self) {
        self.owed = self.owed.max(1);
    }

    /// Id of the oldest waiting request for which `wanted` holds and that this direction can answer.
    pub(crate) fn pending_id(&self, wanted: impl Fn(u64) -> bool) -> Option<u64> {
        let asker = self.here.direction.reverse();
        self.entries.find(wanted, |e| e.is_waiting() && e.asker == asker).map(|e| e.id)
    }

    /// Whether a request of this id waits that this direction can answer.
    pub(crate) fn is_pending(&self, id: u64) -> bool {
        let asker = self.here.direction.reverse();
        self.entries.position(Some(id), |e| e.is_waiting() && e.asker == asker).is_some()
    }

    fn open_index(&self, kind: Kind, id: u64) -> Option<usize> {
        let direction = self.here.direction;
        let asker = if kind == Kind::Response { direction.reverse() } else { direction };
        self.entries.open_index(kind, asker, self.key(id))
    }

    /// What entries are looked for by.
    fn key(&self, id: u64) -> Option<u64> {
        (self.order == Order::ById).then_some(id)
    }

    fn answered_by(&mut self, asker: Direction, id: u64, first: Timestamp) -> Option<usize> {
        if self.order == Order::ById {
            return self.entries.position(Some(id), |e| e.is_waiting() && e.asker == asker);
        }
        if self.owed > 0 {
            self.owed -= 1;
            return None;
        }
        let index = self.entries.position(None, |e| e.is_waiting() && e.asker == asker)?;
        (!self.entries[index].is_after(first)).then_some(index)
    }

    /// Whether what this direction says at `start` was said before the request that waits the longest: it answers something that was
    /// not seen.
    pub(crate) fn precedes_request(&self, start: StartMark) -> bool {
        let asker = self.here.direction.reverse();
        let oldest = self.entries.iter().find(|e| e.is_waiting() && e.asker == asker);
        oldest.is_some_and(|entry| entry.is_after(start.first))
    }

    fn add(&mut self, asker: Direction, kind: Kind, id: u64, offset: u64) -> usize {
        // The answer to a request that went must not make another one go: it would be followed by its answer, and so on.
        let answers = self.order == Order::InOrder && kind == Kind::Response;
        let limit = match self.order {
            Order::InOrder => self.limit.saturating_mul(PIPELINE) + usize::from(answers),
            Order::ById => self.limit,
        };
        while self.entries.len() >= limit || self.entries.held() > HELD && !answers {
            self.counts.evicted += 1;
            self.give_up_on(0, Unanswered::Displaced);
        }
        let mut entry = match self.spare.0.pop() {
            Some(mut entry) => {
                entry.reset(self.protocol);
                entry
            }
            None => Box::new(Entry::new(self.protocol)),
        };
        entry.id = id;
        entry.asker = asker;
        let here = &self.here;
        entry.before = if offset < here.fresh_from { here.trouble_first } else { here.trouble };
        self.entries.push(entry, self.order == Order::ById)
    }

    /// Requests that wait for a response.
    pub(crate) fn pending(&self) -> usize {
        self.entries.iter().filter(|entry| entry.is_waiting()).count()
    }

    /// Whether a request waits for a response.
    pub(crate) fn awaits(&self) -> bool {
        self.entries.iter().any(Entry::is_waiting)
    }

    /// Memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let done = self.done.capacity() * size_of::<Box<Entry>>();
        let entries = self.entries.bytes() + self.done.iter().map(|entry| entry.bytes()).sum::<usize>();
        let lines: usize = Direction::BOTH.iter().map(|&d| self.timelines[d].bytes()).sum();
        entries + done + lines + self.handed_on.bytes() + self.spare.bytes()
    }

    /// Entries that nothing is added to any more, oldest first.
    pub(crate) fn take_done(&mut self) -> Option<Box<Entry>> {
        self.done.pop_front()
    }

    /// Gives back the memory of an entry.
    pub(crate) fn recycle(&mut self, entry: Box<Entry>) {
        self.spare.keep(entry);
    }

    /// Lends it the entries for reuse, or takes them back.
    pub(crate) fn swap_spare(&mut self, spare: &mut Spare) {
        std::mem::swap(&mut self.spare, spare);
    }
}
