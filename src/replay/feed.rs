use std::sync::atomic::{AtomicBool, Ordering};

use wire::{InputClock, RawFrame, TapId, Timestamp};

use super::filter::Filters;
use super::merge::Merge;

/// What frames and ticks go to.
pub(super) trait Stage {
    /// Takes a frame with its number, counted from 1 over the whole input.
    fn frame(&mut self, number: u64, frame: &RawFrame<'_>);
    /// Time has come to `now`, before the frame of this number.
    fn tick(&mut self, number: u64, now: Timestamp);
    /// Some frames were handed over; false to stop.
    fn go_on(&mut self) -> bool;
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    pub(super) captured: u64,
    pub(super) bytes: u64,
    pub(super) analysed: u64,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Timestamp,
    /// Frames and bytes by tap.
    pub(super) by_tap: Vec<(u64, u64)>,
}

/// Reads all frames, passes those that match the filter on, and lets time pass: a tick stands before the first frame of every
/// whole second of the input's own time ([`InputClock`]), so the results do not depend on how fast or by how many threads it is read.
pub(super) fn feed(
    merge: &mut Merge,
    filters: &mut Filters,
    stage: &mut impl Stage,
    stop: &AtomicBool,
    mut progress: impl FnMut(&Merge, &Read),
) -> Read {
    let mut read = Read::default();
    let mut clock = InputClock::default();
    while !stop.load(Ordering::Relaxed) {
        let more = merge.next_batch(|frame| {
            read.count(frame);
            if !filters.match_frame(frame) {
                return;
            }
            read.analysed += 1;
            if let Some(now) = clock.frame(frame.time) {
                stage.tick(read.analysed, now);
            }
            stage.frame(read.analysed, frame);
        });
        progress(merge, &read);
        if !stage.go_on() || !more {
            break;
        }
    }
    // All analyzers end at the same time, whichever of them had the last frame.
    stage.tick(read.analysed + 1, clock.now());
    read
}

impl Read {
    pub(super) fn count(&mut self, frame: &RawFrame<'_>) {
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
}
