//! Attributes of responses.

use super::envelope::{Envelope, PAYLOAD, TRACING, WARNINGS};
use super::errors;
use super::opcodes::{ERROR, EVENT, RESULT};
use super::request::custom_payload;
use super::session::CqlSession;
use crate::kit::reader::{Reader, first_bytes};
use fact::Exchange;

/// Bytes of a name that are recorded.
const NAME: usize = 128;

/// Adds a response (section 4.2) to its exchange, as far as its body is there.
pub(super) fn push_response(
    envelope: Envelope,
    body: &[u8],
    session: &mut CqlSession,
    into: &mut Exchange,
) -> Option<()> {
    let mut r = Reader::new(body);
    if envelope.flags & TRACING != 0 {
        r.take(16)?;
    }
    if envelope.flags & WARNINGS != 0 {
        let number = r.u16()?;
        into.attributes.push_int("cassandra.warnings", i64::from(number));
        for _ in 0..number {
            r.bytes16()?;
        }
    }
    if envelope.flags & PAYLOAD != 0 {
        custom_payload(&mut r)?;
    }
    match envelope.opcode {
        ERROR => {
            session.on_prepared(envelope.stream, None);
            into.outcome = errors::push_error(r.u32()?, &mut into.attributes);
        }
        RESULT => push_result(envelope, &mut r, session, into)?,
        EVENT => {
            into.attributes.push_bytes("cassandra.event", first_bytes(r.bytes16()?, NAME));
            into.attributes.push_bytes("cassandra.change", first_bytes(r.bytes16()?, NAME));
        }
        _ => {}
    }
    Some(())
}

/// A RESULT (section 4.2.5).
fn push_result(
    envelope: Envelope,
    r: &mut Reader<'_>,
    session: &mut CqlSession,
    into: &mut Exchange,
) -> Option<()> {
    let name = match r.u32()? {
        1 => "void",
        2 => {
            let (flags, _columns) = (r.u32()?, r.u32()?);
            if flags & 2 != 0 {
                into.attributes.push_bool("cassandra.more_pages", true);
                r.bytes32()?;
            }
            if flags & 8 != 0 {
                r.bytes16()?;
            }
            if flags & 4 != 0 {
                into.attributes.push_int("db.response.returned_rows", i64::from(r.u32()?));
            }
            "rows"
        }
        3 => {
            let keyspace = first_bytes(r.bytes16()?, NAME);
            session.keyspace.clear();
            session.keyspace.push_str(&String::from_utf8_lossy(keyspace));
            "set_keyspace"
        }
        4 => {
            session.on_prepared(envelope.stream, Some(r.bytes16()?));
            "prepared"
        }
        5 => "schema_change",
        _ => return None,
    };
    into.attributes.push_text("cassandra.result", name);
    Some(())
}
