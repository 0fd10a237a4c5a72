//! One IP datagram while its fragments arrive.

use crate::invariant;

/// Largest payload that fragments can add up to, in bytes.
const MAX_LEN: u32 = 65_535;
/// Fragments that one datagram may come in.
const MAX_PIECES: usize = 2048;

/// Why a fragment does not fit into its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// The same fragment again: harmless.
    Duplicate,
    /// It overlaps others, or contradicts them: the whole datagram is worthless (RFC 5722).
    Conflict,
}

/// One fragment's place and how much of it was captured; all in bytes from the start of the
/// datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    start: u32,
    end: u32,
    captured: u32,
}

/// A datagram of which fragments have come.
#[derive(Debug, Default)]
pub(super) struct Datagram {
    bytes: Vec<u8>,
    /// In order, none overlapping.
    pieces: Vec<Piece>,
    covered: u32,
    /// Known once the last fragment is there.
    total: Option<u32>,
}

impl Datagram {
    /// Adds a fragment of `len` bytes on the wire, of which `captured` are there.
    pub(super) fn add(
        &mut self,
        start: u32,
        len: u32,
        more: bool,
        captured: &[u8],
    ) -> Result<(), Misfit> {
        let end = start.saturating_add(len);
        if len == 0
            || end > MAX_LEN
            || (more && !len.is_multiple_of(8))
            || self.pieces.len() >= MAX_PIECES
        {
            return Err(Misfit::Conflict);
        }
        let at = self.pieces.partition_point(|p| p.start < start);
        if self.is_duplicate(at, start, end, captured) {
            return Err(Misfit::Duplicate);
        }
        let overlaps_previous =
            at.checked_sub(1).and_then(|i| self.pieces.get(i)).is_some_and(|p| p.end > start);
        let overlaps_next = self.pieces.get(at).is_some_and(|p| p.start < end);
        let beyond_end = match self.total {
            Some(total) => !more || end > total,
            None => !more && self.pieces.last().is_some_and(|p| p.end > end),
        };
        if overlaps_previous || overlaps_next || beyond_end {
            return Err(Misfit::Conflict);
        }
        if !more {
            self.total = Some(end);
        }
        let captured = captured.get(..len as usize).unwrap_or(captured);
        let (from, to) = (start as usize, start as usize + captured.len());
        if self.bytes.len() < to {
            self.bytes.resize(to, 0);
        }
        match self.bytes.get_mut(from..to) {
            Some(place) => place.copy_from_slice(captured),
            None => {
                invariant!("the bytes reach to the end of each fragment");
            }
        }
        self.pieces.insert(at, Piece { start, end, captured: to as u32 });
        self.covered += len;
        Ok(())
    }

    fn is_duplicate(&self, at: usize, start: u32, end: u32, captured: &[u8]) -> bool {
        let Some(piece) = self.pieces.get(at) else { return false };
        piece.start == start
            && piece.end == end
            && self
                .bytes
                .get(start as usize..piece.captured as usize)
                .is_some_and(|b| captured.starts_with(b))
    }

    /// Bytes that it holds on to.
    pub(super) fn size(&self) -> usize {
        self.bytes.capacity() + self.pieces.capacity() * size_of::<Piece>()
    }

    /// Length on the wire, where every fragment is there.
    pub(super) fn complete(&self) -> Option<u32> {
        self.total.filter(|&total| total == self.covered)
    }

    /// The bytes up to the first that the capture cut off.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        let cut = self.pieces.iter().find(|p| p.captured < p.end).map(|p| p.captured as usize);
        if let Some(cut) = cut {
            self.bytes.truncate(cut);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_completes() {
        let mut d = Datagram::default();
        d.add(16, 4, false, b"last").unwrap();
        assert_eq!(d.complete(), None);
        d.add(0, 8, true, b"01234567").unwrap();
        d.add(8, 8, true, b"89abcdef").unwrap();
        assert_eq!(d.complete(), Some(20));
        assert_eq!(d.into_bytes(), b"0123456789abcdeflast");
    }

    #[test]
    fn overlap_and_contradiction_are_refused() {
        let mut d = Datagram::default();
        d.add(0, 16, true, &[1; 16]).unwrap();
        assert_eq!(d.add(0, 16, true, &[1; 16]), Err(Misfit::Duplicate));
        assert_eq!(d.add(0, 16, true, &[2; 16]), Err(Misfit::Conflict));
        assert_eq!(d.add(8, 16, true, &[1; 16]), Err(Misfit::Conflict));
        assert_eq!(d.add(16, 7, true, &[1; 7]), Err(Misfit::Conflict));
        assert_eq!(d.add(65_528, 8, false, &[1; 8]), Err(Misfit::Conflict));
        d.add(24, 8, false, &[1; 8]).unwrap();
        assert_eq!(d.add(32, 8, true, &[1; 8]), Err(Misfit::Conflict));
        assert_eq!(d.add(16, 4, false, &[1; 4]), Err(Misfit::Conflict));
    }

    #[test]
    fn a_cut_fragment_cuts_the_whole() {
        let mut d = Datagram::default();
        d.add(0, 16, true, &[1; 10]).unwrap();
        d.add(16, 4, false, &[2; 4]).unwrap();
        assert_eq!(d.complete(), Some(20));
        assert_eq!(d.into_bytes(), [1; 10]);
    }
}
