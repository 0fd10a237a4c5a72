//! Zone transfers: where an answer of many messages ends.

use super::message::{HEADER, Header};
use super::name;

const SOA: u16 = 6;
/// Longest name, and the fixed part of a record.
const RECORD_HEAD: usize = 255 + 10;
/// Longest data of an SOA record.
const SOA_DATA: usize = 2 * 255 + 20;

/// The answer to AXFR or IXFR, which goes on over many messages until the zone's SOA record comes
/// again (RFC 5936 section 2.2, RFC 1995 section 4). Records are walked over one by one, and none
/// is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub(super) id: u16,
    /// What its exchange is paired by.
    pub(super) key: u64,
    incremental: bool,
    records: u32,
    soas: u32,
    serial: u32,
    /// SOA records with the serial of the first.
    same: u32,
    /// The second record is an SOA record: changes follow.
    changes: bool,
    /// Records of the message at hand.
    left: u16,
    /// Bytes of the message at hand.
    bytes: usize,
}

/// What came of a step over records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// So many bytes; they may go beyond what was shown.
    Over(usize),
    /// So many more bytes are needed.
    More(usize),
    /// The message is over. Whether the whole answer is.
    End(bool),
    /// These are no records.
    Broken,
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

    /// A message of `length` bytes begins, of which `done` are questions and header.
    pub(super) fn begin(&mut self, header: &Header, length: usize, done: usize) {
        self.left = header.answers;
        self.bytes = length.saturating_sub(done.max(HEADER));
    }

    /// The next record, or what follows the last.
    pub(super) fn walk(&mut self, rest: &[u8]) -> Walked {
        if self.left == 0 {
            return match std::mem::take(&mut self.bytes) {
                0 => Walked::End(self.is_over()),
                behind => Walked::Over(behind),
            };
        }
        let shown = &rest[..rest.len().min(self.bytes)];
        let whole = shown.len() == self.bytes;
        let short =
            |bytes: usize| if whole || bytes >= RECORD_HEAD { Walked::Broken } else { Walked::More(1) };
        let Some(fixed) = name::skip(shown, 0) else { return short(shown.len()) };
        let Some(&[k1, k2, _, _, _, _, _, _, l1, l2]) =
            shown.get(fixed..).and_then(|head| head.first_chunk())
        else {
            return short(shown.len());
        };
        let (kind, length) = (u16::from_be_bytes([k1, k2]), usize::from(u16::from_be_bytes([l1, l2])));
        let (data_at, end) = (fixed + 10, fixed + 10 + length);
        if end > self.bytes {
            return Walked::Broken;
        }
        if kind == SOA {
            let Some(data) = shown.get(data_at..end) else {
                return if length > SOA_DATA { Walked::Broken } else { Walked::More(end - shown.len()) };
            };
            let serial = name::skip(data, 0).and_then(|next| name::skip(data, next));
            let Some(serial) = serial.and_then(|next| data.get(next..)?.first_chunk()) else {
                return Walked::Broken;
            };
            self.soa(u32::from_be_bytes(*serial));
        }
        self.records = self.records.saturating_add(1);
        self.left -= 1;
        self.bytes -= end;
        Walked::Over(end)
    }

    /// Bytes of the message that were not walked over.
    pub(super) fn rest(&self) -> usize {
        self.bytes
    }

    fn soa(&mut self, serial: u32) {
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
