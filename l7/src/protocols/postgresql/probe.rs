//! Recognises the start of a connection, and messages in the middle of one.

use wire::Direction;

use super::header::{HEADER, frame};
use crate::contract::{Clue, Probe};
use crate::kit::frames::Frame;

/// Bytes of the length and of the protocol version or request code.
pub(super) const STARTUP_HEADER: usize = 8;
const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST: u32 = 80_877_103;
const GSSENC_REQUEST: u32 = 80_877_104;
/// Protocol version 3.0, and the largest minor version.
const PROTOCOL_3: u32 = 0x0003_0000;
const PROTOCOL_3_LAST: u32 = 0x0003_ffff;
/// Most messages that are inspected.
const MOST_MESSAGES: usize = 64;

/// What the first message of a connection requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Startup {
    /// A session (`StartupMessage`).
    Session,
    /// TLS or GSSAPI encryption (`SSLRequest`, `GSSENCRequest`).
    Encryption,
    /// The end of a query of another connection (`CancelRequest`).
    Cancel,
}

/// Length and purpose of the message without a type that begins a connection.
pub(super) fn startup(bytes: &[u8; STARTUP_HEADER]) -> Option<(usize, Startup)> {
    let [a, b, c, d, code @ ..] = *bytes;
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    let code = u32::from_be_bytes(code);
    let kind = match (code, length) {
        (SSL_REQUEST | GSSENC_REQUEST, STARTUP_HEADER) => Startup::Encryption,
        (CANCEL_REQUEST, 16..=268) => Startup::Cancel,
        (PROTOCOL_3..=PROTOCOL_3_LAST, 9..=10_000) => Startup::Session,
        _ => return None,
    };
    Some((length, kind))
}

/// Whether bytes are the beginning of a connection, or, in the middle of one, of a message.
pub(super) fn probe(bytes: &[u8], direction: Direction, clue: &Clue) -> Probe {
    let first = bytes.first() == Some(&0) || clue.at_start;
    if first && direction == Direction::ToServer {
        return begins_connection(bytes);
    }
    let (mut at, mut whole, mut distinctive) = (0, 0, false);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        match frame(direction, rest) {
            Frame::Whole(length) => {
                distinctive |= is_distinctive(direction, rest);
                at += length;
                whole += 1;
            }
            Frame::Part => {
                let first = whole == 0;
                distinctive |= clue.usual && rest.len() > HEADER;
                return match (clue.usual, first && rest.len() <= HEADER) {
                    (true, true) => Probe::More,
                    (true, false) if distinctive => Probe::Yes,
                    _ => Probe::No,
                };
            }
            Frame::No => return Probe::No,
        }
        if whole > MOST_MESSAGES {
            break;
        }
    }
    // On another port: several whole messages, and one of them that no other protocol has.
    if distinctive && (clue.usual || whole > 1) { Probe::Yes } else { Probe::No }
}

/// Whether bytes begin with the client's first message.
fn begins_connection(bytes: &[u8]) -> Probe {
    let Some(first) = bytes.first_chunk() else {
        let prefix = match bytes {
            [_, 0, 0, 0..=7, ..] => false,
            [_] | [_, 0] | [_, 0, 0..=0x27] | [_, 0, 0..=0x27, _] => true,
            [_, 0, 0..=0x27, _, code @ ..] => {
                [CANCEL_REQUEST, SSL_REQUEST, GSSENC_REQUEST]
                    .iter()
                    .any(|request| request.to_be_bytes().starts_with(code))
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
            let name = bytes.get(STARTUP_HEADER..).unwrap_or_default();
            let letters = name
                .iter()
                .take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'.'))
                .count();
            match name.get(letters) {
                Some(0) if letters >= 4 => Probe::Yes,
                None if letters < 64 => Probe::More,
                _ => Probe::No,
            }
        }
    }
}

/// Whether no other protocol has a message like this.
fn is_distinctive(direction: Direction, message: &[u8]) -> bool {
    match direction {
        Direction::ToServer => matches!(message, [b'Q' | b'P' | b'B' | b'S' | b'E' | b'X', ..]),
        Direction::ToClient => {
            matches!(message, [b'Z' | b'C' | b'1' | b'2' | b'T' | b'S' | b'R' | b'E', 0, ..])
        }
    }
}
