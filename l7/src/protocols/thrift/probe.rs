//! Recognises Thrift by the first bytes of a connection.

use wire::Direction;

use super::head::{self, Read};
use crate::contract::{Clue, Probe};

/// Whether bytes begin a message of the side that sends such messages.
pub(super) fn probe(bytes: &[u8], direction: Direction, clue: &Clue) -> Probe {
    match head::read(bytes) {
        Read::Head(head) => {
            let from_here = head.kind.asks() == (direction == Direction::ToServer);
            if from_here && (clue.usual || !head.old) { Probe::Yes } else { Probe::No }
        }
        // Lengths alone could be anything.
        Read::More(_) if clue.usual || strong(bytes) => Probe::More,
        Read::More(_) | Read::Not => Probe::No,
    }
}

/// Whether more of it than a length was seen.
fn strong(bytes: &[u8]) -> bool {
    match *bytes {
        [0x80] | [0x82] => true,
        [0x80, 1, ..] | [0x82, 0x21 | 0x41 | 0x61 | 0x81, ..] => true,
        [0, ..] if bytes.len() <= 4 => true,
        [_, _, _, _, 0x80] | [_, _, _, _, 0x82] | [_, _, _, _, 0x0f] => true,
        [_, _, _, _, 0x80, 1, ..]
        | [_, _, _, _, 0x82, 0x21 | 0x41 | 0x61 | 0x81, ..]
        | [_, _, _, _, 0x0f, 0xff, ..] => true,
        _ => false,
    }
}
