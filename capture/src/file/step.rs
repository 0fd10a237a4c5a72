//! What pcap and pcapng share: byte order, and the steps of a parser over bytes in memory.

/// Captured bytes that one record may claim. More is taken for a damaged file: no device hands over
/// frames of this size.
pub(super) const MAX_CAPTURED: usize = 64 << 20;

/// What comes behind the last whole record in memory.
#[derive(Debug)]
pub(super) enum Rest {
    /// Needs that many bytes from there on in memory.
    Need(usize),
    /// Not what it should be.
    Malformed(String),
}

/// Byte order of a file or section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

impl Endian {
    /// The 16-bit number at `at`; 0 beyond the end, which callers have excluded.
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let raw = bytes.get(at..).and_then(|b| b.first_chunk()).copied().unwrap_or_default();
        match self {
            Self::Little => u16::from_le_bytes(raw),
            Self::Big => u16::from_be_bytes(raw),
        }
    }

    /// The 32-bit number at `at`; 0 beyond the end, which callers have excluded.
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let raw = bytes.get(at..).and_then(|b| b.first_chunk()).copied().unwrap_or_default();
        match self {
            Self::Little => u32::from_le_bytes(raw),
            Self::Big => u32::from_be_bytes(raw),
        }
    }

    /// The 64-bit number at `at`; 0 beyond the end, which callers have excluded.
    pub(super) fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let raw = bytes.get(at..).and_then(|b| b.first_chunk()).copied().unwrap_or_default();
        match self {
            Self::Little => u64::from_le_bytes(raw),
            Self::Big => u64::from_be_bytes(raw),
        }
    }
}
