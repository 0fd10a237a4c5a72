//! TCP sequence numbers and ranges of them.

/// A TCP sequence number (RFC 9293, section 3.4): a point on a circle of 2^32.
///
/// It has no `Ord` on purpose: "before" and "after" exist only between two numbers less than
/// 2^31 apart, which is what [`distance`](Self::distance) compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeqNum(pub u32);

impl SeqNum {
    /// Signed bytes from `from` to `self`, the short way round the circle.
    pub const fn distance(self, from: Self) -> i32 {
        self.0.wrapping_sub(from.0) as i32
    }

    /// The number `n` bytes further on.
    #[must_use]
    pub const fn plus(self, n: u32) -> Self {
        Self(self.0.wrapping_add(n))
    }

    /// Whether `self` lies before `other`.
    pub const fn before(self, other: Self) -> bool {
        self.distance(other) < 0
    }

    /// Whether `self` lies after `other`.
    pub const fn after(self, other: Self) -> bool {
        self.distance(other) > 0
    }
}

/// The bytes of a stream from `start` up to, not including, `end`.
///
/// Messages and system calls carry one each; they belong together when the ranges of the same
/// connection and direction [overlap](Self::overlaps).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeqRange {
    /// First byte.
    pub start: SeqNum,
    /// One past the last byte.
    pub end: SeqNum,
}

impl SeqRange {
    /// Range of `len` bytes from `start`.
    pub const fn new(start: SeqNum, len: u32) -> Self {
        Self { start, end: start.plus(len) }
    }

    /// Number of bytes, modulo 2^32.
    pub const fn len(self) -> u32 {
        self.end.0.wrapping_sub(self.start.0)
    }

    /// Whether it holds no byte.
    pub const fn is_empty(self) -> bool {
        self.start.0 == self.end.0
    }

    /// Whether both hold at least one byte in common.
    pub const fn overlaps(self, other: Self) -> bool {
        if self.is_empty() || other.is_empty() {
            return false;
        }
        // One of the two starts lies inside the other range.
        other.start.0.wrapping_sub(self.start.0) < self.len()
            || self.start.0.wrapping_sub(other.start.0) < other.len()
    }

    /// Whether `seq` is one of the bytes.
    pub const fn contains(self, seq: SeqNum) -> bool {
        seq.0.wrapping_sub(self.start.0) < self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_across_the_wrap() {
        assert!(SeqNum(u32::MAX).before(SeqNum(3)));
        assert_eq!(SeqNum(3).distance(SeqNum(u32::MAX)), 4);
    }

    #[test]
    fn ranges_overlap_across_the_wrap() {
        let a = SeqRange::new(SeqNum(u32::MAX - 1), 4);
        assert!(a.contains(SeqNum(1)) && !a.contains(SeqNum(2)));
        assert!(a.overlaps(SeqRange::new(SeqNum(1), 1)));
        assert!(SeqRange::new(SeqNum(1), 1).overlaps(a));
        assert!(!a.overlaps(SeqRange::new(SeqNum(2), 9)));
        assert!(!a.overlaps(SeqRange::new(SeqNum(0), 0)));
    }
}
