//! Consistency levels.

use super::opcodes;
use crate::kit::reader::Reader;
use fact::Attributes;

/// Reads a consistency level and adds it to the attributes.
pub(super) fn consistency(r: &mut Reader<'_>, into: &mut Attributes) -> Option<()> {
    into.push_text("cassandra.consistency.level", opcodes::consistency(r.u16()?)?);
    Some(())
}
