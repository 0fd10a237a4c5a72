//! `OK_Packet`, `ERR_Packet`, `EOF_Packet` and column counts (MySQL source documentation, "Generic
//! Response Packets").

use super::values::{number, u16_at};

/// `SERVER_MORE_RESULTS_EXISTS`.
const MORE_RESULTS: u16 = 0x0008;
/// `SERVER_STATUS_CURSOR_EXISTS`.
const CURSOR: u16 = 0x0040;
/// `SERVER_STATUS_NO_BACKSLASH_ESCAPES`.
const NO_BACKSLASH_ESCAPES: u16 = 0x0200;

/// First byte of a response packet.
pub(super) mod first_byte {
    pub(in super::super) const OK: u8 = 0x00;
    pub(in super::super) const LOCAL_INFILE: u8 = 0xfb;
    /// Also of an `OK_Packet` that ends rows, and of `AuthSwitchRequest`.
    pub(in super::super) const EOF: u8 = 0xfe;
    pub(in super::super) const ERR: u8 = 0xff;
}

/// Payload of an `EOF_Packet`: first byte, warnings, status.
const LONGEST_EOF: usize = 5;

/// The server's status flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Status(u16);

impl Status {
    pub(super) fn more_results(self) -> bool {
        self.0 & MORE_RESULTS != 0
    }

    pub(super) fn has_cursor(self) -> bool {
        self.0 & CURSOR != 0
    }

    pub(super) fn escapes(self) -> bool {
        self.0 & NO_BACKSLASH_ESCAPES == 0
    }
}

/// Reads an `OK_Packet`, or the one with 0xfe in front that ends rows. Returns rows affected and
/// status.
pub(super) fn ok(payload: &[u8]) -> Option<(u64, Status)> {
    let (affected, rest) = number(payload.get(1..)?)?;
    let (_, rest) = number(rest)?;
    Some((affected, Status(u16_at(rest, 0)?)))
}

/// Whether it is an `EOF_Packet`. An `OK_Packet` with the same first byte is longer.
pub(super) fn is_eof(payload: &[u8], length: usize) -> bool {
    payload.first() == Some(&first_byte::EOF) && length <= LONGEST_EOF
}

/// Status in an `EOF_Packet` or in the `OK_Packet` that replaces it.
pub(super) fn end_status(payload: &[u8], length: usize) -> Status {
    if is_eof(payload, length) {
        return Status(u16_at(payload, 3).unwrap_or(0));
    }
    ok(payload).map_or(Status::default(), |(_, status)| status)
}

/// Code and SQLSTATE (empty in old servers) of an `ERR_Packet`. Its text is not kept: it quotes
/// values.
pub(super) fn error(payload: &[u8]) -> Option<(u16, &[u8])> {
    let code = u16_at(payload, 1)?;
    let state = match payload.get(3..9) {
        Some([b'#', state @ ..]) => state,
        _ => &[],
    };
    Some((code, state))
}

/// Code of a progress report, which has the form of an error (MariaDB).
pub(super) const PROGRESS: u16 = 0xffff;

/// Columns of a result set, and whether their definitions follow, from its first packet.
pub(super) fn columns(payload: &[u8], length: usize) -> Option<(u64, bool)> {
    // MySQL's optional metadata: a flag in front tells whether definitions follow.
    if let [flag @ 0..=1, count, ..] = payload
        && length == 2
        && (*count > 1 || *flag == 0 && *count == 1)
    {
        return Some((u64::from(*count), *flag == 1));
    }
    let (count, rest) = number(payload)?;
    let known =
        matches!(rest, [] | [0 | 1]) && rest.len() + 9 >= length && (1..=65_535).contains(&count);
    known.then_some((count, rest != [0]))
}
