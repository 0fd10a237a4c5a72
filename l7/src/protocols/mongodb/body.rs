//! Goes through the body of a message of any kind, and keeps its place.

use super::bson::{Item, Walk};
use super::head::{
    CHECKSUM, COMMAND, COMMAND_REPLY, DELETE, GET_MORE, INSERT, KILL_CURSORS, MSG, QUERY, REPLY, UPDATE,
    u32_at, wrapped,
};
use super::told::Told;
use crate::kit::framed::Step;

/// Longest name of a collection, as servers have it.
const NAME: usize = 256;

#[derive(Clone, Copy, Debug)]
enum Place {
    /// At the first byte behind the head.
    Begin,
    /// At a section of `OP_MSG`.
    Section,
    /// In the document that is told.
    Document(Walk),
    /// In a sequence of documents with so many bytes still to come.
    Sequence(u64),
    Over,
}

/// A place in a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    opcode: i32,
    asked: bool,
    place: Place,
    /// Bytes at the end that are a checksum.
    checksum: u64,
}

impl Body {
    pub(super) const NONE: Self = Self { opcode: 0, asked: false, place: Place::Over, checksum: 0 };

    /// The body of a message; `asked`: of a request.
    pub(super) fn new(opcode: i32, asked: bool) -> Self {
        Self { opcode, asked, place: Place::Begin, checksum: 0 }
    }

    /// Goes on with `bytes`, behind which the message has more up to `left` in all.
    pub(super) fn step(&mut self, bytes: &[u8], left: u64, told: &mut Told) -> Step {
        let mut at = 0u64;
        loop {
            let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
            if at > left {
                self.place = Place::Over;
                return Step::Done;
            }
            if at > bytes.len() as u64 {
                return Step::Take(at);
            }
            match self.item(rest, left - at, told) {
                Step::Take(n) => at += n,
                Step::Need(needed) if needed as u64 <= left - at && at == 0 => return Step::Need(needed),
                Step::Need(needed) if needed as u64 <= left - at => return Step::Take(at),
                Step::Need(_) | Step::Done => {
                    self.place = Place::Over;
                    return if at > 0 { Step::Take(at) } else { Step::Done };
                }
            }
        }
    }

    fn item(&mut self, bytes: &[u8], left: u64, told: &mut Told) -> Step {
        match self.place {
            Place::Over => Step::Done,
            Place::Begin => self.begin(bytes, told),
            Place::Section if left <= self.checksum => Step::Done,
            Place::Section => match bytes {
                [] => Step::Need(1),
                [0, ..] => {
                    self.place = Place::Document(Walk::default());
                    Step::Take(1)
                }
                [1, ..] => self.sequence(bytes),
                _ => Step::Done,
            },
            Place::Document(mut walk) => {
                let step = self.document(&mut walk, bytes, told);
                if let Place::Document(place) = &mut self.place {
                    *place = walk;
                }
                step
            }
            Place::Sequence(0) => {
                self.place = Place::Section;
                Step::Take(0)
            }
            Place::Sequence(rest) => {
                let Some(size) = u32_at(bytes, 0).map(u64::from) else { return Step::Need(4) };
                let Some(behind) = rest.checked_sub(size).filter(|_| size >= 5) else { return Step::Done };
                told.documents = told.documents.saturating_add(1);
                self.place = Place::Sequence(behind);
                Step::Take(size)
            }
        }
    }

    fn begin(&mut self, bytes: &[u8], told: &mut Told) -> Step {
        let taken = match self.opcode {
            MSG => {
                let Some(flags) = u32_at(bytes, 0) else { return Step::Need(4) };
                self.checksum = if flags & CHECKSUM != 0 { 4 } else { 0 };
                self.place = Place::Section;
                return Step::Take(4);
            }
            REPLY => {
                let (Some(flags), Some(documents)) = (u32_at(bytes, 0), u32_at(bytes, 16)) else {
                    return Step::Need(20);
                };
                if flags & 1 != 0 {
                    told.failed(43);
                } else if flags & 2 != 0 {
                    told.failed(0);
                }
                if documents == 0 {
                    return Step::Done;
                }
                20
            }
            QUERY => match named(bytes, 4, told) {
                Ok(end) if told.collection == "$cmd" => {
                    told.collection.clear();
                    end + 8
                }
                Ok(_) => {
                    told.command.push_str("find");
                    return Step::Done;
                }
                Err(step) => return step,
            },
            UPDATE | INSERT | DELETE | GET_MORE => {
                told.command.push_str(match self.opcode {
                    UPDATE => "update",
                    INSERT => "insert",
                    DELETE => "delete",
                    _ => "getMore",
                });
                return match named(bytes, 4, told) {
                    Ok(_) => Step::Done,
                    Err(step) => {
                        told.command.clear();
                        step
                    }
                };
            }
            KILL_CURSORS => {
                told.command.push_str("killCursors");
                return Step::Done;
            }
            COMMAND => return self.command(bytes, told),
            COMMAND_REPLY => 0,
            _ => return Step::Done,
        };
        self.place = Place::Document(Walk::default());
        Step::Take(taken as u64)
    }

    /// `OP_COMMAND`: a database, a command, and documents that say nothing more.
    fn command(&mut self, bytes: &[u8], told: &mut Told) -> Step {
        let mut parts = bytes.splitn(3, |byte| *byte == 0);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(database), Some(command), Some(_)) => {
                told.database.push_str(&String::from_utf8_lossy(database));
                told.command.push_str(&String::from_utf8_lossy(command));
                Step::Done
            }
            _ if bytes.len() < 2 * NAME => Step::Need(bytes.len() + 1),
            _ => Step::Done,
        }
    }

    fn sequence(&mut self, bytes: &[u8]) -> Step {
        let Some(size) = u32_at(bytes, 1).map(u64::from) else { return Step::Need(5) };
        let name = bytes.get(5..).unwrap_or_default();
        let Some(end) = name.iter().take(NAME).position(|byte| *byte == 0) else {
            return if name.len() < NAME { Step::Need(bytes.len() + 1) } else { Step::Done };
        };
        let Some(rest) = size.checked_sub(5 + end as u64) else { return Step::Done };
        self.place = Place::Sequence(rest);
        Step::Take(6 + end as u64)
    }

    fn document(&mut self, walk: &mut Walk, bytes: &[u8], told: &mut Told) -> Step {
        match walk.next(bytes) {
            Item::Need(needed) => Step::Need(needed),
            Item::Length(n) => Step::Take(n),
            Item::End(n) => {
                self.place = if self.opcode == MSG { Place::Section } else { Place::Over };
                Step::Take(n)
            }
            Item::Element { name, value, length } => {
                if !self.asked {
                    told.answered(name, value);
                } else if told.command.is_empty() {
                    let (name, value) = wrapped(name, value).unwrap_or((name, value));
                    told.asked(name, value);
                } else {
                    told.asked(name, value);
                }
                Step::Take(length)
            }
            Item::Broken => match walk.left() {
                0 => Step::Done,
                left => {
                    self.place = Place::Section;
                    if self.opcode == MSG { Step::Take(left) } else { Step::Done }
                }
            },
        }
    }
}

/// The name of a collection at `at`; where what follows it begins.
fn named(bytes: &[u8], at: usize, told: &mut Told) -> Result<usize, Step> {
    let name = bytes.get(at..).ok_or(Step::Need(at))?;
    match name.iter().take(NAME).position(|byte| *byte == 0) {
        Some(end) => {
            told.namespace(name.get(..end).unwrap_or_default());
            Ok(at + end + 1)
        }
        None if name.len() < NAME => Err(Step::Need(bytes.len() + 1)),
        None => Err(Step::Done),
    }
}
