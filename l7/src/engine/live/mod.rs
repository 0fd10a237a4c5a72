//! A conversation of which bytes were seen: what waits to be read, which parser reads it, and what is done where bytes are missing.

mod feed;
mod gap;
mod infer;
mod news;

use wire::{Direction, PerDirection, Timestamp, Transport};

use crate::contract::{Parser, Probe, Progress};
use crate::correlate::{Counts, Here, Messages, Spare};
use crate::input::TroubleCounts;
use crate::input::{Context, End};
use crate::limits::RequestLimits;
use fact::{Fact, L7Summary, Protocol, Sink, Table, Unanswered};
use news::News;

/// What is kept of one direction.
#[derive(Debug, Default)]
struct Stream {
    /// Offset of the first byte that is not dealt with.
    start: u64,
    begun: bool,
    /// Bytes from `start` on that wait for more.
    pending: Vec<u8>,
    /// How many have to wait before it is worth looking again.
    wanted: usize,
    /// Bytes that need not be looked at.
    skip: u64,
    /// Totals of the flow when the first of `pending` came.
    trouble: TroubleCounts,
}

/// Whether it is certain what is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    None,
    Fresh,
    Told,
}

/// Bytes of each direction that a conversation keeps room for when it is reused.
const KEPT: usize = 4096;
/// How often kept bytes are looked at again because the protocol changed, in one go.
const LOOKS: usize = 4;

/// A conversation of which bytes were seen.
#[derive(Debug)]
pub(crate) struct Live {
    limits: RequestLimits,
    streams: PerDirection<Stream>,
    parser: Option<Box<dyn Parser>>,
    protocol: Option<Protocol>,
    /// Index in the registry of what each end spoke before, as the server: the one that the direction leads to.
    pub(crate) hints: PerDirection<Option<u8>>,
    /// An exchange was whole: this is what the server speaks. Once told it is not told again.
    proof: Proof,
    /// Index in the registry of the parser's protocol.
    chosen: usize,
    /// The protocol was told by the other side: this one may have begun in the middle of a message.
    untold: Option<Direction>,
    /// The parser's protocol says nothing about who asks.
    either_asks: bool,
    /// The asking side sends what the flow calls `ToClient`.
    flipped: bool,
    /// Bit n: protocol n of the registry was guessed, and wrongly.
    excluded: u64,
    failures: u32,
    undecided: u64,
    opaque: bool,
    /// The parser said so: its protocol is the one, also if no message of it could be read.
    sealed: bool,
    /// The parser changed: what the other direction kept has to be looked at again.
    look_again: bool,
    messages: Messages,
    heads_dropped: u64,
    news: News,
}

impl Live {
    pub(crate) fn new(limits: RequestLimits) -> Self {
        Self {
            limits,
            streams: PerDirection::default(),
            parser: None,
            protocol: None,
            hints: PerDirection::default(),
            proof: Proof::None,
            chosen: 0,
            untold: None,
            either_asks: false,
            flipped: false,
            excluded: 0,
            failures: 0,
            undecided: 0,
            opaque: false,
            sealed: false,
            look_again: false,
            messages: Messages::new(limits.pending as usize),
            heads_dropped: 0,
            news: News::default(),
        }
    }

    /// Makes it as new, and keeps the memory of its lists.
    pub(crate) fn reset(&mut self) {
        let Self {
            limits: _,
            streams,
            parser,
            protocol,
            hints,
            proof,
            chosen,
            untold,
            either_asks,
            flipped,
            excluded,
            failures,
            undecided,
            opaque,
            sealed,
            look_again,
            messages,
            heads_dropped,
            news,
        } = self;
        for direction in Direction::BOTH {
            let mut pending = std::mem::take(&mut streams[direction].pending);
            pending.clear();
            pending.shrink_to(KEPT);
            streams[direction] = Stream { pending, ..Stream::default() };
        }
        messages.reset();
        (*parser, *protocol, *chosen, *either_asks, *flipped, *excluded) = (None, None, 0, false, false, 0);
        (*hints, *proof, *untold) = (PerDirection::default(), Proof::None, None);
        (*failures, *undecided, *opaque, *sealed, *look_again) = (0, 0, false, false, false);
        (*heads_dropped, *news) = (0, News::default());
    }

    /// Lends it the entries for reuse, or takes them back.
    pub(crate) fn swap_spare(&mut self, spare: &mut Spare) {
        self.messages.swap_spare(spare);
    }

    pub(crate) fn is_opaque(&self) -> bool {
        self.opaque
    }

    pub(crate) fn reversed(&self) -> bool {
        let asked = self.messages.first_asker;
        if self.either_asks { asked == Some(Direction::ToClient) } else { self.flipped && asked.is_some() }
    }

    pub(crate) fn summary(&self) -> Option<L7Summary> {
        let Counts { requests, responses, errors, quietly, .. } = self.messages.counts;
        self.protocol
            .filter(|_| requests + responses > 0 || quietly || self.sealed)
            .map(|protocol| L7Summary { protocol, requests, responses, errors })
    }

    pub(crate) fn has_proof(&self) -> bool {
        self.proof == Proof::Fresh
    }

    /// The direction that leads to the server, and what it speaks, the first time that this is certain.
    pub(crate) fn take_proof(&mut self) -> Option<(Direction, u8)> {
        if self.proof != Proof::Fresh {
            return None;
        }
        self.proof = Proof::Told;
        let to_server = if self.flipped { Direction::ToClient } else { Direction::ToServer };
        u8::try_from(self.chosen).ok().map(|protocol| (to_server, protocol))
    }

    /// Requests that wait for a response.
    pub(crate) fn pending(&self) -> usize {
        self.messages.pending()
    }

    /// Whether a request waits for a response.
    pub(crate) fn awaits(&self) -> bool {
        self.messages.awaits()
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let streams: usize = Direction::BOTH.iter().map(|&d| self.streams[d].pending.capacity()).sum();
        let parser = self.parser.as_ref().map_or(0, |parser| parser.bytes());
        size_of::<Self>() + streams + parser + self.messages.bytes()
    }

    /// The next bytes of a direction.
    pub(crate) fn data(
        &mut self,
        cx: &Context,
        direction: Direction,
        offset: u64,
        time: Timestamp,
        bytes: &[u8],
    ) {
        if self.opaque {
            return;
        }
        let stream = &mut self.streams[direction];
        if !stream.begun {
            stream.begun = true;
            stream.start = offset;
        }
        let expected = stream.start + stream.pending.len() as u64;
        if offset > expected {
            self.gap(cx, direction, expected, offset - expected, time, false);
        }
        let seen = expected.saturating_sub(offset).min(bytes.len() as u64) as usize;
        let bytes = &bytes[seen..];
        if bytes.is_empty() || self.opaque {
            return;
        }
        let offset = offset + seen as u64;
        self.messages.timelines[direction].mark(offset, offset + bytes.len() as u64, time);
        self.take(cx, direction, bytes);
        for _ in 0..LOOKS {
            if !std::mem::take(&mut self.look_again) {
                break;
            }
            for side in [direction.reverse(), direction] {
                self.streams[side].wanted = 0;
                self.take(cx, side, &[]);
            }
        }
        self.messages.timelines[direction].forget(self.streams[direction].start);
    }

    fn stand(&mut self, cx: &Context, direction: Direction, fresh_from: u64) {
        let stream = &self.streams[direction];
        self.messages.skipped[direction] = None;
        self.messages.here = Here {
            direction,
            offset: stream.start,
            base: (cx.transport == Transport::Tcp).then_some(cx.base[direction]),
            trouble_first: stream.trouble,
            fresh_from,
            trouble: cx.health.troubles,
        };
    }

    /// One UDP datagram.
    pub(crate) fn datagram(&mut self, cx: &Context, direction: Direction, time: Timestamp, bytes: &[u8]) {
        if self.opaque || bytes.is_empty() {
            return;
        }
        let stream = &mut self.streams[direction];
        let offset = stream.start;
        stream.start += bytes.len() as u64;
        let line = &mut self.messages.timelines[direction];
        line.mark(offset, offset + bytes.len() as u64, time);
        line.forget(offset);
        if self.parser.is_none() && self.infer(cx, direction, bytes) != Probe::Yes {
            self.not_recognised(bytes.len());
            return;
        }
        self.stand(cx, direction, offset);
        self.messages.here.offset = offset;
        let Some(parser) = &mut self.parser else { return };
        let side = if self.flipped { direction.reverse() } else { direction };
        if let Progress::GiveUp { reason, .. } = parser.read(side, bytes, &mut self.messages) {
            self.give_up(cx, direction, reason, 0);
        }
    }

    pub(crate) fn end(&mut self, cx: &Context, end: End) {
        match end {
            End::Fin(direction) => {
                self.messages.ended[direction] = true;
                self.stand(cx, direction, 0);
                if let Some(parser) = &mut self.parser {
                    let side = if self.flipped { direction.reverse() } else { direction };
                    parser.end(side, &mut self.messages);
                }
            }
            End::Over(why) => {
                let asking = if self.flipped { Direction::ToClient } else { Direction::ToServer };
                self.stand(cx, asking, 0);
                if let Some(parser) = self.parser.as_mut().filter(|_| why != Unanswered::Reset) {
                    parser.finish(why, &mut self.messages);
                }
                self.messages.finish(why);
            }
        }
    }

    pub(crate) fn tick(&mut self, cx: &Context, now: Timestamp) {
        self.messages.here.trouble = cx.health.troubles;
        let wait = match cx.transport {
            Transport::Tcp => self.limits.stream_wait,
            Transport::Udp => self.limits.datagram_wait,
        };
        self.messages.expire(now, wait);
    }

    /// Hands over what is finished.
    pub(crate) fn drain<S: Sink>(&mut self, cx: &Context, sink: &mut S) {
        while let Some(mut entry) = self.messages.take_done() {
            entry.place(cx);
            if self.proof == Proof::None
                && entry.exchange.request.is_some()
                && entry.exchange.response.is_some()
            {
                self.proof = Proof::Fresh;
            }
            sink.emit(Fact::Exchange(&entry.exchange));
            self.messages.recycle(entry);
        }
        let evicted = std::mem::take(&mut self.messages.counts.evicted);
        if evicted > 0 {
            sink.emit(Fact::Evicted { table: Table::PendingRequests, entries: evicted });
        }
        self.news.tell(cx.tap, sink);
        let heads = std::mem::take(&mut self.heads_dropped);
        if heads > 0 {
            sink.emit(Fact::Evicted { table: Table::MessageHeads, entries: heads });
        }
    }
}
