mod call;
mod memo;
mod seek;
mod start;

use wire::{Direction, PerDirection};

use call::Call;
use memo::Memo;

use super::body::chunk_size;
use super::head::StartLine;
use super::lines::{Lines, leading_ends, line};
use super::probe;
use super::tell::{Head, status};
use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::{Kind, Messages};

/// Where one direction stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Before a start line.
    #[default]
    Start,
    /// Out of step: looking for a start line; so many bytes were passed over.
    Seek(u64),
    /// Inside a body, or a chunk of it, that is looked at.
    Content {
        left: u64,
        chunked: bool,
    },
    /// Behind a body of known length.
    BodyEnd,
    ChunkSize,
    ChunkEnd,
    Trailer,
    UntilClose,
    /// The other side has to decide first what follows (CONNECT).
    Wait,
}

#[derive(Debug, Default)]
struct Side {
    phase: Phase,
    /// Bytes of the head that were searched for its end already: whole lines.
    searched: usize,
    /// Bytes of it that were looked at, behind those of whole lines without an end of a line.
    looked_at: usize,
    body: u64,
    /// A message was found in this direction: what is out of step from now on was not missed at the beginning.
    begun: bool,
    /// Of the open message.
    call: Option<Box<Call>>,
}

#[derive(Debug, Default)]
pub(super) struct HttpParser {
    sides: PerDirection<Side>,
    /// Nothing before a direction has its second head.
    memos: PerDirection<Option<Box<Memo>>>,
}

/// What to do next.
enum Step {
    Go(usize),
    Stop(Progress),
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
        let need = |more| Step::Stop(Progress::Need { consumed: at, more });
        match side.phase {
            Phase::Start => self.start(direction, rest, at, out),
            Phase::Seek(passed) => self.seek(direction, rest, at, passed),
            Phase::Content { left, chunked } => self.content(direction, (left, chunked), bytes, at),
            Phase::BodyEnd => {
                self.close(direction, at, out);
                Step::Go(at)
            }
            Phase::ChunkSize => {
                let Some((first, used)) = line(rest) else { return need(1) };
                let Some(size) = chunk_size(first) else { return malformed(at) };
                side.body += size;
                if size > 0 && side.is_read() {
                    side.phase = Phase::Content { left: size, chunked: true };
                    return Step::Go(at + used);
                }
                side.phase = if size == 0 { Phase::Trailer } else { Phase::ChunkEnd };
                skip(at + used, size, bytes.len())
            }
            Phase::ChunkEnd => match rest {
                [b'\r', b'\n', ..] => self.next_chunk(direction, at + 2),
                [b'\n', ..] => self.next_chunk(direction, at + 1),
                [] | [b'\r'] => need(1),
                _ => malformed(at),
            },
            Phase::Trailer => {
                let Some((field, used)) = line(rest) else { return need(1) };
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
            Phase::Wait => need(1),
        }
    }

    fn next_chunk(&mut self, direction: Direction, at: usize) -> Step {
        self.sides[direction].phase = Phase::ChunkSize;
        Step::Go(at)
    }

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
            call.tell(kind, out);
        }
        out.close(kind, 0, at);
    }
}

/// Passes over `body` bytes from `at` on, inside the `len` bytes shown as far as they reach.
fn skip(at: usize, body: u64, len: usize) -> Step {
    if body <= (len - at) as u64 {
        return Step::Go(at + body as usize);
    }
    Step::Stop(Progress::Skip { consumed: at, body })
}

fn malformed(consumed: usize) -> Step {
    Step::Stop(Progress::GiveUp { consumed, reason: Reason::Malformed })
}

impl Parser for HttpParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            let owes = matches!(self.sides[direction].phase, Phase::BodyEnd | Phase::Content { .. });
            if at == bytes.len() && !owes {
                return Progress::Consumed(at);
            }
            match self.step(direction, bytes, at, out) {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    // Messages are left open: the loss that is told next ends them.
    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if self.sides[direction].phase != Phase::Start {
            return;
        }
        let at = leading_ends(bytes);
        let bytes = &bytes[at..];
        let Some((first, _)) = line(bytes) else { return };
        let mut lines = Lines::new();
        // Not whole, or it would have been told.
        let _ = lines.find(bytes);
        let head = Head { at, bytes, lines: &lines };
        match (direction, StartLine::request(first), StartLine::status(first)) {
            (Direction::ToServer, Some(StartLine::Request { method, target, minor }), _) => {
                head.request(method, target, minor, out);
            }
            (Direction::ToClient, _, Some(StartLine::Status { code, minor })) if code >= 200 => {
                head.response(code, minor, status(code, minor, at, out));
            }
            _ => {}
        }
    }

    fn gap(&mut self, direction: Direction, len: u64, out: &mut Messages) -> Result<(), Reason> {
        let side = &mut self.sides[direction];
        if side.phase == Phase::UntilClose {
            side.body += len;
            if let Some(call) = &mut side.call {
                call.miss();
            }
            return Ok(());
        }
        side.phase = Phase::Seek(0);
        (side.searched, side.looked_at) = (0, 0);
        side.body = 0;
        side.call = None;
        if side.begun || len > 0 {
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
                    call + self.memos[d].as_ref().map_or(0, |memo| memo.bytes())
                })
                .sum::<usize>()
    }

    fn end(&mut self, direction: Direction, out: &mut Messages) {
        if self.sides[direction].phase == Phase::UntilClose {
            self.close(direction, 0, out);
        }
    }
}
