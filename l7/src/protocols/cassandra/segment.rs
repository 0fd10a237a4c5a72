//! Segments, in which version 5 wraps its envelopes once a connection has begun (section 2.2).

/// Bytes behind a payload: its CRC.
pub(super) const TRAILER: usize = 4;

/// How the payloads of a connection's segments are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Plain,
    Lz4,
}

/// The header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Bytes of the header.
    pub(super) header: usize,
    /// Bytes of the payload as they are sent.
    pub(super) payload: usize,
    /// Bytes of the payload when it is unpacked; none if it is not compressed.
    pub(super) unpacked: Option<usize>,
    /// Holds whole envelopes, and not a part of one.
    pub(super) self_contained: bool,
}

impl Segment {
    /// None if there are too few bytes, or if this is no segment.
    pub(super) fn read(bytes: &[u8], framing: Framing) -> Option<Self> {
        let fields = match framing {
            Framing::Plain => 3,
            Framing::Lz4 => 5,
        };
        let (head, crc) = bytes.get(..fields + 3)?.split_at(fields);
        let bits = number(head);
        let len = |shift: u32| (bits >> shift & 0x1_ffff) as usize;
        let (unpacked, flag) = match framing {
            Framing::Plain => (None, 17),
            Framing::Lz4 => (Some(len(17)).filter(|n| *n > 0), 34),
        };
        let segment = Self {
            header: fields + 3,
            payload: len(0),
            unpacked,
            self_contained: bits >> flag & 1 == 1,
        };
        let possible = bits >> (flag + 1) == 0 && segment.payload > 0;
        (possible && number(crc) == u64::from(crc24(head))).then_some(segment)
    }

    /// A segment's header of either kind.
    pub(super) fn detect(bytes: &[u8]) -> Option<(Framing, Self)> {
        let read = |framing| Some((framing, Self::read(bytes, framing)?));
        read(Framing::Plain).or_else(|| read(Framing::Lz4))
    }

    /// Bytes of the whole segment.
    pub(super) fn len(&self) -> usize {
        self.header + self.payload + TRAILER
    }
}

/// Most bytes of a header.
pub(super) const LONGEST_HEADER: usize = 8;

fn number(little_endian: &[u8]) -> u64 {
    little_endian.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

pub(super) fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x0087_5060, |crc, byte| {
        let first = (crc >> 16) as u8 ^ byte;
        crc << 8 & 0x00ff_ffff ^ CRC24[usize::from(first)]
    })
}

/// What each byte adds to a checksum.
const CRC24: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u32) << 16;
        let mut bit = 0;
        while bit < 8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0197_4f0b;
            }
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};
