//! Bytes that came: shown to the parser, kept where it wants more.

use wire::{Direction, Timestamp};

use super::Session;
use crate::contract::{Progress, Reason};
use crate::correlate::{EntryPool, Messages, Position};
use crate::engine::inference::Inferred;
use crate::engine::stream_buffer::Gap;
use crate::input::Context;
use crate::preamble::PreambleStep;

/// Where reading goes on behind the preamble.
enum AfterPreamble {
    /// So many bytes farther.
    At(usize),
    /// Behind all of these bytes, and behind others that come.
    Skipping,
    /// Where it stands, when more is known.
    Wait,
}

/// Bytes up to which inference looks again at all that wait whenever more comes.
const PROBED_OFTEN: usize = 4096;

/// How many bytes have to wait before inference looks at them again, when so many were too few: a
/// sixteenth more of many, so that a long beginning in small pieces is not searched for each.
fn wanted_to_probe(waiting: usize) -> usize {
    if waiting < PROBED_OFTEN { 0 } else { waiting + waiting / 16 }
}

/// How often bytes that wait are read again because the parser changed, in one call.
const REREADS: usize = 4;

impl Session {
    /// Takes the next bytes of a direction of a stream.
    pub(crate) fn data(
        &mut self,
        cx: &Context,
        direction: Direction,
        offset: u64,
        time: Timestamp,
        bytes: &[u8],
        pool: &mut EntryPool,
    ) {
        if self.reader.is_opaque() {
            return;
        }
        self.correlator.set_now(time);
        let expected = self.buffers[direction].expected(offset);
        if offset > expected {
            let gap = Gap { offset: expected, len: offset - expected, time, snapped: false };
            self.gap(cx, direction, gap, pool);
        }
        let seen = expected.saturating_sub(offset).min(bytes.len() as u64) as usize;
        let bytes = &bytes[seen..];
        if bytes.is_empty() || self.reader.is_opaque() {
            return;
        }
        let offset = offset + seen as u64;
        let end = offset + bytes.len() as u64;
        self.correlator.timelines[direction].mark(offset, end, time);
        self.take(cx, direction, bytes, pool);
        for _ in 0..REREADS {
            if !std::mem::take(&mut self.inference.reread) {
                break;
            }
            for side in [direction.reverse(), direction] {
                self.buffers[side].wanted = 0;
                self.take(cx, side, &[], pool);
            }
        }
        // The time of the byte before a message tells what passed between them.
        let start = self.buffers[direction].start;
        self.correlator.timelines[direction].forget(start.saturating_sub(1));
    }

    /// Takes a datagram.
    pub(crate) fn datagram(
        &mut self,
        cx: &Context,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        pool: &mut EntryPool,
    ) {
        if self.reader.is_opaque() || bytes.is_empty() {
            return;
        }
        self.correlator.set_now(time);
        let offset = self.buffers[direction].start;
        self.buffers[direction].start += bytes.len() as u64;
        let timeline = &mut self.correlator.timelines[direction];
        timeline.mark(offset, offset + bytes.len() as u64, time);
        timeline.forget(offset);
        if self.reader.is_undecided() {
            let literals = self.limits.literals;
            match self.inference.probe(cx, literals, direction, (offset, bytes), true) {
                Inferred::Yes(recognised) => self.choose(cx, recognised),
                Inferred::More | Inferred::No => {
                    return self.not_recognised(cx, bytes.len(), pool);
                }
            }
        }
        let side = self.reader.side(direction);
        let Some(parser) = self.reader.parser() else {
            wire::invariant!("a datagram whose protocol is known has a parser");
            return;
        };
        let position = self.buffers[direction].position(cx, direction, offset);
        let position = Position { offset, ..position };
        let mut out = Messages::new(&mut self.correlator, pool, position);
        if let Progress::GiveUp { reason, .. } = parser.read(side, bytes, &mut out) {
            self.on_give_up(cx, direction, reason, pool);
        }
    }

    /// Takes bytes that follow those that wait, of a stream.
    fn take(&mut self, cx: &Context, direction: Direction, bytes: &[u8], pool: &mut EntryPool) {
        let buffer = &mut self.buffers[direction];
        let skipped = buffer.pass_skipped(bytes.len() as u64);
        if buffer.skip > 0 {
            return;
        }
        let bytes = &bytes[skipped as usize..];
        if buffer.pending.is_empty() {
            let fresh_from = buffer.start;
            let used = self.read(cx, direction, bytes, fresh_from, pool);
            self.keep(cx, direction, bytes.get(used..).unwrap_or_default());
        } else {
            let fresh_from = buffer.start + buffer.pending.len() as u64;
            buffer.pending.extend_from_slice(bytes);
            if buffer.pending.len() < buffer.wanted {
                return;
            }
            let mut pending = std::mem::take(&mut buffer.pending);
            let used = self.read(cx, direction, &pending, fresh_from, pool);
            pending.drain(..used.min(pending.len()));
            let buffer = &mut self.buffers[direction];
            if !self.reader.is_opaque() {
                buffer.pending = pending;
            }
            if used > 0 {
                buffer.troubles = cx.health.troubles;
            }
        }
        self.limit_pending(cx, direction, pool);
    }

    /// Keeps what was not consumed of the bytes at hand.
    fn keep(&mut self, cx: &Context, direction: Direction, rest: &[u8]) {
        if !rest.is_empty() && !self.reader.is_opaque() {
            let buffer = &mut self.buffers[direction];
            buffer.pending.extend_from_slice(rest);
            buffer.troubles = cx.health.troubles;
        }
    }

    /// Drops what waits if it is more than a message head may have.
    fn limit_pending(&mut self, cx: &Context, direction: Direction, pool: &mut EntryPool) {
        let buffer = &mut self.buffers[direction];
        if buffer.pending.len() <= self.limits.head_bytes as usize {
            return;
        }
        let dropped = buffer.drop_pending();
        self.counters.heads_dropped += 1;
        if self.reader.is_undecided() {
            return self.not_recognised(cx, dropped, pool);
        }
        self.resynchronise(cx, direction, 0, pool);
    }

    /// Passes over what a proxy put before the protocol.
    fn read_preamble(&mut self, direction: Direction, bytes: &[u8]) -> AfterPreamble {
        if self.preamble.is_over() {
            return AfterPreamble::At(0);
        }
        let told = &mut self.correlator.connection_attributes;
        let (consumed, skip) = match self.preamble.read(direction, bytes, told) {
            PreambleStep::None => return AfterPreamble::At(0),
            PreambleStep::Wait => return AfterPreamble::Wait,
            PreambleStep::Consumed(consumed) => (consumed, 0),
            PreambleStep::Skip { consumed, skip } => (consumed, skip),
            PreambleStep::Release(consumed) => {
                self.inference.reread = true;
                (consumed, 0)
            }
        };
        let buffer = &mut self.buffers[direction];
        let passed = skip.min((bytes.len() - consumed) as u64);
        let consumed = consumed + passed as usize;
        buffer.skip = skip - passed;
        buffer.start += consumed as u64;
        self.inference.begins_at[direction] = buffer.start + buffer.skip;
        if buffer.skip > 0 { AfterPreamble::Skipping } else { AfterPreamble::At(consumed) }
    }

    /// Shows bytes to the parser until it has enough. Returns how many are dealt with.
    pub(super) fn read(
        &mut self,
        cx: &Context,
        direction: Direction,
        bytes: &[u8],
        fresh_from: u64,
        pool: &mut EntryPool,
    ) -> usize {
        let mut used = 0;
        self.buffers[direction].wanted = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if self.reader.is_opaque() {
                return bytes.len();
            }
            if self.reader.is_undecided() {
                match self.read_preamble(direction, rest) {
                    AfterPreamble::At(0) => {}
                    AfterPreamble::At(consumed) => {
                        used += consumed;
                        continue;
                    }
                    AfterPreamble::Skipping => return bytes.len(),
                    AfterPreamble::Wait => return used,
                }
                let literals = self.limits.literals;
                let offset = self.buffers[direction].start;
                let asked = !self.buffers[Direction::ToServer].is_untouched();
                match self.inference.probe(cx, literals, direction, (offset, rest), asked) {
                    Inferred::Yes(recognised) => {
                        self.choose(cx, recognised);
                        let other = direction.reverse();
                        let fresh = fresh_from < self.buffers[direction].start + rest.len() as u64;
                        if fresh && !self.buffers[other].pending.is_empty() {
                            // What the other side sent before is recognised by what this one sends
                            // now. It is read first.
                            self.inference.joined_late = Some(other);
                            return used;
                        }
                    }
                    Inferred::More => {
                        self.buffers[direction].wanted = wanted_to_probe(rest.len());
                        return used;
                    }
                    Inferred::No => {
                        self.buffers[direction].start += rest.len() as u64;
                        self.not_recognised(cx, rest.len(), pool);
                        return bytes.len();
                    }
                }
            }
            let side = self.reader.side(direction);
            let Some(parser) = self.reader.parser() else {
                wire::invariant!("a session whose protocol is known has a parser");
                return used;
            };
            let position = self.buffers[direction].position(cx, direction, fresh_from);
            let mut out = Messages::new(&mut self.correlator, pool, position);
            let progress = parser.read(side, rest, &mut out);
            let buffer = &mut self.buffers[direction];
            // A parser cannot consume more than it was shown.
            let consumed = match progress {
                Progress::Consumed(consumed)
                | Progress::Need { consumed, .. }
                | Progress::Skip { consumed, .. }
                | Progress::GiveUp { consumed, .. } => consumed.min(rest.len()),
            };
            used += consumed;
            buffer.start += consumed as u64;
            match progress {
                Progress::Consumed(_) => {
                    if consumed == 0 || used == bytes.len() {
                        return used;
                    }
                }
                Progress::Need { more, .. } => {
                    buffer.wanted = rest.len() - consumed + more;
                    return used;
                }
                Progress::Skip { body, .. } => {
                    let skipped = body.min((rest.len() - consumed) as u64);
                    used += skipped as usize;
                    buffer.start += skipped;
                    buffer.skip = body - skipped;
                    if buffer.skip > 0 {
                        return used;
                    }
                }
                Progress::GiveUp { reason, .. } => {
                    self.on_give_up(cx, direction, reason, pool);
                    if reason == Reason::Switched {
                        return used;
                    }
                }
            }
        }
    }
}
