//! A capturing thread: a source of frames and the shard that analyses them.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use wire::{Batch, Drops, InputClock, RawFrame, Source, SourceError, TapId};

use super::frame_file::FrameFile;
use super::outlet::StoreOutlet;
use crate::clock::{self, Stopwatch};
use crate::live::{ShardState, Shared};
use crate::output::Captured;
use crate::pipeline::Shard;

/// How long the thread waits for frames before it reads the clock.
const WAIT: Duration = Duration::from_millis(100);
/// Time between two ticks of the analyzer, at which counters are read too.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between two measurements of the analyzer's memory, which walk over all flows.
const USAGE_EVERY: u32 = 10;
/// How long at most the frames that wait in a ring are analysed at the end.
const DRAIN: Duration = Duration::from_secs(5);

pub(super) struct CaptureThread {
    /// Number of the shard, from 0 to `count` - 1.
    pub(super) index: usize,
    pub(super) count: usize,
    pub(super) source: Box<dyn Source>,
    pub(super) shard: Shard<StoreOutlet>,
    pub(super) file: Option<FrameFile>,
    pub(super) shared: Arc<Shared>,
}

/// What the thread did, returned at its end.
#[derive(Debug, Default)]
pub(super) struct CaptureReport {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) drops: Drops,
    pub(super) facts_dropped: u64,
    pub(super) counts: Captured,
    pub(super) failed: Option<SourceError>,
}

/// Frames so far, and for each tap packets and bytes since the last tick.
#[derive(Default)]
struct FrameCounts {
    packets: u64,
    bytes: u64,
    clock: InputClock,
    by_tap: Vec<(u64, u64)>,
}

impl FrameCounts {
    fn add(&mut self, frame: &RawFrame<'_>) {
        self.packets += 1;
        self.bytes += u64::from(frame.whole_wire_len());
        self.clock.on_frame(frame.time);
        let tap = frame.tap.0 as usize;
        if self.by_tap.len() <= tap {
            self.by_tap.resize(tap + 1, (0, 0));
        }
        if let Some((packets, bytes)) = self.by_tap.get_mut(tap) {
            *packets += 1;
            *bytes += u64::from(frame.whole_wire_len());
        }
    }
}

/// Number of the frame that follows `before` others in shard `index`: unique over all shards.
#[inline]
const fn frame_number(before: u64, index: usize, shards: usize) -> u64 {
    before * shards as u64 + index as u64 + 1
}

impl CaptureThread {
    /// Captures and analyses until the run stops or the source fails, then closes all flows.
    pub(super) fn run(mut self) -> CaptureReport {
        let mut report = CaptureReport::default();
        let mut counts = FrameCounts::default();
        let mut since_tick = Stopwatch::start();
        let mut ticks = 0;
        while !self.shared.stopping() {
            let outcome = self.next_batch(WAIT, &mut counts);
            match outcome {
                Ok(Batch::End) => break,
                Ok(_) => {}
                Err(error) => {
                    report.failed = Some(error);
                    self.shared.request_stop();
                    break;
                }
            }
            self.state().set_progress(&self.shared.started);
            if since_tick.elapsed() >= TICK {
                since_tick = Stopwatch::start();
                let idle = matches!(outcome, Ok(Batch::Idle));
                let now = if idle { clock::now() } else { counts.clock.now() };
                self.shard.on_tick(frame_number(counts.packets, self.index, self.count), now);
                self.shard.update_metrics();
                self.report_counts(&counts, &mut report);
                counts.by_tap.fill((0, 0));
                if ticks % USAGE_EVERY == 0 {
                    let usage = self.shard.usage();
                    *self.state().usage.lock().unwrap_or_else(PoisonError::into_inner) = usage;
                }
                ticks += 1;
            }
            // An exchange does not wait for its batch to fill.
            self.shard.destination().flush();
        }
        self.finish(counts, report)
    }

    fn state(&self) -> &ShardState {
        &self.shared.shards[self.index]
    }

    fn next_batch(
        &mut self,
        wait: Duration,
        counts: &mut FrameCounts,
    ) -> Result<Batch, SourceError> {
        let Self { source, shard, file, index, count, .. } = self;
        source.next_batch(wait, &mut |frame| {
            let number = frame_number(counts.packets, *index, *count);
            counts.add(&frame);
            shard.on_frame(number, &frame);
            if let Some(file) = file {
                file.push(&frame);
            }
        })
    }

    /// Adds what was counted since the last tick to the metrics.
    fn report_counts(&mut self, counts: &FrameCounts, report: &mut CaptureReport) {
        for (id, &(packets, bytes)) in (0..).zip(&counts.by_tap) {
            if packets > 0
                && let Some(tap) = self.shared.taps.get(TapId(id))
            {
                self.shared.metrics.add_captured(&tap.name, packets, bytes);
            }
        }
        let drops = self.source.drops();
        self.shared.metrics.add_capture_drops(&format!("shard{}", self.index), drops);
        report.drops.kernel += drops.kernel;
        report.drops.freezes += drops.freezes;
        report.drops.failed += drops.failed;
    }

    /// Analyses what the ring still holds, closes all flows, and sends the last facts.
    fn finish(mut self, mut counts: FrameCounts, mut report: CaptureReport) -> CaptureReport {
        self.state().set_ended();
        let since_end = Stopwatch::start();
        while report.failed.is_none() && since_end.elapsed() < DRAIN {
            match self.next_batch(Duration::ZERO, &mut counts) {
                Ok(Batch::Frames(_)) => {}
                Ok(_) => break,
                Err(error) => report.failed = Some(error),
            }
        }
        self.report_counts(&counts, &mut report);
        report.packets = counts.packets;
        report.bytes = counts.bytes;
        let (outlet, facts) = self.shard.finish(clock::now());
        report.counts = facts;
        report.facts_dropped = outlet.finish();
        report
    }
}
