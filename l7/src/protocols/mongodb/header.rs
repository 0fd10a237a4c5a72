//! Headers of messages (MongoDB manual, "Wire Protocol"), and how a message is recognised. Numbers
//! are little-endian.

use wire::Direction;

use super::bson::{Value, elements};
use crate::contract::Probe;

/// Length of a document without elements.
const EMPTY_DOCUMENT: u32 = 5;
/// Longest name of an element by which a document is recognised.
const LONGEST_NAME: usize = 128;
/// Length of the header.
pub(super) const HEADER: usize = 16;
/// Longest message. Servers accept 48,000,000 bytes.
const LONGEST: u64 = 64 << 20;

pub(super) const REPLY: i32 = 1;
pub(super) const UPDATE: i32 = 2001;
pub(super) const INSERT: i32 = 2002;
pub(super) const QUERY: i32 = 2004;
pub(super) const GET_MORE: i32 = 2005;
pub(super) const DELETE: i32 = 2006;
pub(super) const KILL_CURSORS: i32 = 2007;
pub(super) const COMMAND: i32 = 2010;
pub(super) const COMMAND_REPLY: i32 = 2011;
pub(super) const COMPRESSED: i32 = 2012;
pub(super) const MSG: i32 = 2013;

/// Flag of `OP_MSG`: four bytes at the end are a checksum.
pub(super) const CHECKSUM: u32 = 1;
/// Flag of `OP_MSG`: another message follows without a request. A request with this flag gets no
/// response.
pub(super) const MORE_TO_COME: u32 = 2;
/// Flags that a reader may ignore without knowing them.
const OPTIONAL: u32 = 0xffff_0000;

/// Fields of a header behind the length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: u32,
    pub(super) response_to: u32,
    pub(super) opcode: i32,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        let word =
            |n: usize| u32::from_le_bytes([header[n], header[n + 1], header[n + 2], header[n + 3]]);
        Some(Self { id: word(4), response_to: word(8), opcode: word(12) as i32 })
    }

    fn is_known(&self) -> bool {
        matches!(self.opcode, REPLY | UPDATE..=KILL_CURSORS | COMMAND..=MSG)
    }

    /// Whether it can be sent in this direction.
    fn is_allowed(&self, direction: Direction) -> bool {
        let answers = matches!(self.opcode, REPLY | COMMAND_REPLY);
        match direction {
            Direction::ToServer => !answers && self.response_to == 0,
            Direction::ToClient => answers || self.response_to != 0 && self.opcode >= COMPRESSED,
        }
    }
}

/// Length of a message. None if it is not one of this protocol.
pub(super) fn length(bytes: &[u8]) -> Option<u64> {
    let length = u64::from(u32_at(bytes, 0)?);
    let header = Header::read(bytes)?;
    ((HEADER as u64 + 1..=LONGEST).contains(&length) && header.is_known()).then_some(length)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Whether bytes begin a message that is sent in this direction.
pub(super) fn is_message(bytes: &[u8], direction: Direction) -> Probe {
    if matches!(bytes, [_, _, _, 4..=255, ..]) {
        return Probe::No;
    }
    let is_request = direction == Direction::ToServer;
    if bytes.len() < HEADER {
        let zero = bytes.iter().skip(8).take(4).all(|byte| *byte == 0);
        let small = bytes.get(14..).unwrap_or_default().iter().all(|byte| *byte == 0);
        return if small && (zero || !is_request) { Probe::More } else { Probe::No };
    }
    let (Some(length), Some(header)) = (length(bytes), Header::read(bytes)) else {
        return Probe::No;
    };
    if !header.is_allowed(direction) {
        return Probe::No;
    }
    let body = bytes.get(HEADER..).unwrap_or_default();
    let behind = length - HEADER as u64;
    match header.opcode {
        MSG => is_msg(body, behind),
        COMPRESSED => match body {
            [a, b, _, _, _, _, _, high, compressor, ..] => {
                let original = u16::from_le_bytes([*a, *b]);
                let known = original == 1 || (2001..=2013).contains(&original);
                if known && *high < 4 && *compressor < 4 { Probe::Yes } else { Probe::No }
            }
            _ if behind < 9 => Probe::No,
            _ => Probe::More,
        },
        REPLY => is_reply(body, behind),
        COMMAND | COMMAND_REPLY => Probe::No,
        KILL_CURSORS => match (u32_at(body, 0), u32_at(body, 4)) {
            (Some(0), Some(count)) if u64::from(count) * 8 + 8 == behind => Probe::Yes,
            (Some(_), Some(_)) => Probe::No,
            _ => Probe::More,
        },
        _ => is_named(body, behind, header.opcode == QUERY),
    }
}

/// `OP_MSG`: known flags, and a section whose length fits.
fn is_msg(body: &[u8], behind: u64) -> Probe {
    let (Some(flags), Some(&kind)) = (u32_at(body, 0), body.get(4)) else {
        return if behind < 10 { Probe::No } else { Probe::More };
    };
    if flags & !(OPTIONAL | CHECKSUM | MORE_TO_COME) != 0 || kind > 1 {
        return Probe::No;
    }
    let Some(size) = u32_at(body, 5) else { return Probe::More };
    if !(5..=behind.saturating_sub(5)).contains(&u64::from(size)) {
        return Probe::No;
    }
    let rest = body.get(9..).unwrap_or_default();
    match rest.first() {
        None => Probe::More,
        Some(_) if kind == 0 => begins_document(size, rest),
        Some(b'a'..=b'z') => Probe::Yes,
        Some(_) => Probe::No,
    }
}

/// `OP_REPLY`: known flags, and documents that have room.
fn is_reply(body: &[u8], behind: u64) -> Probe {
    let (Some(flags), Some(documents)) = (u32_at(body, 0), u32_at(body, 16)) else {
        return if behind < 20 { Probe::No } else { Probe::More };
    };
    if flags > 15 || documents == 0 || u64::from(documents) * 5 + 20 > behind {
        return Probe::No;
    }
    match u32_at(body, 20) {
        Some(size) if (5..=behind - 20).contains(&u64::from(size)) => {
            begins_document(size, body.get(24..).unwrap_or_default())
        }
        Some(_) => Probe::No,
        None => Probe::More,
    }
}

/// Whether bytes can stand behind the length of a document, `size`: the type of an element and its
/// name, or the end of an empty one.
fn begins_document(size: u32, bytes: &[u8]) -> Probe {
    let name = match bytes {
        [] => return Probe::More,
        [0, ..] => return if size == EMPTY_DOCUMENT { Probe::Yes } else { Probe::No },
        [1..=0x13, name @ ..] => &name[..name.len().min(LONGEST_NAME)],
        _ => return Probe::No,
    };
    let end = memchr::memchr(0, name);
    let there = name.get(..end.unwrap_or(name.len())).unwrap_or_default();
    match end {
        _ if !there.iter().all(|byte| *byte > b' ' && *byte != 0x7f) => Probe::No,
        Some(_) => Probe::Yes,
        None if name.len() < LONGEST_NAME => Probe::More,
        None => Probe::No,
    }
}

/// Legacy messages that begin with flags and the name of a collection.
fn is_named(body: &[u8], behind: u64, query: bool) -> Probe {
    let Some(flags) = u32_at(body, 0) else { return Probe::More };
    let name = body.get(4..).unwrap_or_default();
    let end = name.iter().take(256).position(|byte| *byte == 0);
    let there = name.get(..end.unwrap_or(name.len().min(256))).unwrap_or_default();
    if flags > 0xff || !there.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return Probe::No;
    }
    let Some(end) = end else { return if name.len() < 256 { Probe::More } else { Probe::No } };
    if !there.contains(&b'.') {
        return Probe::No;
    }
    if !query {
        return Probe::Yes;
    }
    let at = 4 + end + 1 + 8;
    match u32_at(body, at) {
        Some(size) if (5..=behind.saturating_sub(at as u64)).contains(&u64::from(size)) => {
            Probe::Yes
        }
        Some(_) => Probe::No,
        None => Probe::More,
    }
}

/// The first element of a document that is wrapped as `{$query: {…}}`.
pub(super) fn wrapped<'a>(name: &[u8], value: Value<'a>) -> Option<(&'a [u8], Value<'a>)> {
    match value {
        Value::Inner(inner) if matches!(name, b"$query" | b"query") => elements(inner).next(),
        _ => None,
    }
}
