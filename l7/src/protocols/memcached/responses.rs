//! What the server sends: responses in lines and in the binary protocol.

use super::attributes;
use super::binary::{self, HEADER, Header, opcode, status};
use super::quiet::{self, Quiet};
use super::text::{self, LONGEST, is_final_word, number, words};
use crate::contract::Progress;
use crate::correlate::{Kind, Messages};
use crate::kit::step::{Step, malformed, need, skip};
use fact::Outcome;

/// Attribute key of the number of values.
const FOUND: &str = "db.response.returned_rows";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Start,
    /// Inside a response of several lines.
    Items,
    /// Behind the value or body of a response.
    End,
    /// Behind the body of one of several parts of a binary response.
    Part,
}

/// State of the server's direction.
#[derive(Debug, Default)]
pub(super) struct Responses {
    phase: Phase,
    /// Bytes of a line that were already searched for its end.
    searched: usize,
}

impl Responses {
    pub(super) fn read(&mut self, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            let step = match self.phase {
                Phase::End => {
                    out.close(Kind::Response, 0, at);
                    self.phase = Phase::Start;
                    Step::Go(at)
                }
                _ if at >= bytes.len() => return Progress::Consumed(at),
                Phase::Start | Phase::Part if binary::is_magic(bytes[at]) => {
                    self.read_binary(bytes, at, out)
                }
                Phase::Start | Phase::Items => self.read_line(bytes, at, out),
                Phase::Part => malformed(at),
            };
            match step {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    /// Reads a line of the text protocol.
    fn read_line(&mut self, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        let (line, used) = match text::line(rest, self.searched) {
            Some(found) => found,
            None if rest.len() > LONGEST || !(rest[0].is_ascii_graphic()) => return malformed(at),
            None => {
                self.searched = rest.len();
                return need(at, 1);
            }
        };
        self.searched = 0;
        let word = words(line).next().unwrap_or_default();
        let (phase, body) = match word {
            b"VALUE" | b"CONFIG" => match number(words(line).nth(3)) {
                Some(length) => (Phase::Items, length + 2),
                None => return malformed(at),
            },
            b"VA" => match number(words(line).nth(1)) {
                Some(length) => (Phase::End, length + 2),
                None => return malformed(at),
            },
            b"STAT" | b"ITEM" | b"PREFIX" => (Phase::Items, 0),
            _ if word.starts_with(b"key=") => (Phase::Items, 0),
            _ if is_final_word(word) => (Phase::End, 0),
            _ => return malformed(at),
        };
        if self.phase == Phase::Start {
            self.open_for(word, line, at, out);
        }
        if let Some(entry) = out.current(Kind::Response, 0) {
            match word {
                b"VALUE" | b"VA" => entry.exchange.attributes.add_int(FOUND, 1),
                _ => attributes::push_word(entry, word),
            }
        }
        self.phase = phase;
        skip(at + used, body.min(1 << 32), bytes.len())
    }

    /// Opens the response to the next request. Quiet requests before it are skipped if the response
    /// cannot be theirs.
    fn open_for(&mut self, word: &[u8], line: &[u8], at: usize, out: &mut Messages) {
        let repeated = match word {
            b"VA" => quiet::repeated(words(line).skip(2)),
            b"HD" | b"EN" | b"NS" | b"EX" | b"NF" => quiet::repeated(words(line).skip(1)),
            _ => 0,
        };
        while let Some(tag) = out.next_tag() {
            let quiet = quiet::quiet(tag);
            if quiet == Quiet::Not || !quiet::excludes(tag, word) && quiet::fits(tag, repeated) {
                break;
            }
            out.skip_request();
        }
        self.open(at, out);
    }

    /// Opens a response.
    fn open(&mut self, at: usize, out: &mut Messages) {
        let entry = out.open(Kind::Response, 0, at);
        if entry.exchange.request.is_none() {
            entry.exchange.attributes.push_text("db.system.name", "memcached");
        }
    }

    /// Reads the header of a binary response.
    fn read_binary(&mut self, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        if rest.len() < HEADER {
            return need(at, HEADER - rest.len());
        }
        let Some(header) = Header::read(rest).filter(|h| !h.is_request) else {
            return malformed(at);
        };
        let before = HEADER + header.before_value();
        if rest.len() < before {
            return need(at, before - rest.len());
        }
        let key = &rest[HEADER + usize::from(header.extras)..before];
        let repeats =
            if matches!(header.opcode, opcode::GETKQ | opcode::GATKQ) { key } else { &[] };
        let hash = quiet::hash(&[&[header.opcode], &header.opaque.to_be_bytes(), repeats]);
        if self.phase == Phase::Start {
            // What the response repeats tells which request it belongs to. Those before it were
            // quiet, or their responses were not captured.
            if out.any_pending(|tag| quiet::fits(tag, hash)) {
                while out.next_tag().is_some_and(|tag| !quiet::fits(tag, hash)) {
                    out.skip_request();
                }
                out.confirm_next();
            } else {
                while out.next_tag().is_some_and(|tag| quiet::quiet(tag) != Quiet::Not) {
                    out.skip_request();
                }
                out.expect_orphan_response();
            }
            self.open(at, out);
        }
        if let Some(entry) = out.current(Kind::Response, 0)
            && let Some(code) = binary::status_name(header.status)
        {
            let outcome = match header.status {
                status::KEY_NOT_FOUND
                | status::KEY_EXISTS
                | status::ITEM_NOT_STORED
                | status::AUTH_CONTINUE => Outcome::Ok,
                status::VALUE_TOO_LARGE
                | status::INVALID_ARGUMENTS
                | status::NON_NUMERIC_VALUE
                | status::AUTH_ERROR
                | status::UNKNOWN_COMMAND => Outcome::ClientError,
                _ => Outcome::ServerError,
            };
            attributes::push_status(&mut entry.exchange, code, outcome);
        }
        // Statistics come one by one. The last has no name.
        let more = header.opcode == opcode::STAT && header.key > 0 && header.status == 0;
        self.phase = if more { Phase::Part } else { Phase::End };
        skip(at + HEADER, u64::from(header.body), bytes.len())
    }
}
