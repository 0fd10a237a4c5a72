use wire::Direction;

use super::Live;
use crate::contract::{Probe, Progress, Reason};
use crate::input::Context;

impl Live {
    pub(super) fn take(&mut self, cx: &Context, direction: Direction, bytes: &[u8]) {
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
                stream.trouble = cx.health.troubles;
            }
        }
        self.bound(cx, direction);
    }

    fn keep(&mut self, cx: &Context, direction: Direction, rest: &[u8]) {
        if !rest.is_empty() && !self.opaque {
            let stream = &mut self.streams[direction];
            stream.pending.extend_from_slice(rest);
            stream.trouble = cx.health.troubles;
        }
    }

    fn bound(&mut self, cx: &Context, direction: Direction) {
        let stream = &mut self.streams[direction];
        if stream.pending.len() <= self.limits.head_bytes as usize {
            return;
        }
        let dropped = stream.pending.len();
        stream.start += dropped as u64;
        stream.pending.clear();
        stream.wanted = 0;
        self.heads_dropped += 1;
        if self.parser.is_none() {
            return self.not_recognised(dropped);
        }
        self.resynchronise(cx, direction, 0);
    }

    /// Shows bytes to the parser until it has enough; returns how many are dealt with.
    pub(super) fn feed(
        &mut self,
        cx: &Context,
        direction: Direction,
        bytes: &[u8],
        fresh_from: u64,
    ) -> usize {
        let mut used = 0;
        self.streams[direction].wanted = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if self.opaque {
                return bytes.len();
            }
            if self.parser.is_none() {
                match self.infer(cx, direction, rest) {
                    // What the other side said before can be told by what this one says now. It goes first.
                    Probe::Yes
                        if fresh_from < self.streams[direction].start + rest.len() as u64
                            && !self.streams[direction.reverse()].pending.is_empty() =>
                    {
                        self.untold = Some(direction.reverse());
                        return used;
                    }
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
}
