//! One thread reads, analyses and writes.

use std::sync::atomic::{AtomicBool, Ordering};

use wire::InputClock;

use super::direct::DirectOutlet;
use super::filter::Filters;
use super::merge::Merge;
use super::pause::Pauses;
use super::totals::InputTotals;
use crate::output::Captured;
use crate::pipeline::{Recorder, Shard, ShardConfig};

/// Replays with one analyzer. Returns what was read, the counts of facts, and what became of
/// writing.
///
/// A tick stands before the first frame of every whole second of the input's own time
/// ([`InputClock`]), so the output does not depend on how fast the input is read.
pub(super) fn replay(
    merge: &mut Merge,
    filters: &mut Filters,
    config: &ShardConfig,
    recorder: &mut Recorder,
    stop: &AtomicBool,
    mut progress: impl FnMut(&Merge, &InputTotals),
) -> (InputTotals, Captured, anyhow::Result<()>) {
    let mut shard = Shard::new(config, DirectOutlet::new(recorder));
    let mut totals = InputTotals::default();
    let mut clock = InputClock::default();
    let mut pauses = Pauses::new();
    while !stop.load(Ordering::Relaxed) {
        if pauses.is_pause(merge) {
            shard.destination().show();
        }
        let more = merge.next_batch(|frame| {
            totals.add(frame);
            if !filters.match_frame(frame) {
                return;
            }
            totals.add_analysed(frame);
            if let Some(now) = clock.on_frame(frame.time) {
                shard.on_tick(totals.analysed, now);
            }
            shard.on_frame(totals.analysed, frame);
        });
        progress(merge, &totals);
        if !more || !shard.destination().is_ok() {
            break;
        }
    }
    shard.on_tick(totals.analysed + 1, clock.now());
    let (outlet, counts) = shard.finish(clock.end());
    (totals, counts, outlet.finish())
}
