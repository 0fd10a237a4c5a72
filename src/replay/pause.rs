//! When the records so far are shown, while input comes from a pipe.

use std::time::Duration;

use super::merge::Merge;
use crate::clock::Stopwatch;

/// How long records wait for more input. Rows of a table are put in order of time among those that
/// wait together.
const WAIT: Duration = Duration::from_millis(100);

/// Notices when nothing comes out of a pipe. Files never pause, so that what is read from them is
/// shown in the same way at every time.
pub(super) struct Pauses {
    shown: Stopwatch,
}

impl Pauses {
    pub(super) fn new() -> Self {
        Self { shown: Stopwatch::start() }
    }

    /// Whether records are to be shown before the next frames are read: nothing is there to read,
    /// and they have waited for long enough.
    pub(super) fn is_pause(&mut self, merge: &Merge) -> bool {
        if !merge.is_live() || merge.has_more(Duration::ZERO) {
            return false;
        }
        let left = WAIT.saturating_sub(self.shown.elapsed());
        if !left.is_zero() && merge.has_more(left) {
            return false;
        }
        self.shown = Stopwatch::start();
        true
    }
}
