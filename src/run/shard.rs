use std::sync::{Arc, PoisonError};
use std::time::Duration;

use analyzer::Analyzer;
use metrics::Metered;
use wire::{Batch, Drops, InputClock, RawFrame, Source, SourceError, TapId};

use super::frame_file::FrameFile;
use super::outlet::Outlet;
use crate::clock::{self, Stopwatch};
use crate::live::Shared;
use crate::output::Captured;

/// How long a shard waits for frames before it looks at the clock.
const WAIT: Duration = Duration::from_millis(100);
/// Pace of ticks, and of looking at counters.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between two looks at what the analyzer holds, which costs a walk over its flows.
const USAGE_EVERY: u32 = 10;
/// At the end, what waits in a ring is analysed for at most this long.
const DRAIN: Duration = Duration::from_secs(5);

/// One thread's part: its source of frames, its analyzer, and its way out.
pub(super) struct Shard {
    pub(super) index: usize,
    pub(super) count: usize,
    pub(super) source: Box<dyn Source>,
    pub(super) analyzer: Analyzer,
    pub(super) sink: Metered<Outlet>,
    pub(super) file: Option<FrameFile>,
    pub(super) shared: Arc<Shared>,
}

/// What a shard did, told at its end.
#[derive(Debug, Default)]
pub(super) struct ShardReport {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) drops: Drops,
    pub(super) facts_dropped: u64,
    pub(super) counts: Captured,
    pub(super) failed: Option<SourceError>,
}

/// Frames counted since the last tick.
#[derive(Default)]
struct Seen {
    packets: u64,
    bytes: u64,
    clock: InputClock,
    by_tap: Vec<(u64, u64)>,
}

impl Seen {
    fn count(&mut self, frame: &RawFrame<'_>) {
        self.packets += 1;
        self.bytes += u64::from(frame.whole_wire_len());
        self.clock.frame(frame.time);
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

impl Shard {
    /// Captures and analyses until it is asked to stop or the source fails; then lets everything out.
    pub(super) fn run(mut self) -> ShardReport {
        let mut report = ShardReport::default();
        let mut seen = Seen::default();
        let mut pace = Stopwatch::start();
        let mut ticks = 0;
        while !self.shared.stopping() {
            let outcome = self.turn(WAIT, &mut seen);
            match outcome {
                Ok(Batch::End) => break,
                Ok(_) => {}
                Err(error) => {
                    report.failed = Some(error);
                    self.shared.ask_to_stop();
                    break;
                }
            }
            self.state().turn(&self.shared.started);
            if pace.elapsed() >= TICK {
                pace = Stopwatch::start();
                let idle = matches!(outcome, Ok(Batch::Idle));
                self.analyzer.tick(if idle { clock::now() } else { seen.clock.now() }, &mut self.sink);
                self.sink.name();
                self.tell(&seen, &mut report);
                seen.by_tap.fill((0, 0));
                if ticks % USAGE_EVERY == 0 {
                    *self.state().usage.lock().unwrap_or_else(PoisonError::into_inner) =
                        self.analyzer.usage();
                }
                ticks += 1;
            }
            // Exchanges wait no longer than a turn for their batch to fill.
            self.sink.inner_mut().flush();
        }
        self.end(seen, report)
    }

    fn state(&self) -> &crate::live::ShardState {
        &self.shared.shards[self.index]
    }

    fn turn(&mut self, wait: Duration, seen: &mut Seen) -> Result<Batch, SourceError> {
        let Self { source, analyzer, sink, file, index, count, .. } = self;
        source.next_batch(wait, &mut |frame| {
            seen.count(&frame);
            // Numbers are unique over all shards.
            let number = (seen.packets - 1) * *count as u64 + *index as u64 + 1;
            analyzer.frame(number, &frame, sink);
            if let Some(file) = file {
                file.push(&frame);
            }
        })
    }

    /// Tells the metrics what was counted since the last time.
    fn tell(&mut self, seen: &Seen, report: &mut ShardReport) {
        for (id, &(packets, bytes)) in (0..).zip(&seen.by_tap) {
            if packets > 0
                && let Some(tap) = self.shared.taps.get(TapId(id))
            {
                self.shared.metrics.captured(&tap.name, packets, bytes);
            }
        }
        let drops = self.source.drops();
        self.shared.metrics.dropped(&format!("shard{}", self.index), drops);
        report.drops.kernel += drops.kernel;
        report.drops.freezes += drops.freezes;
        report.drops.failed += drops.failed;
    }

    /// Analyses what the ring still holds, closes all flows, and sends the last facts.
    fn end(mut self, mut seen: Seen, mut report: ShardReport) -> ShardReport {
        self.state().end();
        let limit = Stopwatch::start();
        while report.failed.is_none() && limit.elapsed() < DRAIN {
            match self.turn(Duration::ZERO, &mut seen) {
                Ok(Batch::Frames(_)) => {}
                Ok(_) => break,
                Err(error) => report.failed = Some(error),
            }
        }
        self.tell(&seen, &mut report);
        self.analyzer.finish(&mut self.sink);
        self.sink.finish();
        let outlet = self.sink.inner_mut();
        outlet.finish();
        report.facts_dropped = outlet.dropped;
        report.counts = std::mem::take(&mut outlet.counts);
        report.packets = seen.packets;
        report.bytes = seen.bytes;
        report
    }
}
