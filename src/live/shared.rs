use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use analyzer::Usage;
use metrics::Metrics;

use super::board::Board;
use crate::clock::Stopwatch;
use crate::names::Known;
use crate::taps::Taps;

/// What all threads of a run share.
pub(crate) struct Shared {
    pub(crate) taps: Arc<Taps>,
    pub(crate) names: Arc<Known>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shards: Vec<ShardState>,
    /// Asks every thread to end.
    pub(crate) stop: AtomicBool,
    pub(crate) started: Stopwatch,
}

/// What one shard lets others see.
#[derive(Default)]
pub(crate) struct ShardState {
    /// Milliseconds from the start of the run to its last turn.
    turned_ms: AtomicU64,
    ended: AtomicBool,
    pub(crate) board: Mutex<Board>,
    pub(crate) usage: Mutex<Usage>,
}

impl ShardState {
    pub(crate) fn new(flows_listed: usize) -> Self {
        let state = Self::default();
        state.board.lock().unwrap_or_else(std::sync::PoisonError::into_inner).set_limit(flows_listed);
        state
    }

    /// Remembers that the shard makes progress.
    pub(crate) fn turn(&self, started: &Stopwatch) {
        self.turned_ms.store(millis(started.elapsed()), Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    /// Shards that made no progress for `stall`, or have ended, by number.
    pub(crate) fn stalled(&self, stall: Duration) -> Vec<usize> {
        let now = millis(self.started.elapsed());
        let is_stalled = |shard: &ShardState| {
            let idle = now.saturating_sub(shard.turned_ms.load(Ordering::Relaxed));
            shard.ended.load(Ordering::Relaxed) || idle > millis(stall)
        };
        self.shards.iter().enumerate().filter(|(_, shard)| is_stalled(shard)).map(|(i, _)| i).collect()
    }

    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn ask_to_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
