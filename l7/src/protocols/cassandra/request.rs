//! Attributes of requests.

use super::batch;
use super::compressed::Compression;
use super::consistency::consistency;
use super::envelope::{Envelope, PAYLOAD};
use super::opcodes::{BATCH, EXECUTE, PREPARE, QUERY, STARTUP};
use super::session::CqlSession;
use crate::kit::reader::Reader;
use crate::kit::sql::Dialect;
use fact::Attributes;

/// Entries of a map that are read.
const ENTRIES: u16 = 64;

/// Adds a request (section 4.1) to the attributes, as far as its body is there. AUTH_RESPONSE is
/// not read.
pub(super) fn push_request(
    envelope: Envelope,
    body: &[u8],
    session: &mut CqlSession,
    into: &mut Attributes,
) -> Option<()> {
    let mut r = Reader::new(body);
    if envelope.flags & PAYLOAD != 0 {
        custom_payload(&mut r)?;
    }
    if matches!(envelope.opcode, QUERY | PREPARE | EXECUTE | BATCH) && !session.keyspace.is_empty()
    {
        into.push_text("db.namespace", &session.keyspace);
    }
    match envelope.opcode {
        QUERY | PREPARE => {
            let len = r.u32()? as usize;
            let text = r.take(len.min(r.len()))?;
            session.statement.read(text, Dialect::CQL, session.literals);
            session.statement.push_attributes(into);
            if envelope.opcode == PREPARE {
                session.prepare(envelope.stream);
            } else if text.len() == len {
                consistency(&mut r, into)?;
            }
        }
        EXECUTE => {
            let id = r.bytes16()?;
            if let Some(statement) = session.prepared.get(id) {
                statement.push_attributes(into);
            }
            if envelope.version >= 5 {
                r.bytes16()?;
            }
            consistency(&mut r, into)?;
        }
        BATCH => batch::push_batch(&mut r, session, into)?,
        _ => {}
    }
    Some(())
}

/// Passes over the custom payload that a flag puts in front of a body.
pub(super) fn custom_payload(r: &mut Reader<'_>) -> Option<()> {
    for _ in 0..r.u16()? {
        r.bytes16()?;
        let len = r.i32()?;
        r.take(usize::try_from(len).unwrap_or(0))?;
    }
    Some(())
}

/// The compression in the options of a STARTUP.
pub(super) fn compression(envelope: Envelope, body: &[u8]) -> Option<Compression> {
    if envelope.opcode != STARTUP {
        return None;
    }
    let mut r = Reader::new(body);
    for _ in 0..r.u16()?.min(ENTRIES) {
        let (name, value) = (r.bytes16()?, r.bytes16()?);
        if name.eq_ignore_ascii_case(b"COMPRESSION") {
            return Some(match value.to_ascii_lowercase().as_slice() {
                b"lz4" => Compression::Lz4,
                b"snappy" => Compression::Snappy,
                _ => Compression::None,
            });
        }
    }
    None
}
