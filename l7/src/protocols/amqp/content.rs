//! Content of a method: its header, and the length of its body.

use super::methods::BASIC;
use crate::correlate::Kind;
use crate::kit::reader::{Reader, first_bytes};
use fact::Attributes;

/// A content that is not complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    pub(super) channel: u16,
    pub(super) kind: Kind,
    pub(super) id: u64,
    /// Bytes of the body that are left, once the header was seen.
    pub(super) left: Option<u64>,
}

/// Bytes of a text that are recorded.
const TEXT: usize = 512;
/// Entries of a table that are read.
const ENTRIES: usize = 256;

/// Size of the body by a content header (AMQP 0-9-1, section 4.2.6.1).
pub(super) fn body_size(header: &[u8]) -> Option<u64> {
    let mut r = Reader::new(header);
    if r.u16()? != BASIC {
        return None;
    }
    r.u16()?;
    r.u64()
}

/// Adds the properties of the class `basic` to the attributes.
pub(super) fn push_properties(header: &[u8], into: &mut Attributes) -> Option<()> {
    into.push_int("messaging.message.body.size", body_size(header)? as i64);
    let mut r = Reader::new(header.get(12..)?);
    let flags = r.u16()?;
    if flags & 1 != 0 {
        // Flags of properties that are not defined.
        return None;
    }
    let has = |bit: u16| flags & (1 << bit) != 0;
    if has(15) {
        into.push_bytes("amqp.content_type", first_bytes(r.bytes8()?, TEXT));
    }
    if has(14) {
        r.bytes8()?;
    }
    if has(13)
        && let Some(parent) = header_field(r.bytes32()?, b"traceparent")
    {
        into.push_bytes("messaging.message.header.traceparent", first_bytes(parent, TEXT));
    }
    if has(12) {
        into.push_bool("amqp.persistent", r.u8()? == 2);
    }
    if has(11) {
        into.push_int("amqp.priority", i64::from(r.u8()?));
    }
    if has(10) {
        into.push_bytes("messaging.message.conversation_id", first_bytes(r.bytes8()?, TEXT));
    }
    if has(9) {
        into.push_bytes("amqp.reply_to", first_bytes(r.bytes8()?, TEXT));
    }
    if has(8) {
        r.bytes8()?;
    }
    if has(7) {
        into.push_bytes("messaging.message.id", first_bytes(r.bytes8()?, TEXT));
    }
    if has(6) {
        r.u64()?;
    }
    if has(5) {
        into.push_bytes("amqp.type", first_bytes(r.bytes8()?, TEXT));
    }
    if has(4) {
        r.bytes8()?;
    }
    if has(3) {
        into.push_bytes("amqp.app_id", first_bytes(r.bytes8()?, TEXT));
    }
    Some(())
}

/// The text of a field of a table (section 4.2.5.5, with the types that RabbitMQ uses).
fn header_field<'a>(table: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    let mut r = Reader::new(table);
    for _ in 0..ENTRIES {
        let name = r.bytes8()?;
        let value = match r.u8()? {
            b'S' | b'x' => r.bytes32()?,
            b'F' | b'A' => r.bytes32().map(|_| &[][..])?,
            b't' | b'b' | b'B' => r.take(1)?,
            b's' | b'u' | b'U' => r.take(2)?,
            b'I' | b'i' | b'f' => r.take(4)?,
            b'D' => r.take(5)?,
            b'L' | b'l' | b'd' | b'T' => r.take(8)?,
            b'V' => &[],
            _ => return None,
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
    }
    None
}
