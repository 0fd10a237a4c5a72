//! Reads the body of a message of any kind. The position is kept between calls, so that bytes can
//! come in any pieces.

use super::bson::{Item, Walk};
use super::header::{
    CHECKSUM, COMMAND, COMMAND_REPLY, DELETE, GET_MORE, INSERT, KILL_CURSORS, MSG, QUERY, REPLY,
    UPDATE, u32_at, wrapped,
};
use super::message_fields::MessageFields;
use crate::kit::framed::FormatStep;

/// Longest name of a collection that servers allow, with its database.
const NAME: usize = 256;

/// Flags of `OP_REPLY`.
const CURSOR_NOT_FOUND: u32 = 1;
const QUERY_FAILURE: u32 = 2;
/// The error code that has the name of the flag.
const CURSOR_NOT_FOUND_CODE: i64 = 43;

#[derive(Clone, Copy, Debug)]
enum Position {
    /// At the first byte behind the header.
    Begin,
    /// At a section of `OP_MSG`.
    Section,
    /// In the document that is read.
    Document(Walk),
    /// In a document sequence with so many bytes still to come.
    Sequence(u64),
    Over,
}

/// A position in a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    opcode: i32,
    is_request: bool,
    position: Position,
    /// Bytes of the checksum at the end.
    checksum: u64,
}

impl Body {
    pub(super) const NONE: Self =
        Self { opcode: 0, is_request: false, position: Position::Over, checksum: 0 };

    /// The body of a message. `is_request`: of a request.
    pub(super) fn new(opcode: i32, is_request: bool) -> Self {
        Self { opcode, is_request, position: Position::Begin, checksum: 0 }
    }

    /// Continues with `bytes`. Of the message, `left` bytes are still to come, with these.
    pub(super) fn step(
        &mut self,
        bytes: &[u8],
        left: u64,
        fields: &mut MessageFields,
    ) -> FormatStep {
        let mut at = 0u64;
        loop {
            let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
            if at > left {
                self.position = Position::Over;
                return FormatStep::Done;
            }
            if at > bytes.len() as u64 {
                return FormatStep::Take(at);
            }
            match self.item(rest, left - at, fields) {
                FormatStep::Take(n) => at += n,
                FormatStep::Need(needed) if needed as u64 <= left - at && at == 0 => {
                    return FormatStep::Need(needed);
                }
                FormatStep::Need(needed) if needed as u64 <= left - at => {
                    return FormatStep::Take(at);
                }
                FormatStep::Need(_) | FormatStep::Done => {
                    self.position = Position::Over;
                    return if at > 0 { FormatStep::Take(at) } else { FormatStep::Done };
                }
            }
        }
    }

    fn item(&mut self, bytes: &[u8], left: u64, fields: &mut MessageFields) -> FormatStep {
        match self.position {
            Position::Over => FormatStep::Done,
            Position::Begin => self.begin(bytes, fields),
            Position::Section if left <= self.checksum => FormatStep::Done,
            Position::Section => match bytes {
                [] => FormatStep::Need(1),
                [0, ..] => {
                    self.position = Position::Document(Walk::default());
                    FormatStep::Take(1)
                }
                [1, ..] => self.sequence(bytes),
                _ => FormatStep::Done,
            },
            Position::Document(mut walk) => {
                let step = self.document(&mut walk, bytes, fields);
                if let Position::Document(position) = &mut self.position {
                    *position = walk;
                }
                step
            }
            Position::Sequence(0) => {
                self.position = Position::Section;
                FormatStep::Take(0)
            }
            Position::Sequence(rest) => {
                let Some(size) = u32_at(bytes, 0).map(u64::from) else {
                    return FormatStep::Need(4);
                };
                let Some(behind) = rest.checked_sub(size).filter(|_| size >= 5) else {
                    return FormatStep::Done;
                };
                fields.documents = fields.documents.saturating_add(1);
                self.position = Position::Sequence(behind);
                FormatStep::Take(size)
            }
        }
    }

    /// Reads what precedes the documents of a message.
    fn begin(&mut self, bytes: &[u8], fields: &mut MessageFields) -> FormatStep {
        let taken = match self.opcode {
            MSG => {
                let Some(flags) = u32_at(bytes, 0) else { return FormatStep::Need(4) };
                self.checksum = if flags & CHECKSUM != 0 { 4 } else { 0 };
                self.position = Position::Section;
                return FormatStep::Take(4);
            }
            REPLY => {
                let (Some(flags), Some(documents)) = (u32_at(bytes, 0), u32_at(bytes, 16)) else {
                    return FormatStep::Need(20);
                };
                if flags & CURSOR_NOT_FOUND != 0 {
                    fields.set_error(CURSOR_NOT_FOUND_CODE);
                } else if flags & QUERY_FAILURE != 0 {
                    fields.set_error(0);
                }
                if documents == 0 {
                    return FormatStep::Done;
                }
                20
            }
            QUERY => match read_namespace(bytes, 4, fields) {
                Ok(end) if fields.collection == "$cmd" => {
                    fields.collection.clear();
                    end + 8
                }
                Ok(_) => {
                    fields.command.push_str("find");
                    return FormatStep::Done;
                }
                Err(step) => return step,
            },
            UPDATE | INSERT | DELETE | GET_MORE => {
                fields.command.push_str(match self.opcode {
                    UPDATE => "update",
                    INSERT => "insert",
                    DELETE => "delete",
                    _ => "getMore",
                });
                return match read_namespace(bytes, 4, fields) {
                    Ok(_) => FormatStep::Done,
                    Err(step) => {
                        fields.command.clear();
                        step
                    }
                };
            }
            KILL_CURSORS => {
                fields.command.push_str("killCursors");
                return FormatStep::Done;
            }
            COMMAND => return self.command(bytes, fields),
            COMMAND_REPLY => 0,
            _ => return FormatStep::Done,
        };
        self.position = Position::Document(Walk::default());
        FormatStep::Take(taken as u64)
    }

    /// `OP_COMMAND`: a database, a command, and documents that are not read.
    fn command(&mut self, bytes: &[u8], fields: &mut MessageFields) -> FormatStep {
        let mut parts = bytes.splitn(3, |byte| *byte == 0);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(database), Some(command), Some(_)) => {
                fields.database.push_str(&String::from_utf8_lossy(database));
                fields.command.push_str(&String::from_utf8_lossy(command));
                FormatStep::Done
            }
            _ if bytes.len() < 2 * NAME => FormatStep::Need(bytes.len() + 1),
            _ => FormatStep::Done,
        }
    }

    /// Reads the header of a document sequence.
    fn sequence(&mut self, bytes: &[u8]) -> FormatStep {
        let Some(size) = u32_at(bytes, 1).map(u64::from) else { return FormatStep::Need(5) };
        let name = bytes.get(5..).unwrap_or_default();
        let Some(end) = name.iter().take(NAME).position(|byte| *byte == 0) else {
            return if name.len() < NAME {
                FormatStep::Need(bytes.len() + 1)
            } else {
                FormatStep::Done
            };
        };
        let Some(rest) = size.checked_sub(5 + end as u64) else { return FormatStep::Done };
        self.position = Position::Sequence(rest);
        FormatStep::Take(6 + end as u64)
    }

    fn document(
        &mut self,
        walk: &mut Walk,
        bytes: &[u8],
        fields: &mut MessageFields,
    ) -> FormatStep {
        match walk.next(bytes) {
            Item::Need(needed) => FormatStep::Need(needed),
            Item::Length(n) => FormatStep::Take(n),
            Item::End(n) => {
                self.position = if self.opcode == MSG { Position::Section } else { Position::Over };
                FormatStep::Take(n)
            }
            Item::Element { name, value, length } => {
                if !self.is_request {
                    fields.on_reply_element(name, value);
                } else if fields.command.is_empty() {
                    let (name, value) = wrapped(name, value).unwrap_or((name, value));
                    fields.on_command_element(name, value);
                } else {
                    fields.on_command_element(name, value);
                }
                FormatStep::Take(length)
            }
            Item::Malformed => match walk.left() {
                0 => FormatStep::Done,
                left => {
                    self.position = Position::Section;
                    if self.opcode == MSG { FormatStep::Take(left) } else { FormatStep::Done }
                }
            },
        }
    }
}

/// Reads the full name of a collection at `at`. Returns where it ends.
fn read_namespace(
    bytes: &[u8],
    at: usize,
    fields: &mut MessageFields,
) -> Result<usize, FormatStep> {
    let name = bytes.get(at..).ok_or(FormatStep::Need(at))?;
    match name.iter().take(NAME).position(|byte| *byte == 0) {
        Some(end) => {
            fields.namespace(name.get(..end).unwrap_or_default());
            Ok(at + end + 1)
        }
        None if name.len() < NAME => Err(FormatStep::Need(bytes.len() + 1)),
        None => Err(FormatStep::Done),
    }
}
