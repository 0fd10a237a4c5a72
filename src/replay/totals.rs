//! What was read from the files.

use std::collections::BTreeMap;

use wire::{LinkType, RawFrame, TapId, Timestamp};

/// Counts of the frames that were read.
#[derive(Clone, Debug, Default)]
pub(super) struct InputTotals {
    pub(super) captured: u64,
    pub(super) bytes: u64,
    /// Frames that matched the filter expression.
    pub(super) analysed: u64,
    /// Of these, frames of link types that are not decoded, by number.
    pub(super) unsupported: BTreeMap<u16, u64>,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Timestamp,
    /// Frames and bytes by tap.
    pub(super) by_tap: Vec<(u64, u64)>,
}

impl InputTotals {
    pub(super) fn add(&mut self, frame: &RawFrame<'_>) {
        self.captured += 1;
        self.bytes += u64::from(frame.wire_len);
        self.first = Some(self.first.map_or(frame.time, |first| first.min(frame.time)));
        self.last = self.last.max(frame.time);
        let TapId(tap) = frame.tap;
        let tap = tap as usize;
        if self.by_tap.len() <= tap {
            self.by_tap.resize(tap + 1, (0, 0));
        }
        let (packets, bytes) = &mut self.by_tap[tap];
        *packets += 1;
        *bytes += u64::from(frame.wire_len);
    }

    /// Counts a frame that matched the filter expression.
    #[inline]
    pub(super) fn add_analysed(&mut self, frame: &RawFrame<'_>) {
        self.analysed += 1;
        if let LinkType::Unsupported(number) = frame.link_type {
            *self.unsupported.entry(number).or_default() += 1;
        }
    }
}
