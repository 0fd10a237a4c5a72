//! Message boundaries of both directions, the start of a connection, and resynchronisation. What a
//! message means is `frontend`'s and `backend`'s.

use wire::{Direction, PerDirection};

use super::backend::Backend;
use super::frontend::Frontend;
use super::header::{HEADER, backend_tag, frame, frontend_tag, header};
use super::probe::{STARTUP_HEADER, Startup, startup};
use super::session::Session;
use crate::contract::{Clue, Parser, Progress, Reason};
use crate::correlate::Messages;
use crate::kit::frames::{Frame, next_message};

/// Most bytes of a message that are inspected: names, and the beginning of a statement.
const INSPECT_LIMIT: usize = 4096 + 256;

/// First byte of a TLS record with a handshake message (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// What the next bytes of a direction are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Position {
    /// Unknown: the beginning of a message has to be found.
    #[default]
    Unknown,
    /// The first message, which has no type.
    Startup,
    /// A message.
    Message,
    /// So many bytes to pass over, then a message.
    Before(u64),
}

/// The parser of one connection.
#[derive(Debug)]
pub(super) struct PostgresqlParser {
    session: Session,
    frontend: Frontend,
    backend: Backend,
    positions: PerDirection<Position>,
    started: bool,
    /// The next byte of the server tells whether the connection becomes encrypted.
    encryption_requested: bool,
}

impl PostgresqlParser {
    pub(super) fn new(clue: &Clue) -> Self {
        Self {
            session: Session::new(clue),
            frontend: Frontend::default(),
            backend: Backend::default(),
            positions: PerDirection::default(),
            started: false,
            encryption_requested: false,
        }
    }

    /// Finds out what the first bytes of the connection are.
    fn begin(&mut self, direction: Direction, bytes: &[u8]) {
        self.started = true;
        if direction == Direction::ToServer && bytes.first() == Some(&0) {
            self.positions =
                PerDirection { to_server: Position::Startup, to_client: Position::Message };
        } else if frame(direction, bytes) != Frame::No {
            self.positions[direction] = Position::Message;
        }
    }

    /// The last message ends before `at`.
    fn on_message_end(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        match direction {
            Direction::ToServer => self.frontend.on_message_end(at, out),
            Direction::ToClient => self.backend.on_message_end(at, out),
        }
    }

    fn on_message(
        &mut self,
        direction: Direction,
        kind: u8,
        body: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Result<(), Reason> {
        match direction {
            Direction::ToServer => self.frontend.on_message(&mut self.session, kind, body, at, out),
            Direction::ToClient => {
                self.backend.on_message(&mut self.session, kind, body, at, out);
                Ok(())
            }
        }
    }

    /// Reads the first message of a connection.
    fn read_startup(&mut self, rest: &[u8], at: usize, out: &mut Messages) -> Progress {
        if rest.first() == Some(&TLS_HANDSHAKE) {
            return Progress::GiveUp { consumed: at, reason: Reason::Switched };
        }
        let Some(first) = rest.first_chunk() else {
            return Progress::Need { consumed: at, more: STARTUP_HEADER - rest.len() };
        };
        let Some((length, kind)) = startup(first) else {
            return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
        };
        let inspected = length.min(INSPECT_LIMIT);
        let Some(shown) = rest.get(STARTUP_HEADER..inspected) else {
            return Progress::Need { consumed: at, more: inspected - rest.len() };
        };
        match kind {
            Startup::Encryption => self.encryption_requested = true,
            Startup::Cancel => self.frontend.on_cancel_request(&mut self.session, at, out),
            Startup::Session => {
                self.encryption_requested = false;
                self.positions.to_server = Position::Message;
                self.frontend.on_startup(&mut self.session, shown, at, out);
            }
        }
        Progress::Skip { consumed: at + inspected, body: (length - inspected) as u64 }
    }

    /// Reads the response to a request for encryption if it is the next byte. Returns how to
    /// continue.
    fn read_encryption_response(&mut self, rest: &[u8], at: usize) -> Option<Progress> {
        if !std::mem::take(&mut self.encryption_requested) {
            return None;
        }
        let consumed = at + 1;
        match rest.first()? {
            b'S' => Some(Progress::GiveUp { consumed, reason: Reason::Switched }),
            b'G' => Some(Progress::GiveUp { consumed, reason: Reason::Opaque }),
            b'N' => Some(Progress::Skip { consumed, body: 0 }),
            _ => None,
        }
    }
}

impl Parser for PostgresqlParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        if !self.started {
            self.begin(direction, bytes);
        }
        let mut at = 0;
        loop {
            self.on_message_end(direction, at, out);
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Progress::Consumed(at);
            }
            match self.positions[direction] {
                Position::Message => {}
                Position::Startup => return self.read_startup(rest, at, out),
                Position::Before(body) => {
                    self.positions[direction] = Position::Message;
                    return Progress::Skip { consumed: at, body };
                }
                Position::Unknown => match next_message(rest, |bytes| frame(direction, bytes)) {
                    Some(start) => {
                        self.positions[direction] = Position::Message;
                        at += start;
                        continue;
                    }
                    None => return Progress::Consumed(bytes.len()),
                },
            }
            if direction == Direction::ToClient
                && let Some(progress) = self.read_encryption_response(rest, at)
            {
                return progress;
            }
            let Some((first, body)) = rest.split_first_chunk::<HEADER>() else {
                return Progress::Need { consumed: at, more: HEADER - rest.len() };
            };
            let Some((kind, length)) = header(direction, first) else {
                return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
            };
            let wanted = length.min(inspected(direction, kind));
            let Some(shown) = body.get(..wanted) else {
                return Progress::Need { consumed: at, more: wanted - body.len() };
            };
            if let Err(reason) = self.on_message(direction, kind, shown, at, out) {
                return Progress::GiveUp { consumed: at, reason };
            }
            if body.len() < length {
                return Progress::Skip {
                    consumed: at + HEADER + wanted,
                    body: (length - wanted) as u64,
                };
            }
            at += HEADER + length;
        }
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if self.positions[direction] != Position::Message {
            return;
        }
        let Some((first, body)) = bytes.split_first_chunk::<HEADER>() else { return };
        if let Some((kind, length)) = header(direction, first) {
            // An error is the next call's of `read`.
            let _ = self.on_message(direction, kind, body, 0, out);
            self.positions[direction] = Position::Before(length.saturating_sub(body.len()) as u64);
        }
    }

    fn gap(&mut self, direction: Direction, len: u64, out: &mut Messages) -> Result<(), Reason> {
        let within = match self.positions[direction] {
            Position::Before(left) if left >= len && len > 0 => Some(left - len),
            _ => None,
        };
        match within {
            // Only the rest of a message is missing.
            Some(left) => self.positions[direction] = Position::Before(left),
            None => {
                self.positions[direction] = Position::Unknown;
                out.mark_loss();
                match direction {
                    Direction::ToServer => self.frontend.on_gap(&mut self.session),
                    Direction::ToClient => self.backend.on_gap(&mut self.session),
                }
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of_val(self) + self.session.bytes()
    }
}

/// Bytes of a message's body that are inspected. Passwords and data are not.
fn inspected(direction: Direction, kind: u8) -> usize {
    match (direction, kind) {
        (Direction::ToServer, frontend_tag::QUERY | frontend_tag::PARSE) => INSPECT_LIMIT,
        (
            Direction::ToServer,
            frontend_tag::BIND
            | frontend_tag::EXECUTE
            | frontend_tag::DESCRIBE
            | frontend_tag::CLOSE,
        ) => 512,
        (Direction::ToClient, backend_tag::PARAMETER_STATUS | backend_tag::COMMAND_COMPLETE) => 256,
        (Direction::ToClient, backend_tag::ERROR_RESPONSE) => 64,
        (Direction::ToClient, backend_tag::READY_FOR_QUERY) => 1,
        _ => 0,
    }
}
