use wire::{Direction, PerDirection, Timestamp, Transport};

use super::messages::{Counts, Here, Messages};
use super::protocol::{Clue, Parser, Probe, Progress, Reason};
use super::registry::REGISTRY;
use super::{Context, End, Limits};
use crate::fact::{Fact, L7Summary, Protocol, Sink, Table, TcpTrouble};

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
    trouble: TcpTrouble,
}

/// How often kept bytes are looked at again because the protocol changed, in one go.
const LOOKS: usize = 4;

/// A conversation of which bytes were seen.
#[derive(Debug)]
pub(super) struct Live {
    limits: Limits,
    streams: PerDirection<Stream>,
    parser: Option<Box<dyn Parser>>,
    protocol: Option<Protocol>,
    /// Index in the registry of the parser's protocol.
    chosen: usize,
    /// The asking side sends what the flow calls `ToClient`.
    flipped: bool,
    /// Bit n: protocol n of the registry was guessed, and wrongly.
    excluded: u32,
    failures: u32,
    undecided: u64,
    opaque: bool,
    /// The parser changed: what the other direction kept has to be looked at again.
    look_again: bool,
    messages: Messages,
    heads_dropped: u64,
}

impl Live {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            streams: PerDirection::default(),
            parser: None,
            protocol: None,
            chosen: 0,
            flipped: false,
            excluded: 0,
            failures: 0,
            undecided: 0,
            opaque: false,
            look_again: false,
            messages: Messages::new(limits.pending_requests as usize),
            heads_dropped: 0,
        }
    }

    pub(super) fn is_opaque(&self) -> bool {
        self.opaque
    }

    pub(super) fn reversed(&self) -> bool {
        self.messages.first_asker == Some(Direction::ToClient)
    }

    pub(super) fn summary(&self) -> Option<L7Summary> {
        let Counts { requests, responses, errors, .. } = self.messages.counts;
        self.protocol.filter(|_| requests + responses > 0).map(|protocol| L7Summary {
            protocol,
            requests,
            responses,
            errors,
        })
    }

    /// The next bytes of a direction.
    pub(super) fn data(
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

    fn take(&mut self, cx: &Context, direction: Direction, bytes: &[u8]) {
        let stream = &mut self.streams[direction];
        let skipped = stream.skip.min(bytes.len() as u64);
        stream.skip -= skipped;
        stream.start += skipped;
        if stream.skip > 0 {
            return;
        }
        let bytes = &bytes[skipped as usize..];
        if stream.pending.is_empty() {
            let fresh_from = stream.start;
            let used = self.feed(cx, direction, bytes, fresh_from);
            self.keep(cx, direction, bytes.get(used..).unwrap_or_default());
        } else {
            let fresh_from = stream.start + stream.pending.len() as u64;
            stream.pending.extend_from_slice(bytes);
            if stream.pending.len() < stream.wanted {
                return;
            }
            let mut pending = std::mem::take(&mut stream.pending);
            let used = self.feed(cx, direction, &pending, fresh_from);
            pending.drain(..used.min(pending.len()));
            let stream = &mut self.streams[direction];
            if !self.opaque {
                stream.pending = pending;
            }
            if used > 0 {
                stream.trouble = cx.trouble;
            }
        }
        self.bound(cx, direction);
    }

    fn keep(&mut self, cx: &Context, direction: Direction, rest: &[u8]) {
        if !rest.is_empty() && !self.opaque {
            let stream = &mut self.streams[direction];
            stream.pending.extend_from_slice(rest);
            stream.trouble = cx.trouble;
        }
    }

    fn bound(&mut self, cx: &Context, direction: Direction) {
        let stream = &mut self.streams[direction];
        if stream.pending.len() <= self.limits.head_bytes as usize {
            return;
        }
        self.heads_dropped += 1;
        stream.start += stream.pending.len() as u64;
        stream.pending.clear();
        stream.wanted = 0;
        self.resynchronise(cx, direction, 0);
    }

    /// Shows bytes to the parser until it has enough; returns how many are dealt with.
    fn feed(&mut self, cx: &Context, direction: Direction, bytes: &[u8], fresh_from: u64) -> usize {
        let mut used = 0;
        self.streams[direction].wanted = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if self.opaque {
                return bytes.len();
            }
            if self.parser.is_none() {
                match self.infer(cx, direction, rest) {
                    Probe::Yes => {}
                    Probe::More => return used,
                    Probe::No => {
                        self.streams[direction].start += rest.len() as u64;
                        self.not_recognised(rest.len());
                        return bytes.len();
                    }
                }
            }
            self.stand(cx, direction, fresh_from);
            let Some(parser) = &mut self.parser else { return used };
            let side = if self.flipped { direction.reverse() } else { direction };
            let progress = parser.read(side, rest, &mut self.messages);
            let stream = &mut self.streams[direction];
            match progress {
                Progress::Consumed(n) => {
                    let n = n.min(rest.len());
                    used += n;
                    stream.start += n as u64;
                    if n == 0 || used == bytes.len() {
                        return used;
                    }
                }
                Progress::Need { consumed, more } => {
                    let n = consumed.min(rest.len());
                    used += n;
                    stream.start += n as u64;
                    stream.wanted = rest.len() - n + more;
                    return used;
                }
                Progress::Skip { consumed, body } => {
                    let n = consumed.min(rest.len());
                    let skipped = body.min((rest.len() - n) as u64);
                    used += n + skipped as usize;
                    stream.start += n as u64 + skipped;
                    stream.skip = body - skipped;
                    if stream.skip > 0 {
                        return used;
                    }
                }
                Progress::GiveUp { consumed, reason } => {
                    let n = consumed.min(rest.len());
                    used += n;
                    stream.start += n as u64;
                    self.give_up(cx, direction, reason, 0);
                    if reason == Reason::Switched {
                        return used;
                    }
                }
            }
        }
    }

    fn stand(&mut self, cx: &Context, direction: Direction, fresh_from: u64) {
        let stream = &self.streams[direction];
        self.messages.here = Here {
            direction,
            offset: stream.start,
            base: (cx.transport == Transport::Tcp).then_some(cx.base[direction]),
            trouble_first: stream.trouble,
            fresh_from,
            trouble: cx.trouble,
        };
    }

    fn infer(&mut self, cx: &Context, direction: Direction, bytes: &[u8]) -> Probe {
        if bytes.is_empty() {
            return Probe::More;
        }
        for flipped in [false, true] {
            let (client, server) = if flipped { (cx.server, cx.client) } else { (cx.client, cx.server) };
            let clue = Clue { transport: cx.transport, client_port: client.port, server_port: server.port };
            let side = if flipped { direction.reverse() } else { direction };
            let mut answer = Probe::No;
            for usual in [true, false] {
                for (index, entry) in REGISTRY.iter().enumerate() {
                    let tried = self.excluded >> index & 1 == 1 || !entry.on(cx.transport);
                    if tried || entry.usual_port(&clue) != usual {
                        continue;
                    }
                    match (entry.probe)(bytes, side, &clue) {
                        Probe::Yes => {
                            self.choose(index, &clue, flipped);
                            return Probe::Yes;
                        }
                        Probe::More => answer = Probe::More,
                        Probe::No => {}
                    }
                }
            }
            if answer == Probe::More {
                return answer;
            }
        }
        Probe::No
    }

    fn choose(&mut self, index: usize, clue: &Clue, flipped: bool) {
        let entry = &REGISTRY[index];
        self.parser = Some((entry.parser)(clue));
        self.protocol = Some(entry.name);
        self.chosen = index;
        self.flipped = flipped;
        self.messages.order = entry.order;
        self.look_again = true;
    }

    fn not_recognised(&mut self, bytes: usize) {
        self.undecided += bytes as u64;
        if self.undecided > u64::from(self.limits.undecided_bytes) {
            self.close_eyes();
        }
    }

    fn give_up(&mut self, cx: &Context, direction: Direction, reason: Reason, len: u64) {
        match reason {
            Reason::Opaque => self.close_eyes(),
            Reason::Switched => {
                self.messages.finish(false);
                self.parser = None;
                self.excluded = 0;
                self.look_again = true;
            }
            Reason::Malformed => {
                self.failures += 1;
                if self.failures > self.limits.failures {
                    self.close_eyes();
                } else if self.messages.counts.requests + self.messages.counts.responses == 0 {
                    self.excluded |= 1 << self.chosen;
                    self.parser = None;
                    self.protocol = None;
                    self.look_again = true;
                } else {
                    self.resynchronise(cx, direction, len);
                }
            }
        }
    }

    fn resynchronise(&mut self, cx: &Context, direction: Direction, len: u64) {
        self.stand(cx, direction, 0);
        let Some(parser) = &mut self.parser else { return };
        let side = if self.flipped { direction.reverse() } else { direction };
        match parser.gap(side, len, &mut self.messages) {
            Ok(()) => {}
            Err(Reason::Switched) => self.parser = None,
            Err(Reason::Opaque | Reason::Malformed) => self.close_eyes(),
        }
    }

    fn close_eyes(&mut self) {
        self.opaque = true;
        self.messages.finish(false);
        self.parser = None;
        for direction in Direction::BOTH {
            self.streams[direction] = Stream::default();
        }
    }

    /// Bytes of a direction will never come. `cut`: they passed, and the snap length cut them off.
    pub(super) fn gap(
        &mut self,
        cx: &Context,
        direction: Direction,
        offset: u64,
        len: u64,
        time: Timestamp,
        cut: bool,
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
        let end = offset.saturating_add(len);
        if end <= expected {
            return;
        }
        self.messages.timelines[direction].mark(expected, end, time);
        let missing = end - expected;
        if !cut {
            self.messages.tear(direction);
        }
        self.messages.cut = cut;
        let skipped = stream.skip.min(missing);
        stream.skip -= skipped;
        stream.start += skipped;
        if skipped > 0 && stream.skip == 0 {
            let fresh_from = stream.start;
            self.feed(cx, direction, &[], fresh_from);
        }
        if missing > skipped && !self.opaque {
            self.resynchronise_after(cx, direction, missing - skipped);
        }
        self.messages.cut = false;
    }

    fn resynchronise_after(&mut self, cx: &Context, direction: Direction, len: u64) {
        self.stand(cx, direction, 0);
        let stream = &mut self.streams[direction];
        if let Some(parser) = self.parser.as_mut().filter(|_| !stream.pending.is_empty()) {
            let side = if self.flipped { direction.reverse() } else { direction };
            parser.cut(side, &stream.pending, &mut self.messages);
        }
        stream.start += stream.pending.len() as u64;
        stream.pending.clear();
        stream.wanted = 0;
        self.resynchronise(cx, direction, len);
        let stream = &mut self.streams[direction];
        stream.start = self.messages.timelines[direction].end();
    }

    /// One UDP datagram.
    pub(super) fn datagram(&mut self, cx: &Context, direction: Direction, time: Timestamp, bytes: &[u8]) {
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

    pub(super) fn end(&mut self, cx: &Context, end: End) {
        match end {
            End::Fin(direction) => {
                self.stand(cx, direction, 0);
                if let Some(parser) = &mut self.parser {
                    let side = if self.flipped { direction.reverse() } else { direction };
                    parser.end(side, &mut self.messages);
                }
            }
            End::Reset | End::Over => {
                self.stand(cx, Direction::ToServer, 0);
                self.messages.finish(end == End::Reset);
            }
        }
    }

    pub(super) fn tick(&mut self, cx: &Context, now: Timestamp) {
        self.messages.here.trouble = cx.trouble;
        let wait = match cx.transport {
            Transport::Tcp => self.limits.stream_wait,
            Transport::Udp => self.limits.datagram_wait,
        };
        self.messages.expire(now, wait);
    }

    /// Hands over what is finished.
    pub(super) fn drain<S: Sink>(&mut self, cx: &Context, sink: &mut S) {
        while let Some(mut entry) = self.messages.take_done() {
            entry.place(cx);
            sink.emit(Fact::Exchange(&entry.exchange));
            self.messages.recycle(entry);
        }
        let evicted = std::mem::take(&mut self.messages.counts.evicted);
        if evicted > 0 {
            sink.emit(Fact::Evicted { table: Table::PendingRequests, entries: evicted });
        }
        let heads = std::mem::take(&mut self.heads_dropped);
        if heads > 0 {
            sink.emit(Fact::Evicted { table: Table::MessageHeads, entries: heads });
        }
    }
}
