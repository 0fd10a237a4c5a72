//! State of a run that all its threads may read.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use analyzer::Usage;
use metrics::Metrics;

use super::flow_board::FlowBoard;
use crate::clock::Stopwatch;
use crate::names::NameRegistry;
use crate::taps::Taps;

/// What all threads of a run share.
pub(crate) struct Shared {
    pub(crate) taps: Arc<Taps>,
    pub(crate) names: Arc<NameRegistry>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shards: Vec<ShardState>,
    /// Every thread ends when this is set.
    pub(crate) stop: AtomicBool,
    pub(crate) started: Stopwatch,
}

/// What one shard shows to other threads.
pub(crate) struct ShardState {
    /// Milliseconds from the start of the run to the shard's last sign of progress.
    progress_ms: AtomicU64,
    ended: AtomicBool,
    pub(crate) board: Mutex<FlowBoard>,
    pub(crate) usage: Mutex<Usage>,
}

impl ShardState {
    pub(crate) fn new(flows_listed: usize) -> Self {
        Self {
            progress_ms: AtomicU64::default(),
            ended: AtomicBool::default(),
            board: Mutex::new(FlowBoard::new(flows_listed)),
            usage: Mutex::default(),
        }
    }

    /// Notes that the shard makes progress.
    pub(crate) fn set_progress(&self, started: &Stopwatch) {
        self.progress_ms.store(millis(started.elapsed()), Ordering::Relaxed);
    }

    /// Notes that the shard captures no longer.
    pub(crate) fn set_ended(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    /// Numbers of the shards that made no progress for `stall`, or have ended.
    pub(crate) fn stalled(&self, stall: Duration) -> Vec<usize> {
        let now = millis(self.started.elapsed());
        let is_stalled = |shard: &ShardState| {
            let idle = now.saturating_sub(shard.progress_ms.load(Ordering::Relaxed));
            shard.ended.load(Ordering::Relaxed) || idle > millis(stall)
        };
        let numbered = self.shards.iter().enumerate();
        numbered.filter(|(_, shard)| is_stalled(shard)).map(|(number, _)| number).collect()
    }

    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn request_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
