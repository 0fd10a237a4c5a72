//! The classic format (draft-ietf-opsawg-pcap).

use wire::{LinkType, TapId, Timestamp};

use super::step::{Endian, MAX_CAPTURED, Record, Step};

pub(super) const HEADER: usize = 24;
/// Snap lengths below this are not believed: files with a snap length of 0 or smaller than their frames exist, and
/// libpcap reads them up to this size.
const LEAST_LIMIT: usize = 262_144;

/// State of a pcap file after its header.
#[derive(Debug)]
pub(super) struct Pcap {
    endian: Endian,
    nanoseconds: bool,
    record_header: usize,
    lengths: Lengths,
    limit: usize,
    link_type: LinkType,
    tap: TapId,
}

/// In which order records hold captured and original length. Writers before version 2.3 swapped them, 2.3 did
/// either, and 543.0 was a vendor's way to say 2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    SmallerIsCaptured,
}

impl Pcap {
    /// Whether a file that starts with `head` has this format.
    pub(super) fn recognises(head: &[u8]) -> bool {
        Self::magic(head).is_some()
    }

    /// Byte order, nanoseconds, length of a record's header.
    fn magic(head: &[u8]) -> Option<(Endian, bool, usize)> {
        match *head.first_chunk::<4>()? {
            [0xa1, 0xb2, 0xc3, 0xd4] => Some((Endian::Big, false, 16)),
            [0xd4, 0xc3, 0xb2, 0xa1] => Some((Endian::Little, false, 16)),
            [0xa1, 0xb2, 0x3c, 0x4d] => Some((Endian::Big, true, 16)),
            [0x4d, 0x3c, 0xb2, 0xa1] => Some((Endian::Little, true, 16)),
            // The "modified" format: 8 more bytes a record (interface index, protocol, packet type, padding).
            [0xa1, 0xb2, 0xcd, 0x34] => Some((Endian::Big, false, 24)),
            [0x34, 0xcd, 0xb2, 0xa1] => Some((Endian::Little, false, 24)),
            _ => None,
        }
    }

    /// Reads the file header, of [`HEADER`] bytes.
    pub(super) fn new(head: &[u8], tap: TapId) -> Option<Self> {
        let (endian, nanoseconds, record_header) = Self::magic(head)?;
        let (major, minor) = (endian.u16(head, 4), endian.u16(head, 6));
        let lengths = match (major, minor) {
            (2, 0..=2) | (543, 0) => Lengths::OriginalFirst,
            (2, 3) => Lengths::SmallerIsCaptured,
            _ => Lengths::CapturedFirst,
        };
        let limit = (endian.u32(head, 16) as usize).clamp(LEAST_LIMIT, MAX_CAPTURED);
        // The upper half of the last field is about the frame check sequence.
        let link_type = LinkType::from_number(endian.u32(head, 20) as u16);
        Some(Self { endian, nanoseconds, record_header, lengths, limit, link_type, tap })
    }

    pub(super) fn step(&self, data: &[u8]) -> Step {
        if data.len() < self.record_header {
            return Step::Need(self.record_header);
        }
        let (first, second) = (self.endian.u32(data, 8), self.endian.u32(data, 12));
        let (captured, original) = match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::OriginalFirst => (second, first),
            Lengths::SmallerIsCaptured => (first.min(second), first.max(second)),
        };
        let len = captured as usize;
        if len > self.limit {
            return Step::Malformed(format!(
                "a record claims {len} captured bytes, more than the {} that are possible",
                self.limit
            ));
        }
        let total = self.record_header + len;
        if data.len() < total {
            return Step::Need(total);
        }
        Step::Frame(Record {
            time: self.time(self.endian.u32(data, 0), self.endian.u32(data, 4)),
            tap: self.tap,
            link_type: self.link_type,
            wire_len: original.max(captured),
            start: self.record_header,
            len,
            total,
        })
    }

    /// A fraction beyond one second carries over; what does not fit 32 bits of nanoseconds wraps, as in tshark.
    fn time(&self, seconds: u32, fraction: u32) -> Timestamp {
        let nanos = if self.nanoseconds { fraction } else { fraction.wrapping_mul(1000) } as i32;
        let whole = u64::from(seconds) * 1_000_000_000;
        Timestamp::from_nanos(whole.saturating_add_signed(i64::from(nanos)))
    }
}
