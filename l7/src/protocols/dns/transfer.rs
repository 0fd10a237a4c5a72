//! Zone transfers (RFC 5936, RFC 1995): where a response of many messages ends.

use super::codes::record_type::SOA;
use super::message::{HEADER, Header};
use super::name;

/// Longest name, and the fixed part of a record.
const RECORD_HEAD: usize = 255 + RECORD_FIXED;
/// Type, class, TTL and data length (RFC 1035 section 4.1.3).
const RECORD_FIXED: usize = 10;
/// Longest data of an SOA record.
const SOA_DATA: usize = 2 * 255 + 20;

/// The response to AXFR or IXFR. It continues over many messages until the zone's SOA record comes
/// again (RFC 5936 section 2.2, RFC 1995 section 4). Records are read one by one, and none is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub(super) id: u16,
    /// Id that its exchange is paired by.
    pub(super) key: u64,
    incremental: bool,
    records: u32,
    soas: u32,
    serial: u32,
    /// SOA records with the serial of the first.
    same: u32,
    /// The second record is an SOA record: changes follow.
    changes: bool,
    /// Records left in the current message.
    left: u16,
    /// Bytes left in the current message.
    bytes: usize,
}

/// Result of reading a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WalkResult {
    /// So many bytes; possibly more than were shown.
    Over(usize),
    /// So many more bytes are needed.
    More(usize),
    /// The message is over. `true`: so is the whole response.
    End(bool),
    /// The bytes are no records.
    Malformed,
}

impl Transfer {
    pub(super) fn new(id: u16, key: u64, incremental: bool) -> Self {
        Self {
            id,
            key,
            incremental,
            records: 0,
            soas: 0,
            serial: 0,
            same: 0,
            changes: false,
            left: 0,
            bytes: 0,
        }
    }

    /// A message of `length` bytes begins. `done` bytes of it are header and questions.
    pub(super) fn begin(&mut self, header: &Header, length: usize, done: usize) {
        self.left = header.answers;
        self.bytes = length.saturating_sub(done.max(HEADER));
    }

    /// The next record, or what follows the last.
    pub(super) fn walk(&mut self, rest: &[u8]) -> WalkResult {
        if self.left == 0 {
            return match std::mem::take(&mut self.bytes) {
                0 => WalkResult::End(self.is_over()),
                behind => WalkResult::Over(behind),
            };
        }
        let shown = &rest[..rest.len().min(self.bytes)];
        let whole = shown.len() == self.bytes;
        let short = |bytes: usize| {
            if whole || bytes >= RECORD_HEAD { WalkResult::Malformed } else { WalkResult::More(1) }
        };
        let Some(fixed) = name::skip(shown, 0) else { return short(shown.len()) };
        let Some(&[k1, k2, _, _, _, _, _, _, l1, l2]) =
            shown.get(fixed..).and_then(|head| head.first_chunk())
        else {
            return short(shown.len());
        };
        let (kind, length) =
            (u16::from_be_bytes([k1, k2]), usize::from(u16::from_be_bytes([l1, l2])));
        let (data_at, end) = (fixed + RECORD_FIXED, fixed + RECORD_FIXED + length);
        if end > self.bytes {
            return WalkResult::Malformed;
        }
        if kind == SOA {
            let Some(data) = shown.get(data_at..end) else {
                return if length > SOA_DATA {
                    WalkResult::Malformed
                } else {
                    WalkResult::More(end - shown.len())
                };
            };
            let serial = name::skip(data, 0).and_then(|next| name::skip(data, next));
            let Some(serial) = serial.and_then(|next| data.get(next..)?.first_chunk()) else {
                return WalkResult::Malformed;
            };
            self.on_soa(u32::from_be_bytes(*serial));
        }
        self.records = self.records.saturating_add(1);
        self.left -= 1;
        self.bytes -= end;
        WalkResult::Over(end)
    }

    /// Bytes of the message that were not read.
    pub(super) fn rest(&self) -> usize {
        self.bytes
    }

    fn on_soa(&mut self, serial: u32) {
        if self.soas == 0 {
            self.serial = serial;
        }
        self.changes |= self.records == 1;
        self.soas = self.soas.saturating_add(1);
        self.same += u32::from(serial == self.serial && self.same < 3);
    }

    fn is_over(&self) -> bool {
        match (self.incremental, self.changes) {
            (true, true) => self.same >= 3,
            (true, false) => self.soas >= 2 || self.records <= 1,
            (false, _) => self.soas != 1,
        }
    }
}
