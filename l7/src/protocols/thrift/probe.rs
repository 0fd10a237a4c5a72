//! Recognises the headers of messages.

use wire::Direction;

use super::header::{self, Encoding, Read};
use crate::contract::{Clue, Probe};

/// Shortest method by which a message without a length is recognised on an unusual port.
const LEAST_NAME: usize = 3;

/// Whether bytes begin a message that this side sends.
pub(super) fn probe(bytes: &[u8], direction: Direction, clue: &Clue) -> Probe {
    match header::read(bytes) {
        Read::Header(header) => {
            let from_here = header.kind.is_from_client() == (direction == Direction::ToServer);
            // The compact protocol has but two bytes that could not be anything.
            let short = header.encoding == Encoding::Compact && header.name.len() < LEAST_NAME;
            let weak = header.is_old_binary || short && header.frame.is_none();
            if from_here && (clue.usual || !weak) { Probe::Yes } else { Probe::No }
        }
        // Lengths alone could be anything.
        Read::More(_) if clue.usual || is_distinctive(bytes) => Probe::More,
        Read::More(_) | Read::Invalid => Probe::No,
    }
}

/// Whether more than a length is there.
fn is_distinctive(bytes: &[u8]) -> bool {
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
