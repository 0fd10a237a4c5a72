//! What the client sends: commands of the text and the binary protocol.

use super::attributes;
use super::binary::{self, HEADER, Header, opcode};
use super::quiet::{self, Quiet};
use super::text::{self, Form, LONGEST, form, value_length, words};
use crate::contract::{Probe, Progress};
use crate::correlate::{Kind, Messages};
use crate::kit::step::{Step, malformed, need, skip};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Start,
    /// Behind the value or body of a request.
    End,
    /// In the rest of a line longer than `LONGEST`.
    LongLine,
    /// The parser looks for a command after a loss.
    Seek,
}

/// State of the client's direction.
#[derive(Debug, Default)]
pub(super) struct Requests {
    phase: Phase,
    literals: bool,
    /// Bytes of a line that were already searched for its end.
    searched: usize,
    /// Reused text.
    name: String,
}

/// Attribute key of the number of keys.
const BATCH: &str = "db.operation.batch.size";

impl Requests {
    pub(super) fn new(literals: bool) -> Self {
        Self { literals, ..Self::default() }
    }

    pub(super) fn bytes(&self) -> usize {
        self.name.capacity()
    }

    /// Bytes are missing: the next command may begin anywhere.
    pub(super) fn on_gap(&mut self) {
        self.phase = Phase::Seek;
        self.searched = 0;
    }

    pub(super) fn read(&mut self, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            let step = match self.phase {
                Phase::End => {
                    out.close(Kind::Request, 0, at);
                    self.phase = Phase::Start;
                    Step::Go(at)
                }
                _ if at >= bytes.len() => return Progress::Consumed(at),
                Phase::Start if binary::is_magic(bytes[at]) => self.read_binary(bytes, at, out),
                Phase::Start => self.read_line(bytes, at, out),
                Phase::LongLine => self.long_line(bytes, at, out),
                Phase::Seek => self.seek(bytes, at),
            };
            match step {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    /// Reads a command of the text protocol.
    fn read_line(&mut self, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        let found = text::line(rest, self.searched);
        let (line, used) = match found {
            Some(found) => found,
            None if rest.len() > LONGEST => (rest, rest.len()),
            None if self.searched > 0 || can_begin(rest) => {
                self.searched = rest.len();
                return need(at, 1);
            }
            None => return malformed(at),
        };
        self.searched = 0;
        let mut list = words(line);
        let name = list.next().unwrap_or_default();
        let Some(form) = form(name) else {
            // The server replies ERROR to an unknown command, also to an empty line.
            return if found.is_some()
                && name.len() <= 32
                && name.iter().all(|b| b.is_ascii_graphic())
            {
                self.open("unknown", Kind::Request, None, 0, 0, at, out);
                out.close(Kind::Request, 0, at + used);
                Step::Go(at + used)
            } else {
                malformed(at)
            };
        };
        let key = attributes::key_at(form).and_then(|n| words(line).nth(n));
        let keys = match form {
            Form::Get => list.count() as u64,
            Form::GetAndTouch => (list.count() as u64).saturating_sub(1),
            _ => 0,
        };
        let flags = match form {
            Form::Meta => 2,
            Form::MetaStore => 3,
            _ => usize::MAX,
        };
        let (quiet, hash) = quiet::requested(key.unwrap_or_default(), words(line).skip(flags));
        let quiet = match name {
            _ if !quiet => Quiet::Not,
            b"mg" => Quiet::Get,
            b"ms" => Quiet::Set,
            _ => Quiet::Delete,
        };
        let tag = quiet::tag(quiet, hash) | quiet::response_flags(words(line).skip(flags));
        let one_way = name == b"quit"
            || name == b"shutdown"
            || text::honours_noreply(form, name) && line.ends_with(b" noreply");
        let kind = if one_way { Kind::OneWay } else { Kind::Request };
        let name = std::str::from_utf8(name).unwrap_or_default();
        self.open(name, kind, key, keys, tag, at, out);
        if found.is_none() {
            self.phase = Phase::LongLine;
            return Step::Go(at + used);
        }
        self.phase = Phase::End;
        match value_length(form, line) {
            Some(length) if length <= 1 << 31 => skip(at + used, length + 2, bytes.len()),
            _ => Step::Go(at + used),
        }
    }

    /// Counts the keys in the rest of a long line.
    fn long_line(&mut self, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        let end = memchr::memchr(b'\n', rest);
        let part = &rest[..end.unwrap_or(rest.len())];
        let more = memchr::memchr_iter(b' ', part).count();
        if more > 0
            && let Some(entry) = out.current(Kind::Request, 0)
        {
            entry.exchange.attributes.add_int(BATCH, more as i64);
        }
        match end {
            Some(end) => {
                self.phase = Phase::End;
                Step::Go(at + end + 1)
            }
            None => Step::Go(bytes.len()),
        }
    }

    /// Reads the header of a binary command.
    fn read_binary(&mut self, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        if rest.len() < HEADER {
            return need(at, HEADER - rest.len());
        }
        let Some(header) = Header::read(rest).filter(|h| h.is_request) else {
            return malformed(at);
        };
        let before = HEADER + header.before_value();
        if rest.len() < before {
            return need(at, before - rest.len());
        }
        let key = &rest[HEADER + usize::from(header.extras)..before];
        let name = binary::name(header.opcode).unwrap_or_default();
        let sasl = (opcode::SASL_LIST_MECHS..=opcode::SASL_STEP).contains(&header.opcode);
        let quiet = match header.opcode {
            opcode::GETQ | opcode::GETKQ | opcode::GATQ | opcode::GATKQ => Quiet::Get,
            opcode::SETQ..=opcode::PREPENDQ => Quiet::Set,
            _ => Quiet::Not,
        };
        // The response to `quitq` is the end of the connection.
        let kind = if header.opcode == opcode::QUITQ { Kind::OneWay } else { Kind::Request };
        let repeats =
            if matches!(header.opcode, opcode::GETKQ | opcode::GATKQ) { key } else { &[] };
        let hash = quiet::hash(&[&[header.opcode], &header.opaque.to_be_bytes(), repeats]);
        let key = (!key.is_empty() && !sasl).then_some(key);
        self.open(name, kind, key, 0, quiet::tag(quiet, hash), at, out);
        self.phase = Phase::End;
        skip(at + HEADER, u64::from(header.body), bytes.len())
    }

    #[expect(clippy::too_many_arguments, reason = "what there is to say of a command")]
    fn open(
        &mut self,
        name: &str,
        kind: Kind,
        key: Option<&[u8]>,
        keys: u64,
        tag: u16,
        at: usize,
        out: &mut Messages,
    ) {
        let entry = attributes::open_request(name, kind, key, keys, self.literals, at, out);
        entry.notes.tag = tag;
        entry.notes.response_optional = quiet::quiet(tag) != Quiet::Not;
    }

    /// Looks for a command at the beginning of a line.
    fn seek(&mut self, bytes: &[u8], at: usize) -> Step {
        let mut from = at;
        while from < bytes.len() {
            match super::probe::request(&bytes[from..], true) {
                Probe::Yes => {
                    self.phase = Phase::Start;
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

/// Whether a line that is not whole can be a command.
fn can_begin(rest: &[u8]) -> bool {
    rest.iter().take(64).all(|b| b.is_ascii_graphic() || matches!(b, b' ' | b'\r'))
}
