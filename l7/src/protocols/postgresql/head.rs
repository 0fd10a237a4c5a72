//! Type and length of a message.

use wire::Direction;

use crate::kit::frames::Frame;

/// Type and length of a message.
pub(super) const HEAD: usize = 5;
/// Longest message that a server takes or sends (`PQ_LARGE_MESSAGE_LIMIT`).
const LONGEST: usize = 0x3fff_ffff;

/// Type of a message and length of its body; none if no message of this direction begins like this.
pub(super) fn head(direction: Direction, bytes: &[u8; HEAD]) -> Option<(u8, usize)> {
    let [kind, length @ ..] = *bytes;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?.checked_sub(4)?;
    let bounds = match direction {
        Direction::ToServer => from_client(kind),
        Direction::ToClient => from_server(kind),
    };
    bounds.is_some_and(|(least, most)| (least..=most).contains(&length)).then_some((kind, length))
}

/// Bounds of the body of a client's message.
fn from_client(kind: u8) -> Option<(usize, usize)> {
    Some(match kind {
        b'Q' => (1, LONGEST),
        b'P' => (4, LONGEST),
        b'B' => (8, LONGEST),
        b'E' => (5, 1024),
        b'D' | b'C' => (2, 1024),
        b'H' | b'S' | b'X' | b'c' => (0, 0),
        b'F' => (10, LONGEST),
        b'p' => (0, 65_535),
        b'd' => (0, LONGEST),
        b'f' => (1, 65_535),
        _ => return None,
    })
}

/// Bounds of the body of a server's message.
fn from_server(kind: u8) -> Option<(usize, usize)> {
    Some(match kind {
        b'1' | b'2' | b'3' | b'n' | b'I' | b's' | b'c' => (0, 0),
        b'Z' => (1, 1),
        b'K' => (8, 260),
        b'R' => (4, 65_535),
        b'S' => (2, 65_535),
        b'E' | b'N' => (1, 1 << 20),
        b'A' => (6, 65_535),
        b'C' => (2, 256),
        b'T' | b't' => (2, 1 << 24),
        b'G' | b'H' | b'W' => (3, 65_535),
        b'V' => (4, LONGEST),
        b'v' => (8, 65_535),
        b'D' => (2, LONGEST),
        b'd' => (0, LONGEST),
        _ => return None,
    })
}

/// Whether the body can be that of such a message, as far as it is there.
fn fits(direction: Direction, kind: u8, length: usize, body: &[u8]) -> bool {
    let whole = body.len() == length;
    let ends = |byte: u8| !whole || body.last() == Some(&byte);
    let text = |bytes: &[u8]| bytes.iter().all(|b| *b >= b' ' || matches!(b, b'\t' | b'\n' | b'\r'));
    match (direction, kind) {
        (Direction::ToServer, b'Q') => {
            let (_, before) = body.split_last().filter(|_| whole).unwrap_or((&0, body));
            ends(0) && text(before)
        }
        (Direction::ToServer, b'P') => body.iter().take_while(|b| **b != 0).all(|b| *b > b' '),
        (Direction::ToServer, b'D' | b'C') => matches!(body.first(), None | Some(b'S' | b'P')) && ends(0),
        (Direction::ToClient, b'Z') => matches!(body, [] | [b'I' | b'T' | b'E']),
        (Direction::ToClient, b'C') => {
            ends(0)
                && body.first().is_none_or(u8::is_ascii_uppercase)
                && text(body.split_last().map_or(&[], |s| s.1))
        }
        (Direction::ToClient, b'E' | b'N') => {
            matches!(body.first(), None | Some(b'S' | b'V' | b'C' | b'M')) && ends(0)
        }
        (Direction::ToClient, b'S') => ends(0) && body.first().is_none_or(u8::is_ascii_alphabetic),
        (Direction::ToClient, b'G' | b'H' | b'W') => matches!(body.first(), None | Some(0 | 1)),
        (Direction::ToClient, b'R') => matches!(body, [] | [0, ..]),
        _ => true,
    }
}

/// What bytes are as the beginning of a message.
pub(super) fn frame(direction: Direction, bytes: &[u8]) -> Frame {
    let Some((first, body)) = bytes.split_first_chunk::<HEAD>() else {
        let possible = bytes.first().is_some_and(|kind| {
            let known = match direction {
                Direction::ToServer => from_client(*kind),
                Direction::ToClient => from_server(*kind),
            };
            known.is_some()
        });
        return if possible { Frame::Part } else { Frame::No };
    };
    let Some((kind, length)) = head(direction, first) else { return Frame::No };
    let there = body.get(..length).unwrap_or(body);
    if !fits(direction, kind, length, there) {
        Frame::No
    } else if there.len() == length {
        Frame::Whole(HEAD + length)
    } else {
        Frame::Part
    }
}
