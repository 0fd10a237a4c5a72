//! Pieces of a stream: bytes and gaps.

use wire::Timestamp;

/// A piece of one direction of a stream, in order and without overlap. Offsets count bytes from the
/// first byte after the SYN (from the first byte seen, where the SYN was not captured) and never
/// wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// The next bytes.
    Data {
        /// Offset of the first of `bytes`.
        offset: u64,
        /// Time of the packet that brought them (its arrival at the tap, also if it had to wait for
        /// a hole).
        time: Timestamp,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// Bytes that were never captured.
    Gap {
        /// Offset of the first missing byte.
        offset: u64,
        /// Number of missing bytes.
        len: u64,
        /// Time of the packet that made it certain.
        time: Timestamp,
        /// They passed the tap in a packet that was captured, and the capture's snap length cut
        /// them off; otherwise no packet with them was captured.
        cut: bool,
    },
}
