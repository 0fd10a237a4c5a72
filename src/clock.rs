//! The only place that reads a clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wire::Timestamp;

/// The time of day: what a running capture goes by while no frames come.
#[expect(
    clippy::disallowed_methods,
    reason = "a live capture has no other source of time when its interfaces are silent"
)]
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::ZERO + since_epoch
}

/// Measures how long ago it was started; does not jump when the time of day is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "health, watchdog and the pace of housekeeping are about this process, not about frames"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
