//! Where the bytes stand that a parser is shown, and places in a stream that it keeps for later.

use wire::{Direction, SeqNum, Timestamp};

use super::kind::Kind;
use crate::input::TroubleCounts;

/// Where the bytes stand that a parser is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position<'a> {
    /// Direction as the flow sees it.
    pub(crate) direction: Direction,
    /// Stream offset of the first of the bytes.
    pub(crate) offset: u64,
    /// Sequence number of offset 0; none for datagrams.
    pub(crate) base: Option<SeqNum>,
    /// Totals of the flow when the bytes before `fresh_from` came.
    pub(crate) buffered_troubles: &'a TroubleCounts,
    /// Offset of the first byte that came with the packet at hand.
    pub(crate) fresh_from: u64,
    /// Totals of the flow now.
    pub(crate) troubles: &'a TroubleCounts,
}

impl Position<'_> {
    /// Totals of the flow when the byte at `offset` came.
    pub(super) fn troubles_at(&self, offset: u64) -> TroubleCounts {
        if offset < self.fresh_from { *self.buffered_troubles } else { *self.troubles }
    }

    /// Sequence number of the byte at `offset`; for datagrams the message's id, modulo 2^16.
    pub(super) fn sequence(&self, offset: u64, id: u64) -> SeqNum {
        self.base.map_or(SeqNum(id as u16 as u32), |base| base.plus(offset as u32))
    }

    /// Direction of the requests to whose exchanges messages of this kind belong here.
    pub(super) fn asker(&self, kind: Kind) -> Direction {
        match kind {
            Kind::Response => self.direction.reverse(),
            Kind::Request | Kind::OneWay => self.direction,
        }
    }
}

/// Where a message begins, and when that byte passed.
/// Made by [`Messages::start_mark`](super::Messages::start_mark) while the byte is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartMark {
    pub(crate) offset: u64,
    pub(super) passed: Timestamp,
}

/// Where a message ends, and when the byte before passed.
/// Made by [`Messages::end_mark`](super::Messages::end_mark) while the byte is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndMark {
    pub(super) offset: u64,
    pub(super) passed: Timestamp,
}
