//! Lines and payloads of both directions, what pairs requests and responses, and resynchronisation.

use wire::{Direction, PerDirection};

use super::line::Line;
use super::{attributes, probe};
use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::{Entry, Kind, Messages};
use crate::kit::step::{Step, malformed, need};

/// Longest control line that is waited for. CONNECT and INFO may be longer: they are not needed
/// whole.
const LONGEST: usize = 4096;
/// Bytes of headers that are inspected.
const HEADERS: u64 = 4096;

/// Id that PING and PONG are paired by.
const PING_ID: u64 = 1;
/// Id that commands and their `+OK` or `-ERR` are paired by in verbose mode.
const COMMAND_ID: u64 = 2;
/// Id of what gets no response.
const UNPAIRED: u64 = 3;
/// Flag in the ids of requests whose response is a message to an inbox.
const INBOX_FLAG: u64 = 1 << 63;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Start,
    /// In a line whose rest is not needed.
    Line,
    /// Behind a message.
    End,
    /// The parser looks for a control line after a loss.
    Seek,
}

#[derive(Debug, Default)]
struct Side {
    phase: Phase,
    /// Bytes of a line that were already searched for its end.
    searched: usize,
    /// The message that is open.
    open: Option<(Kind, u64)>,
}

#[derive(Debug, Default)]
pub(super) struct NatsParser {
    sides: PerDirection<Side>,
    /// Verbose mode: every command gets a response.
    verbose: bool,
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
                Phase::Start => self.read_line(direction, bytes, at, out),
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
    fn read_line(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Step {
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
        if let Line::Message { headers, total, .. } = line {
            let seen = headers.unwrap_or(0).min(HEADERS) as usize;
            let Some(head) = rest.get(used..used + seen) else {
                side.searched = used - 1;
                return need(at, used + seen - rest.len());
            };
            side.searched = 0;
            self.on_message(direction, line, head, at, out);
            // The payload, and the line end behind it.
            let behind = total + 2;
            if behind > (rest.len() - used) as u64 {
                return Step::Stop(Progress::Skip { consumed: at + used, body: behind });
            }
            return Step::Go(at + used + behind as usize);
        }
        side.searched = 0;
        let open = self.on_command(line, at, out);
        let side = &mut self.sides[direction];
        side.open = open;
        side.phase = phase;
        Step::Go(at + used)
    }

    /// Opens the message of a line with a payload. `head` is the inspected part of its headers.
    fn on_message(
        &mut self,
        direction: Direction,
        line: Line<'_>,
        head: &[u8],
        at: usize,
        out: &mut Messages,
    ) {
        let Line::Message { subject, reply, headers, total } = line else {
            wire::invariant!("the line has a payload");
            return;
        };
        let (kind, id) = self.kind_and_id(direction, subject, reply, out);
        let entry = open(name(direction, headers.is_some()), kind, id, at, out);
        let exchange = &mut entry.exchange;
        if kind != Kind::Response {
            let sent = direction == Direction::ToServer;
            attributes::push_message(exchange, sent, subject, reply, headers, total);
        }
        if headers.is_some() {
            attributes::push_headers(exchange, head);
        }
        if kind == Kind::OneWay && direction == Direction::ToClient {
            // A status that the server reports by itself is no failed request.
            exchange.outcome = fact::Outcome::Ok;
        }
        let side = &mut self.sides[direction];
        side.open = Some((kind, id));
        side.phase = Phase::End;
    }

    /// A control line without a payload.
    fn on_command(&mut self, line: Line<'_>, at: usize, out: &mut Messages) -> Option<(Kind, u64)> {
        let (kind, id) =
            if self.verbose { (Kind::Request, COMMAND_ID) } else { (Kind::OneWay, UNPAIRED) };
        match line {
            Line::Info => {
                open("INFO", Kind::OneWay, UNPAIRED, at, out);
                Some((Kind::OneWay, UNPAIRED))
            }
            Line::Connect(options) => {
                self.verbose = is_verbose(options);
                let (kind, id) = if self.verbose {
                    (Kind::Request, COMMAND_ID)
                } else {
                    (Kind::OneWay, UNPAIRED)
                };
                open("CONNECT", kind, id, at, out);
                Some((kind, id))
            }
            Line::Ping => {
                open("PING", Kind::Request, PING_ID, at, out);
                Some((Kind::Request, PING_ID))
            }
            Line::Pong => {
                open("PING", Kind::Response, PING_ID, at, out);
                Some((Kind::Response, PING_ID))
            }
            Line::Subscribe { subject, queue } => {
                attributes::push_subscription(
                    &mut open("SUB", kind, id, at, out).exchange,
                    subject,
                    queue,
                );
                Some((kind, id))
            }
            Line::Unsubscribe => {
                open("UNSUB", kind, id, at, out);
                Some((kind, id))
            }
            Line::Ok => {
                // The capture began in the middle: from here on commands are known to get
                // responses.
                self.verbose = true;
                if !out.is_pending(COMMAND_ID) {
                    return None;
                }
                open("+OK", Kind::Response, COMMAND_ID, at, out);
                Some((Kind::Response, COMMAND_ID))
            }
            Line::Error(message) => {
                let answers = out.is_pending(COMMAND_ID);
                let (kind, id) =
                    if answers { (Kind::Response, COMMAND_ID) } else { (Kind::OneWay, UNPAIRED) };
                attributes::push_error(&mut open("-ERR", kind, id, at, out).exchange, message);
                Some((kind, id))
            }
            Line::Message { .. } => {
                wire::invariant!("`read_line` handles lines with a payload");
                None
            }
        }
    }

    /// Whether a message is a request, a response or neither, and the id that it is paired by.
    fn kind_and_id(
        &self,
        direction: Direction,
        subject: &[u8],
        reply: Option<&[u8]>,
        out: &Messages,
    ) -> (Kind, u64) {
        match (direction, reply) {
            (Direction::ToClient, _) => {
                let id = inbox_id(subject);
                if out.is_pending(id) { (Kind::Response, id) } else { (Kind::OneWay, UNPAIRED) }
            }
            (Direction::ToServer, _) if self.verbose => (Kind::Request, COMMAND_ID),
            (Direction::ToServer, Some(reply))
                if (reply.starts_with(b"_INBOX") || reply.starts_with(b"_R_."))
                    && !is_pull(subject) =>
            {
                (Kind::Request, inbox_id(reply))
            }
            (Direction::ToServer, _) => (Kind::OneWay, UNPAIRED),
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

/// Opens a message, and names it if it is no response.
fn open<'m>(name: &str, kind: Kind, id: u64, at: usize, out: &'m mut Messages) -> &'m mut Entry {
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

/// Whether this requests the next messages of a JetStream consumer. They are delivered under the
/// subjects that they were published under, as many as there are, and are no responses.
fn is_pull(subject: &[u8]) -> bool {
    subject.starts_with(b"$JS.") && memchr::memmem::find(subject, b".CONSUMER.MSG.NEXT.").is_some()
}

/// Id of requests whose responses are sent to an inbox.
fn inbox_id(subject: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for byte in subject {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    }
    hash | INBOX_FLAG
}
