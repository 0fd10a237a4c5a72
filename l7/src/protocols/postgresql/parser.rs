//! The parser of PostgreSQL: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use super::backend::Backend;
use super::frontend::Frontend;
use super::head::{HEAD, frame, head};
use super::probe::{Startup, startup};
use super::session::Session;
use crate::contract::{Clue, Parser, Progress, Reason};
use crate::correlate::Messages;
use crate::kit::frames::{Frame, next_message};

/// So much of a message is looked at: names, and the beginning of a statement.
const LOOKED_AT: usize = 4096 + 256;

/// Where a direction stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Somewhere within messages: where one begins has to be found.
    #[default]
    Unknown,
    /// Before the first message, which has no type.
    Startup,
    /// Before a message.
    Message,
    /// So many bytes before a message.
    Before(u64),
}

#[derive(Debug)]
pub(super) struct PostgresqlParser {
    session: Session,
    frontend: Frontend,
    backend: Backend,
    places: PerDirection<Place>,
    begun: bool,
    /// One byte will say whether the connection is going to be encrypted.
    encryption_asked: bool,
}

impl PostgresqlParser {
    pub(super) fn new(clue: &Clue) -> Self {
        Self {
            session: Session::new(clue),
            frontend: Frontend::default(),
            backend: Backend::default(),
            places: PerDirection::default(),
            begun: false,
            encryption_asked: false,
        }
    }

    /// What was recognised, and from which side.
    fn begin(&mut self, direction: Direction, bytes: &[u8]) {
        self.begun = true;
        if direction == Direction::ToServer && bytes.first() == Some(&0) {
            self.places = PerDirection { to_server: Place::Startup, to_client: Place::Message };
        } else if frame(direction, bytes) != Frame::No {
            self.places[direction] = Place::Message;
        }
    }

    /// The bytes of the last message end before `at`.
    fn conclude(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        match direction {
            Direction::ToServer => self.frontend.conclude(at, out),
            Direction::ToClient => self.backend.conclude(at, out),
        }
    }

    fn message(
        &mut self,
        direction: Direction,
        kind: u8,
        body: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Result<(), Reason> {
        match direction {
            Direction::ToServer => self.frontend.message(&mut self.session, kind, body, at, out),
            Direction::ToClient => {
                self.backend.message(&mut self.session, kind, body, at, out);
                Ok(())
            }
        }
    }

    /// The first message of a connection.
    fn startup(&mut self, rest: &[u8], at: usize, out: &mut Messages) -> Progress {
        if rest.first() == Some(&0x16) {
            return Progress::GiveUp { consumed: at, reason: Reason::Switched };
        }
        let Some(first) = rest.first_chunk() else {
            return Progress::Need { consumed: at, more: 8 - rest.len() };
        };
        let Some((length, kind)) = startup(first) else {
            return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
        };
        let looked_at = length.min(LOOKED_AT);
        let Some(shown) = rest.get(8..looked_at) else {
            return Progress::Need { consumed: at, more: looked_at - rest.len() };
        };
        match kind {
            Startup::Encryption => self.encryption_asked = true,
            Startup::Cancel => self.frontend.cancel(&mut self.session, at, out),
            Startup::Session => {
                self.encryption_asked = false;
                self.places.to_server = Place::Message;
                self.frontend.log_in(&mut self.session, shown, at, out);
            }
        }
        Progress::Skip { consumed: at + looked_at, body: (length - looked_at) as u64 }
    }

    /// Whether the answer to a request for encryption is the next byte; how to go on then.
    fn encryption(&mut self, rest: &[u8], at: usize) -> Option<Progress> {
        if !std::mem::take(&mut self.encryption_asked) {
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
        if !self.begun {
            self.begin(direction, bytes);
        }
        let mut at = 0;
        loop {
            self.conclude(direction, at, out);
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Progress::Consumed(at);
            }
            match self.places[direction] {
                Place::Message => {}
                Place::Startup => return self.startup(rest, at, out),
                Place::Before(body) => {
                    self.places[direction] = Place::Message;
                    return Progress::Skip { consumed: at, body };
                }
                Place::Unknown => match next_message(rest, |bytes| frame(direction, bytes)) {
                    Some(start) => {
                        self.places[direction] = Place::Message;
                        at += start;
                        continue;
                    }
                    None => return Progress::Consumed(bytes.len()),
                },
            }
            if direction == Direction::ToClient
                && let Some(progress) = self.encryption(rest, at)
            {
                return progress;
            }
            let Some((first, body)) = rest.split_first_chunk::<HEAD>() else {
                return Progress::Need { consumed: at, more: HEAD - rest.len() };
            };
            let Some((kind, length)) = head(direction, first) else {
                return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
            };
            let wanted = length.min(looked_at(direction, kind));
            let Some(shown) = body.get(..wanted) else {
                return Progress::Need { consumed: at, more: wanted - body.len() };
            };
            if let Err(reason) = self.message(direction, kind, shown, at, out) {
                return Progress::GiveUp { consumed: at, reason };
            }
            if body.len() < length {
                return Progress::Skip { consumed: at + HEAD + wanted, body: (length - wanted) as u64 };
            }
            at += HEAD + length;
        }
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if self.places[direction] != Place::Message {
            return;
        }
        let Some((first, body)) = bytes.split_first_chunk::<HEAD>() else { return };
        if let Some((kind, length)) = head(direction, first) {
            let _ = self.message(direction, kind, body, 0, out);
            self.places[direction] = Place::Before(length.saturating_sub(body.len()) as u64);
        }
    }

    fn gap(&mut self, direction: Direction, len: u64, out: &mut Messages) -> Result<(), Reason> {
        let within = match self.places[direction] {
            Place::Before(left) if left >= len && len > 0 => Some(left - len),
            _ => None,
        };
        match within {
            // The rest of a message is missing, and no other.
            Some(left) => self.places[direction] = Place::Before(left),
            None => {
                self.places[direction] = Place::Unknown;
                out.mark_loss();
                match direction {
                    Direction::ToServer => self.frontend.lost(&mut self.session),
                    Direction::ToClient => self.backend.lost(&mut self.session),
                }
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of_val(self) + self.session.bytes()
    }
}

/// So much of the body of a message is looked at; nothing of passwords and data.
fn looked_at(direction: Direction, kind: u8) -> usize {
    match (direction, kind) {
        (Direction::ToServer, b'Q' | b'P') => LOOKED_AT,
        (Direction::ToServer, b'B' | b'E' | b'D' | b'C') => 512,
        (Direction::ToClient, b'S' | b'C') => 256,
        (Direction::ToClient, b'E') => 64,
        (Direction::ToClient, b'Z') => 1,
        _ => 0,
    }
}
