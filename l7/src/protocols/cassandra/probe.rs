//! Recognises CQL by the first bytes of a connection.

use memchr::memmem;
use wire::Direction;

use super::envelope::{Envelope, HEADER, frame};
use super::opcodes::{OPTIONS, STARTUP, SUPPORTED};
use super::segment::Segment;
use crate::contract::{Clue, Probe};
use crate::kit::frames::Frame;

/// What begins a connection proves itself by the name of an option, a segment by its checksum and
/// what it holds.
pub(super) fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
    let begins = clue.at_start && direction == Direction::ToServer;
    if let Some((_, segment)) = Segment::detect(head)
        && !begins
    {
        let inner = head.get(segment.header..).unwrap_or_default();
        let holds = segment.unpacked.is_some() || Envelope::read(inner, direction).is_some();
        return match (holds, clue.usual) {
            (_, true) | (true, false) => Probe::Yes,
            (false, false) => Probe::No,
        };
    }
    let Some(envelope) = Envelope::read(head, direction) else {
        return if head.len() < HEADER && clue.usual && frame(head, direction) == Frame::Part {
            Probe::More
        } else {
            Probe::No
        };
    };
    let body = head.get(HEADER..).unwrap_or_default();
    match envelope.opcode {
        STARTUP | SUPPORTED if memmem::find(body, b"CQL_VERSION").is_some() => Probe::Yes,
        _ if !clue.usual => Probe::No,
        OPTIONS => {
            if envelope.body == 0 {
                Probe::Yes
            } else {
                Probe::No
            }
        }
        // A client begins with OPTIONS or STARTUP.
        _ if begins => Probe::No,
        _ => match body.get(envelope.body..) {
            Some(next) if !next.is_empty() && frame(next, direction) == Frame::No => Probe::No,
            _ => Probe::Yes,
        },
    }
}
