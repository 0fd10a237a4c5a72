//! Datagrams that a capture has twice.

use wire::{Side, Timestamp};

use crate::per_side::PerSide;

/// Times within which a datagram is a copy of the one before, as for TCP segments: with the same IP
/// identification, and without any.
const SAME_ID_NS: u64 = 50_000_000;
const NO_ID_NS: u64 = 1_000_000;
/// Bytes of the payload that are compared: identifiers and numbers stand at its beginning.
const COMPARED: usize = 64;

/// The last datagram of each side of a flow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Datagrams(PerSide<LastDatagram>);

#[derive(Clone, Copy, Debug, Default)]
struct LastDatagram {
    time: Timestamp,
    hash: u64,
    len: u32,
    ip_id: u16,
    copies: u64,
}

impl Datagrams {
    /// Takes a datagram of `side`. Returns whether the capture has it twice: nobody sends the same
    /// bytes again so soon with the same identification.
    pub(crate) fn is_copy(
        &mut self,
        side: Side,
        time: Timestamp,
        ip_id: u16,
        bytes: &[u8],
    ) -> bool {
        let next = LastDatagram::new(time, ip_id, bytes);
        let last = self.0.get_mut(side);
        let copy = next.is_copy_of(last);
        if copy {
            last.copies += 1;
        } else {
            *last = LastDatagram { copies: last.copies, ..next };
        }
        copy
    }

    /// Whether the datagram would be taken for a copy.
    pub(crate) fn has(&self, side: Side, time: Timestamp, ip_id: u16, bytes: &[u8]) -> bool {
        LastDatagram::new(time, ip_id, bytes).is_copy_of(self.0.get(side))
    }

    /// Copies of what `side` sent.
    pub(crate) fn copies(&self, side: Side) -> u64 {
        self.0.get(side).copies
    }
}

impl LastDatagram {
    fn new(time: Timestamp, ip_id: u16, bytes: &[u8]) -> Self {
        Self { time, hash: hash(bytes), len: bytes.len() as u32, ip_id, copies: 0 }
    }

    fn is_copy_of(&self, last: &Self) -> bool {
        let soon = if self.ip_id == 0 { NO_ID_NS } else { SAME_ID_NS };
        self.len > 0
            && (self.ip_id, self.len, self.hash) == (last.ip_id, last.len, last.hash)
            && self.time.nanos_since(last.time) < soon
    }
}

/// Hash of the first bytes. Who makes two datagrams collide makes one of them unread.
fn hash(bytes: &[u8]) -> u64 {
    let compared = bytes.get(..COMPARED).unwrap_or(bytes);
    compared.chunks(8).fold(0, |hash: u64, chunk| {
        let mut word = [0; 8];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        // The multiplier is that of the finalizer of SplitMix64 (Steele, Lea and Flood 2014).
        (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_same_id_and_bytes_is_a_copy_for_a_while() {
        let at = |us: u64| Timestamp::from_nanos(1_000_000_000 + us * 1000);
        let mut datagrams = Datagrams::default();
        let mut copy = |us, id, bytes: &[u8]| datagrams.is_copy(Side::Low, at(us), id, bytes);
        assert!(!copy(0, 7, b"question"));
        assert!(copy(50, 7, b"question"));
        assert!(copy(40_000, 7, b"question"));
        assert!(!copy(40_001, 8, b"question"), "sent again");
        assert!(!copy(40_002, 8, b"Question"));
        assert!(!copy(500_000, 8, b"Question"), "too late");
        assert!(!copy(600_000, 0, b"question"));
        assert!(copy(600_500, 0, b"question"));
        assert!(!copy(700_000, 0, b"question"));
        assert!(!copy(700_001, 0, b""));
        assert!(!copy(700_002, 0, b""));
        assert_eq!((datagrams.copies(Side::Low), datagrams.copies(Side::High)), (3, 0));
    }
}
