//! The BATCH request.

use super::consistency::consistency;
use super::session::CqlSession;
use crate::kit::reader::Reader;
use crate::kit::sql::Dialect;
use fact::Attributes;

/// Adds a BATCH (section 4.1.7) to the attributes: the first statement, the number of statements,
/// and the consistency where all of the body is there.
pub(super) fn push_batch(
    r: &mut Reader<'_>,
    session: &mut CqlSession,
    into: &mut Attributes,
) -> Option<()> {
    r.u8()?;
    let number = r.u16()?;
    into.push_int("db.operation.batch.size", i64::from(number));
    for n in 0..number {
        if r.u8()? == 0 {
            let len = r.u32()? as usize;
            let text = r.take(len.min(r.len()))?;
            if n == 0 {
                session.statement.read(text, Dialect::CQL, session.literals);
                session.statement.push_attributes(into);
            }
            if text.len() < len {
                return None;
            }
        } else {
            let id = r.bytes16()?;
            if n == 0
                && let Some(statement) = session.prepared.get(id)
            {
                statement.push_attributes(into);
            }
        }
        for _ in 0..r.u16()? {
            // Null and "not set" have no bytes.
            let len = r.i32()?;
            r.take(usize::try_from(len).unwrap_or(0))?;
        }
    }
    consistency(r, into)
}
