//! The state machine of one HTTP/1 connection: heads (`start`), bodies, and resynchronisation after
//! lost bytes (`seek`).

mod call;
mod content;
mod head_cache;
mod seek;
mod start;

use wire::{Direction, PerDirection};

use call::Call;
use head_cache::HeadCache;

use super::body::chunk_size;
use super::lines::{Lines, leading_ends, line};
use super::message_head::{Head, open_response};
use super::probe;
use super::start_line::StartLine;
use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::step::{Step, malformed, need, skip};

/// What the next bytes of one direction are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Before a start line.
    #[default]
    Start,
    /// The parser looks for a start line after a loss. So many bytes were passed over.
    Seek(u64),
    /// Inside a body, or a chunk of it, that is read: a gRPC-Web call's.
    Content { left: u64, chunked: bool },
    /// Behind a body of known length.
    BodyEnd,
    /// The line with the size of a chunk (RFC 9112 section 7.1).
    ChunkSize,
    /// The line end behind a chunk's data.
    ChunkEnd,
    /// The trailer section (RFC 9112 section 7.1.2).
    Trailer,
    /// A body that ends with the connection.
    UntilClose,
    /// Behind a CONNECT request: the response decides what follows.
    Wait,
}

#[derive(Debug, Default)]
struct Side {
    phase: Phase,
    /// Bytes of the head in whole lines, already searched for its end.
    searched: usize,
    /// Bytes of the head already searched for the end of a line.
    looked_at: usize,
    /// Size of the open message's body so far.
    body: u64,
    /// A message was found in this direction: resynchronisation from now on means lost bytes, not a
    /// capture that began late.
    any_message: bool,
    /// gRPC-Web call of the open message.
    call: Option<Box<Call>>,
}

#[derive(Debug, Default)]
pub(super) struct HttpParser {
    sides: PerDirection<Side>,
    /// Allocated with the second head of a direction.
    head_caches: PerDirection<Option<Box<HeadCache>>>,
}

impl HttpParser {
    fn kind(direction: Direction) -> Kind {
        match direction {
            Direction::ToServer => Kind::Request,
            Direction::ToClient => Kind::Response,
        }
    }

    fn step(&mut self, direction: Direction, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        let side = &mut self.sides[direction];
        match side.phase {
            Phase::Start => self.start(direction, rest, at, out),
            Phase::Seek(passed) => self.seek(direction, rest, at, passed),
            Phase::Content { left, chunked } => self.content(direction, (left, chunked), bytes, at),
            Phase::BodyEnd => {
                self.close(direction, at, out);
                Step::Go(at)
            }
            Phase::ChunkSize => {
                let Some((first, used)) = line(rest) else { return need(at, 1) };
                let Some(size) = chunk_size(first) else { return malformed(at) };
                side.body += size;
                if size > 0 && side.reads_body() {
                    side.phase = Phase::Content { left: size, chunked: true };
                    return Step::Go(at + used);
                }
                side.phase = if size == 0 { Phase::Trailer } else { Phase::ChunkEnd };
                skip(at + used, size, bytes.len())
            }
            Phase::ChunkEnd => match rest {
                [b'\r', b'\n', ..] => self.next_chunk(direction, at + 2),
                [b'\n', ..] => self.next_chunk(direction, at + 1),
                [] | [b'\r'] => need(at, 1),
                _ => malformed(at),
            },
            Phase::Trailer => {
                let Some((field, used)) = line(rest) else { return need(at, 1) };
                if field.is_empty() {
                    self.close(direction, at + used, out);
                }
                Step::Go(at + used)
            }
            Phase::UntilClose => {
                let next = out.next_tag().is_some() && probe::response(rest) == Probe::Yes;
                if next && at == 0 {
                    self.close(direction, at, out);
                    return Step::Go(at);
                }
                side.body += rest.len() as u64;
                self.content_until_close(direction, rest);
                Step::Go(bytes.len())
            }
            Phase::Wait => need(at, 1),
        }
    }

    fn next_chunk(&mut self, direction: Direction, at: usize) -> Step {
        self.sides[direction].phase = Phase::ChunkSize;
        Step::Go(at)
    }

    /// The open message ends before `at`.
    fn close(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        let side = &mut self.sides[direction];
        side.phase = Phase::Start;
        let size = std::mem::take(&mut side.body);
        let call = side.call.take();
        let kind = Self::kind(direction);
        if size > 0
            && let Some(entry) = out.current(kind, 0)
        {
            let key = match kind {
                Kind::Response => "http.response.body.size",
                _ => "http.request.body.size",
            };
            entry.exchange.attributes.push_int(key, i64::try_from(size).unwrap_or(i64::MAX));
        }
        if let Some(call) = call {
            call.finish(kind, out);
        }
        out.close(kind, 0, at);
    }
}

impl Parser for HttpParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            // These two phases have work to do without bytes.
            let steps_without_bytes =
                matches!(self.sides[direction].phase, Phase::BodyEnd | Phase::Content { .. });
            if at == bytes.len() && !steps_without_bytes {
                return Progress::Consumed(at);
            }
            match self.step(direction, bytes, at, out) {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    // Messages stay open: the call of `gap` that follows ends them.
    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if self.sides[direction].phase != Phase::Start {
            return;
        }
        let at = leading_ends(bytes);
        let bytes = &bytes[at..];
        let Some((first, _)) = line(bytes) else { return };
        let mut lines = Lines::new();
        // The head is not whole, or `read` would have consumed it.
        let _ = lines.find(bytes);
        let head = Head { at, bytes, lines: &lines };
        match (direction, StartLine::request(first), StartLine::status(first)) {
            (Direction::ToServer, Some(StartLine::Request { method, target, minor }), _) => {
                head.open_request(method, target, minor, out);
            }
            (Direction::ToClient, _, Some(StartLine::Status { code, minor })) if code >= 200 => {
                head.read_response_fields(code, minor, open_response(code, minor, at, out));
            }
            _ => {}
        }
    }

    fn gap(&mut self, direction: Direction, len: u64, out: &mut Messages) -> Result<(), Reason> {
        let side = &mut self.sides[direction];
        if side.phase == Phase::UntilClose {
            side.body += len;
            if let Some(call) = &mut side.call {
                call.on_gap();
            }
            return Ok(());
        }
        side.phase = Phase::Seek(0);
        (side.searched, side.looked_at) = (0, 0);
        side.body = 0;
        side.call = None;
        if side.any_message || len > 0 {
            out.mark_loss();
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of_val(self)
            + Direction::BOTH
                .iter()
                .map(|&d| {
                    let call = self.sides[d].call.as_ref().map_or(0, |call| call.bytes());
                    call + self.head_caches[d].as_ref().map_or(0, |cache| cache.bytes())
                })
                .sum::<usize>()
    }

    fn end(&mut self, direction: Direction, out: &mut Messages) {
        if self.sides[direction].phase == Phase::UntilClose {
            self.close(direction, 0, out);
        }
    }
}
