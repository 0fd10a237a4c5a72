use wire::{Direction, PerDirection};

use super::attributes::{self, Field};
use super::body::{Framing, chunk_size};
use super::head::{Fields, StartLine};
use super::lines::{head_end, leading_ends, line};
use super::probe;
use super::url::Target;
use crate::fact::{Outcome, Protocol};
use crate::l7::messages::{Entry, Kind, Messages};
use crate::l7::protocol::{Parser, Probe, Progress, Reason};

/// Where one direction stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Before a start line.
    #[default]
    Start,
    /// Out of step: looking for a start line; so many bytes were passed over.
    Seek(u64),
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
    /// Bytes of the head that were searched for its end already.
    searched: usize,
    body: u64,
    /// A message was found in this direction: what is out of step from now on was not missed at the beginning.
    begun: bool,
}

#[derive(Debug, Default)]
pub(super) struct HttpParser {
    sides: PerDirection<Side>,
}

/// Tags of requests whose responses are delimited otherwise.
const HEAD: u16 = 1;
const CONNECT: u16 = 2;

/// Bytes passed over in search of a start line before it counts as a failure.
const SEEK_LIMIT: u64 = 64 * 1024;

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
            Phase::BodyEnd => {
                self.close(direction, at, out);
                Step::Go(at)
            }
            Phase::ChunkSize => {
                let Some((first, used)) = line(rest) else { return need(1) };
                let Some(size) = chunk_size(first) else { return malformed(at) };
                side.body += size;
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
        out.close(kind, 0, at);
    }

    fn start(&mut self, direction: Direction, rest: &[u8], at: usize, out: &mut Messages) -> Step {
        let side = &mut self.sides[direction];
        let blank = if side.searched == 0 { leading_ends(rest) } else { 0 };
        if blank > 0 {
            return Step::Go(at + blank);
        }
        let end = match head_end(rest, side.searched.min(rest.len())) {
            Ok(end) => end,
            Err(searched) => {
                let looks_right = match direction {
                    Direction::ToServer => probe::request(rest),
                    Direction::ToClient => probe::response(rest),
                };
                if searched == 0 && looks_right == Probe::No {
                    return malformed(at);
                }
                side.searched = searched;
                return Step::Stop(Progress::Need { consumed: at, more: 1 });
            }
        };
        side.searched = 0;
        let Some((first, used)) = line(rest) else { return malformed(at) };
        let head = Head { at, fields: &rest[used..end] };
        match direction {
            Direction::ToServer => match StartLine::request(first) {
                Some(StartLine::Request { method, target, minor }) => {
                    let (framing, connect) = head.request(method, target, minor, out);
                    if connect {
                        self.close(direction, at + end, out);
                        self.sides[direction].phase = Phase::Wait;
                        return Step::Go(at + end);
                    }
                    let framing = if matches!(framing, Framing::Unsaid | Framing::Coded) {
                        Framing::Length(0)
                    } else {
                        framing
                    };
                    self.body(direction, framing, rest.len() + at, at + end, out)
                }
                _ => malformed(at),
            },
            Direction::ToClient => match StartLine::status(first) {
                Some(StartLine::Status { code, minor }) => {
                    self.response(&head, code, minor, rest.len() + at, at + end, out)
                }
                _ => malformed(at),
            },
        }
    }

    fn response(
        &mut self,
        head: &Head<'_>,
        code: u16,
        minor: u8,
        len: usize,
        end: usize,
        out: &mut Messages,
    ) -> Step {
        if (100..200).contains(&code) && code != 101 {
            return Step::Go(end);
        }
        let direction = Direction::ToClient;
        let tag = out.next_tag();
        let (framing, upgrade) = head.response(code, minor, out);
        if code == 101 || (tag == Some(CONNECT) && (200..300).contains(&code)) {
            self.close(direction, end, out);
            let h2c = upgrade.is_some_and(|u| u.eq_ignore_ascii_case(b"h2c"));
            let reason = if code == 101 && !h2c { Reason::Opaque } else { Reason::Switched };
            return Step::Stop(Progress::GiveUp { consumed: end, reason });
        }
        if tag == Some(CONNECT) {
            self.sides[Direction::ToServer].phase = Phase::Start;
        }
        let framing = match (framing, code) {
            (_, 204 | 304) => Framing::Length(0),
            (_, _) if tag == Some(HEAD) => Framing::Length(0),
            (framing, _) => framing,
        };
        self.body(direction, framing, len, end, out)
    }

    fn body(
        &mut self,
        direction: Direction,
        framing: Framing,
        len: usize,
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let side = &mut self.sides[direction];
        side.body = 0;
        side.begun = true;
        match framing {
            Framing::Length(0) => {
                self.close(direction, at, out);
                Step::Go(at)
            }
            Framing::Length(size) => {
                side.phase = Phase::BodyEnd;
                side.body = size;
                skip(at, size, len)
            }
            Framing::Chunked => self.next_chunk(direction, at),
            Framing::Unsaid | Framing::Coded => {
                side.phase = Phase::UntilClose;
                Step::Go(at)
            }
        }
    }

    fn seek(&mut self, direction: Direction, rest: &[u8], at: usize, passed: u64) -> Step {
        let looks = match direction {
            Direction::ToServer => probe::request,
            Direction::ToClient => probe::response,
        };
        let mut from = 0;
        while from < rest.len() {
            match looks(&rest[from..]) {
                Probe::Yes => {
                    self.sides[direction].phase = Phase::Start;
                    return Step::Go(at + from);
                }
                Probe::More => {
                    self.sides[direction].phase = Phase::Seek(passed + from as u64);
                    return Step::Stop(Progress::Need { consumed: at + from, more: 1 });
                }
                Probe::No => {}
            }
            from = memchr::memchr(b'\n', &rest[from..]).map_or(rest.len(), |lf| from + lf + 1);
        }
        let passed = passed + rest.len() as u64;
        let consumed = at + rest.len();
        if passed > SEEK_LIMIT {
            self.sides[direction].phase = Phase::Seek(0);
            return malformed(consumed);
        }
        self.sides[direction].phase = Phase::Seek(passed);
        Step::Stop(Progress::Consumed(consumed))
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
            let owes_end = self.sides[direction].phase == Phase::BodyEnd;
            if at == bytes.len() && !owes_end {
                return Progress::Consumed(at);
            }
            match self.step(direction, bytes, at, out) {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    // Messages are left open: the loss that is told next ends them.
    fn cut(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if self.sides[direction].phase != Phase::Start {
            return;
        }
        let Some((first, used)) = line(&bytes[leading_ends(bytes)..]) else { return };
        let at = leading_ends(bytes);
        let head = Head { at, fields: &bytes[at + used..] };
        match (direction, StartLine::request(first), StartLine::status(first)) {
            (Direction::ToServer, Some(StartLine::Request { method, target, minor }), _) => {
                head.request(method, target, minor, out);
            }
            (Direction::ToClient, _, Some(StartLine::Status { code, minor })) if code >= 200 => {
                head.response(code, minor, out);
            }
            _ => {}
        }
    }

    fn gap(&mut self, direction: Direction, len: u64, out: &mut Messages) -> Result<(), Reason> {
        let side = &mut self.sides[direction];
        if side.phase == Phase::UntilClose {
            side.body += len;
            return Ok(());
        }
        side.phase = Phase::Seek(0);
        side.searched = 0;
        side.body = 0;
        if side.begun || len > 0 {
            out.lost();
        }
        Ok(())
    }

    fn end(&mut self, direction: Direction, out: &mut Messages) {
        if self.sides[direction].phase == Phase::UntilClose {
            self.close(direction, 0, out);
        }
    }
}

/// A head to be told.
struct Head<'a> {
    at: usize,
    fields: &'a [u8],
}

impl<'a> Head<'a> {
    fn request(
        &self,
        method: &[u8],
        target: &[u8],
        minor: Option<u8>,
        out: &mut Messages,
    ) -> (Framing, bool) {
        let entry = out.open(Protocol::Http, Kind::Request, 0, self.at);
        let connect = method == b"CONNECT";
        entry.tag = match method {
            b"HEAD" => HEAD,
            b"CONNECT" => CONNECT,
            _ => 0,
        };
        let exchange = &mut entry.exchange;
        exchange.operation.push_str(std::str::from_utf8(method).unwrap_or_default());
        let into = &mut exchange.attributes;
        attributes::method(into, method);
        let target = Target::of(target, connect);
        attributes::target(into, &target);
        if let Some(minor) = minor {
            attributes::version(into, minor);
        }
        if let Some(authority) = target.authority {
            attributes::server(into, authority);
        }
        let mut framing = Framing::Unsaid;
        for (name, value) in Fields(self.fields) {
            match attributes::request_field(name) {
                Some(Field::Body(field)) => framing.field(field, value),
                Some(Field::Host) if target.authority.is_none() => attributes::server(into, value),
                Some(Field::Keep(key)) => attributes::keep(into, key, value),
                _ => {}
            }
        }
        (framing, connect)
    }

    fn response(&self, code: u16, minor: u8, out: &mut Messages) -> (Framing, Option<&'a [u8]>) {
        let entry = out.open(Protocol::Http, Kind::Response, 0, self.at);
        status(entry, code, minor);
        let into = &mut entry.exchange.attributes;
        let mut framing = Framing::Unsaid;
        let mut upgrade = None;
        for (name, value) in Fields(self.fields) {
            match attributes::response_field(name) {
                Some(Field::Body(field)) => framing.field(field, value),
                Some(Field::Upgrade) => upgrade = Some(value),
                Some(Field::Keep(key)) => attributes::keep(into, key, value),
                _ => {}
            }
        }
        (framing, upgrade)
    }
}

fn status(entry: &mut Entry, code: u16, minor: u8) {
    let exchange = &mut entry.exchange;
    exchange.outcome = match code {
        400..500 => Outcome::ClientError,
        500.. => Outcome::ServerError,
        _ => Outcome::Ok,
    };
    if exchange.request.is_none() {
        attributes::version(&mut exchange.attributes, minor);
    }
    exchange.attributes.push_int("http.response.status_code", i64::from(code));
}
