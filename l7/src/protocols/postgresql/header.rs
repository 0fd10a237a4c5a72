//! Message types and lengths (PostgreSQL documentation, "Message Formats"), and what can be the
//! beginning of a message after lost bytes.

use wire::Direction;

use self::backend_tag as tag;
use crate::kit::frames::Frame;

/// Types of the client's messages.
pub(super) mod frontend_tag {
    pub(in super::super) const BIND: u8 = b'B';
    pub(in super::super) const CLOSE: u8 = b'C';
    pub(in super::super) const COPY_DATA: u8 = b'd';
    pub(in super::super) const COPY_DONE: u8 = b'c';
    pub(in super::super) const COPY_FAIL: u8 = b'f';
    pub(in super::super) const DESCRIBE: u8 = b'D';
    pub(in super::super) const EXECUTE: u8 = b'E';
    pub(in super::super) const FLUSH: u8 = b'H';
    pub(in super::super) const FUNCTION_CALL: u8 = b'F';
    pub(in super::super) const PARSE: u8 = b'P';
    /// `PasswordMessage`, and the responses of SASL and GSSAPI.
    pub(in super::super) const PASSWORD: u8 = b'p';
    pub(in super::super) const QUERY: u8 = b'Q';
    pub(in super::super) const SYNC: u8 = b'S';
    pub(in super::super) const TERMINATE: u8 = b'X';
}

/// Types of the server's messages.
pub(super) mod backend_tag {
    pub(in super::super) const AUTHENTICATION: u8 = b'R';
    pub(in super::super) const BACKEND_KEY_DATA: u8 = b'K';
    pub(in super::super) const BIND_COMPLETE: u8 = b'2';
    pub(in super::super) const CLOSE_COMPLETE: u8 = b'3';
    pub(in super::super) const COMMAND_COMPLETE: u8 = b'C';
    pub(in super::super) const COPY_BOTH_RESPONSE: u8 = b'W';
    pub(in super::super) const COPY_DATA: u8 = b'd';
    pub(in super::super) const COPY_DONE: u8 = b'c';
    pub(in super::super) const COPY_IN_RESPONSE: u8 = b'G';
    pub(in super::super) const COPY_OUT_RESPONSE: u8 = b'H';
    pub(in super::super) const DATA_ROW: u8 = b'D';
    pub(in super::super) const EMPTY_QUERY_RESPONSE: u8 = b'I';
    pub(in super::super) const ERROR_RESPONSE: u8 = b'E';
    pub(in super::super) const FUNCTION_CALL_RESPONSE: u8 = b'V';
    pub(in super::super) const NEGOTIATE_PROTOCOL_VERSION: u8 = b'v';
    pub(in super::super) const NO_DATA: u8 = b'n';
    pub(in super::super) const NOTICE_RESPONSE: u8 = b'N';
    pub(in super::super) const NOTIFICATION_RESPONSE: u8 = b'A';
    pub(in super::super) const PARAMETER_DESCRIPTION: u8 = b't';
    pub(in super::super) const PARAMETER_STATUS: u8 = b'S';
    pub(in super::super) const PARSE_COMPLETE: u8 = b'1';
    pub(in super::super) const PORTAL_SUSPENDED: u8 = b's';
    pub(in super::super) const READY_FOR_QUERY: u8 = b'Z';
    pub(in super::super) const ROW_DESCRIPTION: u8 = b'T';
}

/// Bytes of a message's type and length.
pub(super) const HEADER: usize = 5;
/// Bytes of the length, which counts itself.
const LENGTH: usize = 4;
/// Longest message that a server accepts or sends (`PQ_LARGE_MESSAGE_LIMIT`).
const LONGEST: usize = 0x3fff_ffff;

/// Type of a message and length of its body. None if no message of this direction begins like this.
pub(super) fn header(direction: Direction, bytes: &[u8; HEADER]) -> Option<(u8, usize)> {
    let [kind, length @ ..] = *bytes;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?.checked_sub(LENGTH)?;
    let bounds = match direction {
        Direction::ToServer => from_client(kind),
        Direction::ToClient => from_server(kind),
    };
    bounds.is_some_and(|(least, most)| (least..=most).contains(&length)).then_some((kind, length))
}

/// Bounds of the body's length in a client's message.
fn from_client(kind: u8) -> Option<(usize, usize)> {
    Some(match kind {
        frontend_tag::QUERY => (1, LONGEST),
        frontend_tag::PARSE => (4, LONGEST),
        frontend_tag::BIND => (8, LONGEST),
        frontend_tag::EXECUTE => (5, 1024),
        frontend_tag::DESCRIBE | frontend_tag::CLOSE => (2, 1024),
        frontend_tag::FLUSH
        | frontend_tag::SYNC
        | frontend_tag::TERMINATE
        | frontend_tag::COPY_DONE => (0, 0),
        frontend_tag::FUNCTION_CALL => (10, LONGEST),
        frontend_tag::PASSWORD => (0, 65_535),
        frontend_tag::COPY_DATA => (0, LONGEST),
        frontend_tag::COPY_FAIL => (1, 65_535),
        _ => return None,
    })
}

/// Bounds of the body's length in a server's message.
fn from_server(kind: u8) -> Option<(usize, usize)> {
    Some(match kind {
        tag::PARSE_COMPLETE
        | tag::BIND_COMPLETE
        | tag::CLOSE_COMPLETE
        | tag::NO_DATA
        | tag::EMPTY_QUERY_RESPONSE
        | tag::PORTAL_SUSPENDED
        | tag::COPY_DONE => (0, 0),
        tag::READY_FOR_QUERY => (1, 1),
        tag::BACKEND_KEY_DATA => (8, 260),
        tag::AUTHENTICATION => (4, 65_535),
        tag::PARAMETER_STATUS => (2, 65_535),
        tag::ERROR_RESPONSE | tag::NOTICE_RESPONSE => (1, 1 << 20),
        tag::NOTIFICATION_RESPONSE => (6, 65_535),
        tag::COMMAND_COMPLETE => (2, 256),
        tag::ROW_DESCRIPTION | tag::PARAMETER_DESCRIPTION => (2, 1 << 24),
        tag::COPY_IN_RESPONSE | tag::COPY_OUT_RESPONSE | tag::COPY_BOTH_RESPONSE => (3, 65_535),
        tag::FUNCTION_CALL_RESPONSE => (4, LONGEST),
        tag::NEGOTIATE_PROTOCOL_VERSION => (8, 65_535),
        tag::DATA_ROW => (2, LONGEST),
        tag::COPY_DATA => (0, LONGEST),
        _ => return None,
    })
}

/// Whether the body, as far as it is there, can be that of such a message.
fn fits(direction: Direction, kind: u8, length: usize, body: &[u8]) -> bool {
    let whole = body.len() == length;
    let ends = |byte: u8| !whole || body.last() == Some(&byte);
    let text =
        |bytes: &[u8]| bytes.iter().all(|b| *b >= b' ' || matches!(b, b'\t' | b'\n' | b'\r'));
    match (direction, kind) {
        (Direction::ToServer, frontend_tag::QUERY) => {
            let (_, before) = body.split_last().filter(|_| whole).unwrap_or((&0, body));
            ends(0) && text(before)
        }
        (Direction::ToServer, frontend_tag::PARSE) => {
            body.iter().take_while(|b| **b != 0).all(|b| *b > b' ')
        }
        (Direction::ToServer, frontend_tag::DESCRIBE | frontend_tag::CLOSE) => {
            matches!(body.first(), None | Some(b'S' | b'P')) && ends(0)
        }
        (Direction::ToClient, tag::READY_FOR_QUERY) => matches!(body, [] | [b'I' | b'T' | b'E']),
        (Direction::ToClient, tag::COMMAND_COMPLETE) => {
            ends(0)
                && body.first().is_none_or(u8::is_ascii_uppercase)
                && text(body.split_last().map_or(&[], |s| s.1))
        }
        (Direction::ToClient, tag::ERROR_RESPONSE | tag::NOTICE_RESPONSE) => {
            matches!(body.first(), None | Some(b'S' | b'V' | b'C' | b'M')) && ends(0)
        }
        (Direction::ToClient, tag::PARAMETER_STATUS) => {
            ends(0) && body.first().is_none_or(u8::is_ascii_alphabetic)
        }
        (
            Direction::ToClient,
            tag::COPY_IN_RESPONSE | tag::COPY_OUT_RESPONSE | tag::COPY_BOTH_RESPONSE,
        ) => {
            matches!(body.first(), None | Some(0 | 1))
        }
        (Direction::ToClient, tag::AUTHENTICATION) => matches!(body, [] | [0, ..]),
        _ => true,
    }
}

/// Whether bytes can be the beginning of a message.
pub(super) fn frame(direction: Direction, bytes: &[u8]) -> Frame {
    let Some((first, body)) = bytes.split_first_chunk::<HEADER>() else {
        let possible = bytes.first().is_some_and(|kind| {
            let known = match direction {
                Direction::ToServer => from_client(*kind),
                Direction::ToClient => from_server(*kind),
            };
            known.is_some()
        });
        return if possible { Frame::Part } else { Frame::No };
    };
    let Some((kind, length)) = header(direction, first) else { return Frame::No };
    let there = body.get(..length).unwrap_or(body);
    if !fits(direction, kind, length, there) {
        Frame::No
    } else if there.len() == length {
        Frame::Whole(HEADER + length)
    } else {
        Frame::Part
    }
}
