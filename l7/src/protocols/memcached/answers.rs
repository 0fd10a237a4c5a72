//! Answers of the server.

use super::binary::{self, HEADER, Header};
use super::quiet::{self, Quiet};
use super::tell;
use super::text::{self, LONGEST, is_answer, number, words};
use crate::contract::Progress;
use crate::correlate::{Kind, Messages};
use crate::kit::step::{Step, malformed, need, skip};
use fact::Outcome;

/// Key of how many values were found.
const FOUND: &str = "db.response.returned_rows";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Start,
    /// Inside of an answer in several lines.
    Items,
    /// Behind the body of an answer.
    End,
    /// Behind the body of one part of a binary answer in several.
    Part,
}

/// What the server says.
#[derive(Debug, Default)]
pub(super) struct Answers {
    phase: Phase,
    searched: usize,
}

impl Answers {
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
                Phase::Start | Phase::Part if binary::is_magic(bytes[at]) => self.binary(bytes, at, out),
                Phase::Start | Phase::Items => self.line(bytes, at, out),
                Phase::Part => malformed(at),
            };
            match step {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    fn line(&mut self, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
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
            _ if is_answer(word) => (Phase::End, 0),
            _ => return malformed(at),
        };
        if self.phase == Phase::Start {
            self.open(word, line, at, out);
        }
        if let Some(entry) = out.current(Kind::Response, 0) {
            match word {
                b"VALUE" | b"VA" => entry.exchange.attributes.add_int(FOUND, 1),
                _ => tell::word(entry, word),
            }
        }
        self.phase = phase;
        skip(at + used, body.min(1 << 32), bytes.len())
    }

    /// Begins the answer to the next request, leaving out those that are quiet about what they have
    /// to say.
    fn open(&mut self, word: &[u8], line: &[u8], at: usize, out: &mut Messages) {
        let repeated = match word {
            b"VA" => quiet::repeated(words(line).skip(2)),
            b"HD" | b"EN" | b"NS" | b"EX" | b"NF" => quiet::repeated(words(line).skip(1)),
            _ => 0,
        };
        while let Some(tag) = out.next_tag() {
            let quiet = quiet::quiet(tag);
            if quiet == Quiet::Not || !quiet::leaves_out(tag, word) && quiet::fits(tag, repeated) {
                break;
            }
            out.skip_request();
        }
        self.begin(at, out);
    }

    fn begin(&mut self, at: usize, out: &mut Messages) {
        let entry = out.open(Kind::Response, 0, at);
        if entry.exchange.request.is_none() {
            entry.exchange.attributes.push_text("db.system.name", "memcached");
        }
    }

    fn binary(&mut self, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        if rest.len() < HEADER {
            return need(at, HEADER - rest.len());
        }
        let Some(header) = Header::read(rest).filter(|h| !h.is_request) else { return malformed(at) };
        let before = HEADER + header.before_value();
        if rest.len() < before {
            return need(at, before - rest.len());
        }
        let key = &rest[HEADER + usize::from(header.extras)..before];
        let repeats = if matches!(header.opcode, 0x0d | 0x24) { key } else { &[] };
        let hash = quiet::hash(&[&[header.opcode], &header.opaque.to_be_bytes(), repeats]);
        if self.phase == Phase::Start {
            // What it repeats says whose it is. What the server passed over was quiet, or its
            // answer was not seen.
            if out.any_pending(|tag| quiet::fits(tag, hash)) {
                while out.next_tag().is_some_and(|tag| !quiet::fits(tag, hash)) {
                    out.skip_request();
                }
            } else {
                while out.next_tag().is_some_and(|tag| quiet::quiet(tag) != Quiet::Not) {
                    out.skip_request();
                }
                out.expect_orphan_response();
            }
            self.begin(at, out);
        }
        if let Some(entry) = out.current(Kind::Response, 0)
            && let Some(code) = binary::status(header.status)
        {
            let outcome = match header.status {
                0x01 | 0x02 | 0x05 | 0x21 => Outcome::Ok,
                0x03 | 0x04 | 0x06 | 0x20 | 0x81 => Outcome::ClientError,
                _ => Outcome::ServerError,
            };
            tell::said(&mut entry.exchange, code, outcome);
        }
        // Statistics come one by one; the last has no name.
        let more = header.opcode == 0x10 && header.key > 0 && header.status == 0;
        self.phase = if more { Phase::Part } else { Phase::End };
        skip(at + HEADER, u64::from(header.body), bytes.len())
    }
}
