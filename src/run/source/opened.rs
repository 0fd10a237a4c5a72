//! What a backend returns: sources, and what connects them with other threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use capture::Skipped;
use capture::interfaces::Change;
use wire::Source;

use crate::failure::Failure;

/// Where events of interfaces go, so that the sources follow them.
pub(in crate::run) enum InterfaceEvents {
    /// All packet rings share a table of taps.
    Rings(Arc<capture::Taps>),
    /// Programs are attached by the thread that owns them.
    Programs(Sender<Change>),
}

/// Frames that a source saw and did not hand over, as of its last call of [`Source::drops`].
#[derive(Debug, Default)]
pub(in crate::run) struct SkippedFrames {
    unselected: AtomicU64,
    loopback_copies: AtomicU64,
    pub(super) filtered: AtomicU64,
}

impl SkippedFrames {
    /// Numbers by reason.
    pub(in crate::run) fn by_reason(&self) -> [(&'static str, u64); 3] {
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("of_interfaces_not_selected", number(&self.unselected)),
            ("second_copies_on_loopback", number(&self.loopback_copies)),
            ("not_matching_the_filter", number(&self.filtered)),
        ]
    }

    pub(super) fn set(&self, skipped: Skipped) {
        self.unselected.store(skipped.unselected, Ordering::Relaxed);
        self.loopback_copies.store(skipped.loopback_copies, Ordering::Relaxed);
        self.filtered.store(skipped.filtered, Ordering::Relaxed);
    }
}

/// Sources of frames, one for each shard, where events of interfaces go, and what the sources skip.
pub(in crate::run) type Opened = (Vec<Box<dyn Source>>, InterfaceEvents, Vec<Arc<SkippedFrames>>);

/// The failure of a backend that could not be opened: a usage failure where the settings are wrong.
pub(super) fn refused(error: capture::Error) -> Failure {
    match error {
        capture::Error::Filter { .. }
        | capture::Error::Config { .. }
        | capture::Error::Pattern { .. } => Failure::usage(error),
        other => Failure::runtime(other),
    }
}
