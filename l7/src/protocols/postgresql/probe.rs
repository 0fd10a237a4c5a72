//! Recognises PostgreSQL by the first bytes of a connection.

use wire::Direction;

use super::head::{HEAD, frame};
use crate::contract::{Clue, Probe};
use crate::kit::frames::Frame;

/// What the first message of a connection asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Startup {
    /// A session.
    Session,
    /// TLS or GSSAPI encryption.
    Encryption,
    /// The end of a query of another connection.
    Cancel,
}

/// Length and purpose of a message without a type, which stands at the beginning of a connection.
pub(super) fn startup(head: &[u8; 8]) -> Option<(usize, Startup)> {
    let [a, b, c, d, code @ ..] = *head;
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    let code = u32::from_be_bytes(code);
    let kind = match (code, length) {
        (80_877_103 | 80_877_104, 8) => Startup::Encryption,
        (80_877_102, 16..=268) => Startup::Cancel,
        (0x0003_0000..=0x0003_ffff, 9..=10_000) => Startup::Session,
        _ => return None,
    };
    Some((length, kind))
}

/// Whether bytes are the beginning of a connection, or, in the middle of one, of a message.
pub(super) fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
    if head.first() == Some(&0) && direction == Direction::ToServer {
        return begins(head);
    }
    let (mut at, mut whole, mut telling) = (0, 0, false);
    loop {
        let rest = head.get(at..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        match frame(direction, rest) {
            Frame::Whole(length) => {
                telling |= tells(direction, rest);
                at += length;
                whole += 1;
            }
            Frame::Part => {
                let first = whole == 0;
                telling |= clue.usual && rest.len() > HEAD;
                return match (clue.usual, first && rest.len() <= HEAD) {
                    (true, true) => Probe::More,
                    (true, false) if telling => Probe::Yes,
                    _ => Probe::No,
                };
            }
            Frame::No => return Probe::No,
        }
        if whole > 64 {
            break;
        }
    }
    // Without the port's help: several messages with nothing else between them, and one that no
    // other protocol has.
    if telling && (clue.usual || whole > 1) { Probe::Yes } else { Probe::No }
}

/// The client's first message.
fn begins(head: &[u8]) -> Probe {
    let Some(first) = head.first_chunk() else {
        let prefix = match head {
            [_, 0, 0, 0..=7, ..] => false,
            [_] | [_, 0] | [_, 0, 0..=0x27] | [_, 0, 0..=0x27, _] => true,
            [_, 0, 0..=0x27, _, code @ ..] => {
                [0u32, 1, 2].iter().any(|n| (80_877_102 + n).to_be_bytes().starts_with(code))
                    || [0, 3, 0].starts_with(code)
            }
            _ => false,
        };
        return if prefix { Probe::More } else { Probe::No };
    };
    match startup(first) {
        None => Probe::No,
        Some((_, Startup::Encryption | Startup::Cancel)) => Probe::Yes,
        Some((_, Startup::Session)) => {
            let name = head.get(8..).unwrap_or_default();
            let letters =
                name.iter().take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'.')).count();
            match name.get(letters) {
                Some(0) if letters >= 4 => Probe::Yes,
                None if letters < 64 => Probe::More,
                _ => Probe::No,
            }
        }
    }
}

/// Whether no other protocol has a message like this.
fn tells(direction: Direction, message: &[u8]) -> bool {
    match direction {
        Direction::ToServer => matches!(message, [b'Q' | b'P' | b'B' | b'S' | b'E' | b'X', ..]),
        Direction::ToClient => {
            matches!(message, [b'Z' | b'C' | b'1' | b'2' | b'T' | b'S' | b'R' | b'E', 0, ..])
        }
    }
}
