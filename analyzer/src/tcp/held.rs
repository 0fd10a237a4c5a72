use std::collections::BTreeMap;

use wire::Timestamp;

/// Segments of one direction that wait for a hole before them, by stream offset and without
/// overlap.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pieces: BTreeMap<u64, Piece>,
    cost: usize,
}

/// Bytes as captured, where they are kept, and how many there were on the wire.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) time: Timestamp,
    pub(crate) len: u64,
    /// How many of `len` were not captured.
    pub(crate) cut: u64,
    pub(crate) bytes: Box<[u8]>,
}

/// What [`Held::insert`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inserted {
    /// Bytes that were not there before.
    pub(crate) new: u64,
    /// Some of those that were there before said something else.
    pub(crate) differs: bool,
}

impl Held {
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Bytes that it is counted for.
    pub(crate) fn cost(&self) -> usize {
        self.cost
    }

    /// Offset of the first byte.
    pub(crate) fn start(&self) -> Option<u64> {
        self.pieces.first_key_value().map(|(&start, _)| start)
    }

    /// When the first piece came.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.pieces.first_key_value().map(|(_, piece)| piece.time)
    }

    /// Takes the piece that starts at `offset`.
    pub(crate) fn take_at(&mut self, offset: u64, overhead: usize) -> Option<Piece> {
        let entry = self.pieces.first_entry().filter(|entry| *entry.key() == offset)?;
        let piece = entry.remove();
        self.cost = self.cost.saturating_sub(piece.bytes.len() + overhead);
        Some(piece)
    }

    /// Adds what is new of `len` bytes from `offset` on, the first of which are `bytes`; without
    /// `keep` only their number.
    pub(crate) fn insert(
        &mut self,
        offset: u64,
        len: u64,
        bytes: &[u8],
        keep: bool,
        time: Timestamp,
        overhead: usize,
    ) -> Inserted {
        let end = offset + len;
        let slice = |from: u64, to: u64| -> &[u8] {
            let at = |n: u64| usize::try_from(n - offset).unwrap_or(usize::MAX).min(bytes.len());
            &bytes[at(from)..at(to)]
        };
        let mut result = Inserted::default();
        let mut at = offset;
        if let Some((&start, piece)) = self.pieces.range(..offset).next_back() {
            let covered = (start + piece.len).min(end);
            if covered > at {
                result.differs |= piece.differs(start, slice(at, covered), at);
                at = covered;
            }
        }
        while at < end {
            let next = self.pieces.range(at..end).next().map(|(&start, piece)| {
                let covered = (start + piece.len).min(end);
                (start, covered, piece.differs(start, slice(start, covered), start))
            });
            let until = next.map_or(end, |(start, ..)| start);
            if until > at {
                let (len, captured) = (until - at, slice(at, until));
                let kept = if keep { captured } else { &[] };
                let piece = Piece { time, len, cut: len - captured.len() as u64, bytes: kept.into() };
                self.cost += piece.bytes.len() + overhead;
                result.new += piece.len;
                self.pieces.insert(at, piece);
            }
            at = match next {
                Some((_, covered, differs)) => {
                    result.differs |= differs;
                    covered
                }
                None => end,
            };
        }
        result
    }
}

impl Piece {
    /// Whether `bytes` from offset `at` on contradict this piece, which starts at `start` and not
    /// behind `at`.
    fn differs(&self, start: u64, bytes: &[u8], at: u64) -> bool {
        let skip = usize::try_from(at - start).unwrap_or(usize::MAX).min(self.bytes.len());
        self.bytes[skip..].iter().zip(bytes).any(|(a, b)| a != b)
    }
}
