//! The parser of NATS: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use super::line::Line;
use super::{probe, tell};
use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::{Entry, Kind, Messages};

/// Longest control line that is waited for; CONNECT and INFO may be longer, and are not needed
/// whole.
const LONGEST: usize = 4096;
/// Headers that are looked at.
const HEADERS: u64 = 4096;

/// What a PONG answers.
const PING: u64 = 1;
/// What `+OK` and `-ERR` answer in verbose mode.
const COMMAND: u64 = 2;
/// What nothing answers.
const NOBODY: u64 = 3;
/// Set in the ids of requests that a message to an inbox answers.
const INBOX: u64 = 1 << 63;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Start,
    /// In a line of which the rest is not needed.
    Line,
    /// Behind a message.
    End,
    /// Out of step: looking for a control line.
    Seek,
}

#[derive(Debug, Default)]
struct Side {
    phase: Phase,
    /// Bytes of a line that were searched for its end already.
    searched: usize,
    /// The message that is open.
    open: Option<(Kind, u64)>,
}

#[derive(Debug, Default)]
pub(super) struct NatsParser {
    sides: PerDirection<Side>,
    /// Every command is answered.
    verbose: bool,
}

/// What to do next.
enum Step {
    Go(usize),
    Stop(Progress),
}

fn malformed(consumed: usize) -> Step {
    Step::Stop(Progress::GiveUp { consumed, reason: Reason::Malformed })
}

fn need(consumed: usize, more: usize) -> Step {
    Step::Stop(Progress::Need { consumed, more })
}

impl Parser for NatsParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            let step = match self.sides[direction].phase {
                Phase::End => {
                    let side = &mut self.sides[direction];
                    side.phase = Phase::Start;
                    if let Some((kind, id)) = side.open.take() {
                        out.close(kind, id, at);
                    }
                    Step::Go(at)
                }
                _ if at >= bytes.len() => return Progress::Consumed(at),
                Phase::Start => self.line(direction, bytes, at, out),
                Phase::Line => match memchr::memchr(b'\n', &bytes[at..]) {
                    Some(end) => {
                        self.sides[direction].phase = Phase::End;
                        Step::Go(at + end + 1)
                    }
                    None => Step::Go(bytes.len()),
                },
                Phase::Seek => self.seek(direction, bytes, at),
            };
            match step {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        self.sides[direction] = Side { phase: Phase::Seek, ..Side::default() };
        Ok(())
    }
}

impl NatsParser {
    fn line(&mut self, direction: Direction, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        let side = &mut self.sides[direction];
        let searched = side.searched.min(rest.len());
        let end = memchr::memchr(b'\n', &rest[searched..]).map(|end| end + searched);
        let (text, used, phase) = match end {
            Some(end) => (&rest[..end], end + 1, Phase::End),
            None if rest.len() >= LONGEST => (rest, rest.len(), Phase::Line),
            None if rest.starts_with(b"\x16\x03") => {
                return Step::Stop(Progress::GiveUp { consumed: at, reason: Reason::Switched });
            }
            None if searched > 0 || probe::may_begin(rest, direction) => {
                side.searched = rest.len();
                return need(at, 1);
            }
            None => return malformed(at),
        };
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let Some(line) = Line::read(text, direction) else {
            if text.trim_ascii().is_empty() {
                side.searched = 0;
                return Step::Go(at + used);
            }
            return malformed(at);
        };
        if let Line::Message { subject, reply, headers, total } = line {
            let seen = headers.unwrap_or(0).min(HEADERS) as usize;
            let Some(head) = rest.get(used..used + seen) else {
                side.searched = used - 1;
                return need(at, used + seen - rest.len());
            };
            side.searched = 0;
            let (kind, id) = self.role(direction, subject, reply, out);
            let name = name(direction, headers.is_some());
            let entry = begin(name, kind, id, at, out);
            if kind != Kind::Response {
                tell::message(
                    &mut entry.exchange,
                    direction == Direction::ToServer,
                    subject,
                    reply,
                    headers,
                    total,
                );
            }
            if headers.is_some() {
                tell::headers(&mut entry.exchange, head);
            }
            if kind == Kind::OneWay && direction == Direction::ToClient {
                // What the server says of itself is no failure of anyone.
                entry.exchange.outcome = fact::Outcome::Ok;
            }
            let side = &mut self.sides[direction];
            side.open = Some((kind, id));
            side.phase = Phase::End;
            let behind = total + 2;
            if behind > (rest.len() - used) as u64 {
                return Step::Stop(Progress::Skip { consumed: at + used, body: behind });
            }
            return Step::Go(at + used + behind as usize);
        }
        side.searched = 0;
        let open = self.command(line, at, out);
        let side = &mut self.sides[direction];
        side.open = open;
        side.phase = phase;
        Step::Go(at + used)
    }

    /// A control line on which nothing follows.
    fn command(&mut self, line: Line<'_>, at: usize, out: &mut Messages) -> Option<(Kind, u64)> {
        let (kind, id) = if self.verbose { (Kind::Request, COMMAND) } else { (Kind::OneWay, NOBODY) };
        match line {
            Line::Info => {
                begin("INFO", Kind::OneWay, NOBODY, at, out);
                Some((Kind::OneWay, NOBODY))
            }
            Line::Connect(options) => {
                self.verbose = is_verbose(options);
                let (kind, id) = if self.verbose { (Kind::Request, COMMAND) } else { (Kind::OneWay, NOBODY) };
                begin("CONNECT", kind, id, at, out);
                Some((kind, id))
            }
            Line::Ping => {
                begin("PING", Kind::Request, PING, at, out);
                Some((Kind::Request, PING))
            }
            Line::Pong => {
                begin("PING", Kind::Response, PING, at, out);
                Some((Kind::Response, PING))
            }
            Line::Subscribe { subject, queue } => {
                tell::subscription(&mut begin("SUB", kind, id, at, out).exchange, subject, queue);
                Some((kind, id))
            }
            Line::Unsubscribe => {
                begin("UNSUB", kind, id, at, out);
                Some((kind, id))
            }
            Line::Ok => {
                // Joined in the middle: from here on, commands are known to be answered.
                self.verbose = true;
                if !out.is_pending(COMMAND) {
                    return None;
                }
                begin("+OK", Kind::Response, COMMAND, at, out);
                Some((Kind::Response, COMMAND))
            }
            Line::Error(said) => {
                let answers = out.is_pending(COMMAND);
                let (kind, id) = if answers { (Kind::Response, COMMAND) } else { (Kind::OneWay, NOBODY) };
                tell::error(&mut begin("-ERR", kind, id, at, out).exchange, said);
                Some((kind, id))
            }
            Line::Message { .. } => None,
        }
    }

    /// Whether a message asks, answers, or neither, and what it is paired by.
    fn role(
        &self,
        direction: Direction,
        subject: &[u8],
        reply: Option<&[u8]>,
        out: &Messages,
    ) -> (Kind, u64) {
        match (direction, reply) {
            (Direction::ToClient, _) => {
                let id = inbox(subject);
                if out.is_pending(id) { (Kind::Response, id) } else { (Kind::OneWay, NOBODY) }
            }
            (Direction::ToServer, _) if self.verbose => (Kind::Request, COMMAND),
            (Direction::ToServer, Some(reply))
                if (reply.starts_with(b"_INBOX") || reply.starts_with(b"_R_.")) && !is_pull(subject) =>
            {
                (Kind::Request, inbox(reply))
            }
            (Direction::ToServer, _) => (Kind::OneWay, NOBODY),
        }
    }

    fn seek(&mut self, direction: Direction, bytes: &[u8], at: usize) -> Step {
        let mut from = at;
        while from < bytes.len() {
            match probe::probe(&bytes[from..], direction, true) {
                Probe::Yes => {
                    self.sides[direction].phase = Phase::Start;
                    return Step::Go(from);
                }
                Probe::More => return need(from, 1),
                Probe::No => {}
            }
            from = memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |end| from + end + 1);
        }
        Step::Go(bytes.len())
    }
}

/// Opens a message; of a request, names it.
fn begin<'m>(name: &str, kind: Kind, id: u64, at: usize, out: &'m mut Messages) -> &'m mut Entry {
    let entry = out.open(kind, id, at);
    let exchange = &mut entry.exchange;
    if kind != Kind::Response {
        exchange.operation.push_str(name);
    }
    if exchange.attributes.is_empty() {
        exchange.attributes.push_text("messaging.system", "nats");
    }
    entry
}

fn name(direction: Direction, headers: bool) -> &'static str {
    match (direction, headers) {
        (Direction::ToServer, false) => "PUB",
        (Direction::ToServer, true) => "HPUB",
        (Direction::ToClient, false) => "MSG",
        (Direction::ToClient, true) => "HMSG",
    }
}

fn is_verbose(options: &[u8]) -> bool {
    let Some(at) = memchr::memmem::find(options, b"\"verbose\"") else { return false };
    let value = options[at + 9..].trim_ascii_start().strip_prefix(b":").unwrap_or_default();
    value.trim_ascii_start().starts_with(b"true")
}

/// Whether this asks a consumer of JetStream for its next messages: they are delivered under the
/// subjects that they were published under, as many as there are, and are no answers.
fn is_pull(subject: &[u8]) -> bool {
    subject.starts_with(b"$JS.") && memchr::memmem::find(subject, b".CONSUMER.MSG.NEXT.").is_some()
}

/// What requests to be answered in an inbox are paired by.
fn inbox(subject: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for byte in subject {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    }
    hash | INBOX
}
