//! Messages: length, number, operation.

use wire::Direction;

use super::codes;
use super::ops::{AUTH, PING, Shape, op};
use crate::kit::frames::Frame;
use crate::kit::reader::Reader;

/// Most bytes of a message.
const LARGEST: usize = 1 << 26;
/// So many bytes of a message are enough to recognise it.
pub(super) const RECOGNISABLE: usize = 20;

/// Numbers (xid) of messages that do not count with the requests.
pub(super) const EVENT: i32 = -1;
pub(super) const PING_XID: i32 = -2;
pub(super) const AUTH_XID: i32 = -4;
pub(super) const WATCHES_XID: i32 = -8;

/// Length of the message that begins here. None if no message has it; `Some(None)` if too few bytes
/// are there.
pub(super) fn length(bytes: &[u8]) -> Option<Option<usize>> {
    let Some(len) = Reader::new(bytes).u32() else { return Some(None) };
    let len = usize::try_from(len).ok()?;
    (8..=LARGEST).contains(&len).then_some(Some(len))
}

/// Whether a request of `len` bytes begins like this.
fn is_request(body: &[u8], len: usize) -> bool {
    let mut r = Reader::new(body);
    let Some((xid, code)) = r.i32().zip(r.i32()) else { return false };
    let Some((_, shape)) = op(code) else { return false };
    let numbered = match xid {
        PING_XID => code == PING && len == 8,
        AUTH_XID => code == AUTH,
        WATCHES_XID => matches!(code, 101 | 105),
        _ => xid > 0 && code != PING,
    };
    let suits = match shape {
        Shape::Nothing => len == 8,
        Shape::Path | Shape::PathAndData | Shape::PathAndWatch => match r.u32() {
            Some(path) => path as usize + 12 <= len && r.u8().is_none_or(|first| first == b'/'),
            None => false,
        },
        _ => len > 8,
    };
    numbered && suits
}

/// Whether bytes are exactly one request about a node: no other protocol has such bytes.
pub(super) fn is_certain(bytes: &[u8]) -> bool {
    let mut r = Reader::new(bytes);
    let fields = (|| Some((r.u32()?, r.i32()?, r.i32()?, r.bytes32()?)))();
    let Some((len, xid, code, path)) = fields else { return false };
    let behind = match op(code) {
        Some((_, Shape::PathAndWatch)) => matches!(r.rest(), [0 | 1]),
        Some((_, Shape::Path)) => matches!(r.len(), 0 | 4),
        Some((_, Shape::PathAndData)) => r.bytes32().is_some(),
        _ => false,
    };
    let named = path.first() == Some(&b'/') && path.iter().all(u8::is_ascii_graphic);
    xid > 0 && named && behind && bytes.len() == 4 + len as usize
}

fn is_reply(body: &[u8], len: usize) -> bool {
    let mut r = Reader::new(body);
    let Some(((xid, zxid), error)) = r.i32().zip(r.u64()).zip(r.i32()) else { return false };
    let numbered = xid > 0 || matches!(xid, EVENT | PING_XID | AUTH_XID | WATCHES_XID);
    len >= 16 && numbered && (zxid as i64) >= -1 && codes::is_known(error)
}

/// The beginning of a message within a session, strictly.
pub(super) fn frame(bytes: &[u8], direction: Direction) -> Frame {
    let len = match length(bytes) {
        Some(Some(len)) => len,
        Some(None) => return if bytes.first() == Some(&0) { Frame::Part } else { Frame::No },
        None => return Frame::No,
    };
    let body = bytes.get(4..).unwrap_or_default();
    let whole = body.len() >= len;
    if !whole && bytes.len() < RECOGNISABLE {
        return Frame::Part;
    }
    let body = body.get(..len).unwrap_or(body);
    let fits = match direction {
        Direction::ToServer => is_request(body, len),
        Direction::ToClient => is_reply(body, len),
    };
    match (fits, whole) {
        (false, _) => Frame::No,
        (true, true) => Frame::Whole(4 + len),
        (true, false) => Frame::Part,
    }
}

/// Whether bytes are the whole of a session's first message (ConnectRequest).
pub(super) fn is_connect(bytes: &[u8]) -> bool {
    let mut r = Reader::new(bytes);
    let fields = (|| Some((r.u32()?, r.u32()?, r.u64()?, r.u32()?, r.u64()?, r.u32()?)))();
    let Some((len, version, zxid, timeout, _, password)) = fields else { return false };
    matches!(len, 44 | 45)
        && version == 0
        && (zxid as i64) >= 0
        && (1..1 << 24).contains(&timeout)
        && password == 16
        && bytes.len() >= 4 + len as usize
}
