//! Payload that waits for a hole in the stream before it.

use std::collections::BTreeMap;

use wire::{Timestamp, invariant};

use crate::config::ReassemblyLimits;

/// Payload of one direction that waits for a hole before it, by stream offset and without overlap.
#[derive(Debug, Default)]
pub(crate) struct OutOfOrderQueue {
    pieces: BTreeMap<u64, Piece>,
    cost: usize,
}

/// New bytes of one segment.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) time: Timestamp,
    /// Bytes on the wire.
    pub(crate) len: u64,
    /// The last of `len` bytes, which were not captured.
    pub(crate) cut: u64,
    /// Those that were captured; none if nobody reads them.
    pub(crate) bytes: Box<[u8]>,
}

/// What [`OutOfOrderQueue::insert`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inserted {
    /// Bytes that were not there before.
    pub(crate) new: u64,
    /// Some of those that were there before differ.
    pub(crate) differs: bool,
}

impl OutOfOrderQueue {
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
    pub(crate) fn pop_at(&mut self, offset: u64) -> Option<Piece> {
        let entry = self.pieces.first_entry().filter(|entry| *entry.key() == offset)?;
        let piece = entry.remove();
        match self.cost.checked_sub(piece.cost()) {
            Some(cost) => self.cost = cost,
            None => _ = invariant!("each queued piece is counted"),
        }
        Some(piece)
    }

    /// Adds what is new of `len` bytes at `offset`. `bytes` are the first of them, which were
    /// captured; without `keep` they are compared and not stored.
    pub(crate) fn insert(
        &mut self,
        offset: u64,
        len: u64,
        bytes: &[u8],
        keep: bool,
        time: Timestamp,
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
                let piece =
                    Piece { time, len, cut: len - captured.len() as u64, bytes: kept.into() };
                self.cost += piece.cost();
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
    /// Bytes that it is counted for.
    fn cost(&self) -> usize {
        self.bytes.len() + ReassemblyLimits::SEGMENT_OVERHEAD
    }

    /// Whether `bytes` at offset `at` differ from this piece, which starts at `start <= at`.
    fn differs(&self, start: u64, bytes: &[u8], at: u64) -> bool {
        let skip = usize::try_from(at - start).unwrap_or(usize::MAX).min(self.bytes.len());
        self.bytes[skip..].iter().zip(bytes).any(|(a, b)| a != b)
    }
}
