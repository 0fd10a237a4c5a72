//! The bytes of one direction that no parser has consumed yet, and those that will never come.

use wire::{Direction, Timestamp, Transport};

use crate::correlate::Position;
use crate::input::{Context, TroubleCounts};

/// Bytes for which there is room when the buffer is reused.
const REUSED: usize = 4096;

/// Bytes of a direction that will never come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    /// Offset of the first missing byte.
    pub(crate) offset: u64,
    pub(crate) len: u64,
    /// Time of the packet that made it certain.
    pub(crate) time: Timestamp,
    /// They passed the tap, and the snap length cut them off.
    pub(crate) snapped: bool,
}

/// Where reading stands in one direction, and what waits to be read.
#[derive(Debug, Default)]
pub(super) struct StreamBuffer {
    /// Stream offset of the first byte that is not dealt with.
    pub(super) start: u64,
    /// `start` is known.
    begun: bool,
    /// Bytes from `start` on that wait for more.
    pub(super) pending: Vec<u8>,
    /// How many have to wait before it is worth reading again.
    pub(super) wanted: usize,
    /// Bytes from `start` on that need not be read. Nothing is pending meanwhile.
    pub(super) skip: u64,
    /// Totals of the flow when the first of `pending` came.
    pub(super) troubles: TroubleCounts,
}

impl StreamBuffer {
    /// Offset of the byte that follows what came so far: `offset`, if nothing did.
    pub(super) fn expected(&mut self, offset: u64) -> u64 {
        if !self.begun {
            self.begun = true;
            self.start = offset;
        }
        self.start + self.pending.len() as u64
    }

    /// Whether nothing came so far.
    pub(super) fn is_untouched(&self) -> bool {
        !self.begun
    }

    /// Where the first byte stands that is not dealt with. Bytes from `fresh_from` on came with the
    /// packet at hand.
    pub(super) fn position<'a>(
        &'a self,
        cx: &'a Context,
        direction: Direction,
        fresh_from: u64,
    ) -> Position<'a> {
        Position {
            direction,
            offset: self.start,
            base: (cx.transport == Transport::Tcp).then_some(cx.base[direction]),
            buffered_troubles: &self.troubles,
            fresh_from,
            troubles: &cx.health.troubles,
        }
    }

    /// Passes over up to `len` of the bytes that need not be read. Returns how many they were.
    pub(super) fn pass_skipped(&mut self, len: u64) -> u64 {
        let skipped = self.skip.min(len);
        self.skip -= skipped;
        self.start += skipped;
        skipped
    }

    /// Drops the bytes that wait. Returns how many they were.
    pub(super) fn drop_pending(&mut self) -> usize {
        let dropped = self.pending.len();
        self.start += dropped as u64;
        self.pending.clear();
        self.wanted = 0;
        dropped
    }

    /// An empty buffer with the memory of this one, if that is little.
    pub(super) fn emptied(self) -> Self {
        let mut pending = self.pending;
        pending.clear();
        pending.shrink_to(REUSED);
        Self { pending, ..Self::default() }
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.pending.capacity()
    }
}
