//! The classic format (draft-ietf-opsawg-pcap).

use wire::{LinkType, TapId, Timestamp};

use super::cooked::CookedTaps;
use super::frame_block::{FrameBlock, FrameEntry, PackedVlan};
use super::input::TapNames;
use super::step::{Endian, MAX_CAPTURED, Rest};

/// Length of the file header (section 4).
pub(super) const HEADER: usize = 24;

/// Offsets in the file header (section 4).
mod field {
    pub(super) const MAJOR_VERSION: usize = 4;
    pub(super) const MINOR_VERSION: usize = 6;
    pub(super) const SNAP_LEN: usize = 16;
    /// The upper half of the field is about the frame check sequence.
    pub(super) const LINK_TYPE: usize = 20;
}

/// Offsets in the header of a record (section 5).
mod record {
    pub(super) const SECONDS: usize = 0;
    /// Microseconds or nanoseconds.
    pub(super) const FRACTION: usize = 4;
    /// Captured, then original length; in some files the other way round.
    pub(super) const FIRST_LENGTH: usize = 8;
    pub(super) const SECOND_LENGTH: usize = 12;
    pub(super) const LEN: usize = 16;
    /// With interface index, protocol, packet type and padding.
    pub(super) const MODIFIED_LEN: usize = 24;
}

/// Snap lengths below this are ignored: files with a snap length of 0 or smaller than their
/// frames exist, and libpcap reads them up to this size.
const LEAST_LIMIT: usize = 262_144;

/// State of a pcap file after its header.
pub(super) struct Pcap {
    endian: Endian,
    nanoseconds: bool,
    record_header: usize,
    lengths: Lengths,
    limit: usize,
    link_type: LinkType,
    /// Unknown where frames name the interfaces that they were seen at.
    tap: Option<TapId>,
    cooked: CookedTaps,
    name: String,
    names: TapNames,
}

/// In which order records hold captured and original length. Writers before version 2.3 swapped
/// them, 2.3 did either, and 543.0 was a vendor's way to say 2.2.
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
            [0xa1, 0xb2, 0xc3, 0xd4] => Some((Endian::Big, false, record::LEN)),
            [0xd4, 0xc3, 0xb2, 0xa1] => Some((Endian::Little, false, record::LEN)),
            [0xa1, 0xb2, 0x3c, 0x4d] => Some((Endian::Big, true, record::LEN)),
            [0x4d, 0x3c, 0xb2, 0xa1] => Some((Endian::Little, true, record::LEN)),
            // The "modified" format of an early patch to libpcap.
            [0xa1, 0xb2, 0xcd, 0x34] => Some((Endian::Big, false, record::MODIFIED_LEN)),
            [0x34, 0xcd, 0xb2, 0xa1] => Some((Endian::Little, false, record::MODIFIED_LEN)),
            _ => None,
        }
    }

    /// Reads the file header, of [`HEADER`] bytes.
    pub(super) fn new(head: &[u8], name: &str, mut names: TapNames) -> Option<Self> {
        let (endian, nanoseconds, record_header) = Self::magic(head)?;
        let (major, minor) =
            (endian.u16(head, field::MAJOR_VERSION), endian.u16(head, field::MINOR_VERSION));
        let lengths = match (major, minor) {
            (2, 0..=2) | (543, 0) => Lengths::OriginalFirst,
            (2, 3) => Lengths::SmallerIsCaptured,
            _ => Lengths::CapturedFirst,
        };
        let limit = (endian.u32(head, field::SNAP_LEN) as usize).clamp(LEAST_LIMIT, MAX_CAPTURED);
        let link_type = LinkType::from_number(endian.u32(head, field::LINK_TYPE) as u16);
        let tap = (link_type != LinkType::LinuxSll2).then(|| names(name));
        let (cooked, name) = (CookedTaps::default(), name.to_owned());
        Some(Self {
            endian,
            nanoseconds,
            record_header,
            lengths,
            limit,
            link_type,
            tap,
            cooked,
            name,
            names,
        })
    }

    /// Finds the records in `bytes`. Returns how many bytes the whole ones take, and what comes
    /// behind them.
    pub(super) fn parse(&mut self, bytes: &[u8], block: &mut FrameBlock) -> (usize, Rest) {
        let first = block.len();
        // One loop for each byte order, which then costs nothing a record.
        let parsed = match self.endian {
            Endian::Little => self.records(bytes, block, u32::from_le_bytes),
            Endian::Big => self.records(bytes, block, u32::from_be_bytes),
        };
        if self.tap.is_none() {
            let Self { cooked, names, name, .. } = self;
            block.set_taps(first, bytes, |frame| {
                cooked.tap(frame, |index| match index {
                    Some(index) => names(&format!("{name}#{index}")),
                    None => names(name),
                })
            });
        }
        parsed
    }

    #[inline]
    fn records(
        &self,
        bytes: &[u8],
        block: &mut FrameBlock,
        word: impl Fn([u8; 4]) -> u32,
    ) -> (usize, Rest) {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(header) = rest.first_chunk::<{ record::LEN }>() else {
                return (at, Rest::Need(self.record_header));
            };
            let field =
                |at: usize| word([header[at], header[at + 1], header[at + 2], header[at + 3]]);
            let (first, second) = (field(record::FIRST_LENGTH), field(record::SECOND_LENGTH));
            let (captured, original) = match self.lengths {
                Lengths::CapturedFirst => (first, second),
                Lengths::OriginalFirst => (second, first),
                Lengths::SmallerIsCaptured => (first.min(second), first.max(second)),
            };
            let len = captured as usize;
            if len > self.limit {
                return (at, self.too_long(len));
            }
            let total = self.record_header + len;
            if rest.len() < total {
                return (at, Rest::Need(total));
            }
            block.push_entry(FrameEntry {
                time: self.time(field(record::SECONDS), field(record::FRACTION)),
                start: (at + self.record_header) as u32,
                len: captured,
                wire_len: original.max(captured),
                tap: self.tap.unwrap_or_default(),
                link_type: self.link_type,
                vlan: PackedVlan::NONE,
            });
            at += total;
        }
    }

    #[cold]
    fn too_long(&self, len: usize) -> Rest {
        Rest::Malformed(format!(
            "a record claims {len} captured bytes, more than the {} that are possible",
            self.limit
        ))
    }

    /// A fraction beyond one second carries over; what does not fit 32 bits of nanoseconds wraps,
    /// as in tshark.
    #[inline]
    fn time(&self, seconds: u32, fraction: u32) -> Timestamp {
        let nanos = if self.nanoseconds { fraction } else { fraction.wrapping_mul(1000) } as i32;
        let whole = u64::from(seconds) * 1_000_000_000;
        Timestamp::from_nanos(whole.saturating_add_signed(i64::from(nanos)))
    }
}
