//! Where frames come from in a run: packet rings, or XDP and TCX programs.

mod opened;
mod programs;
mod rings;

pub(super) use opened::{InterfaceEvents, Opened, SkippedFrames};

use std::sync::Arc;

use capture::interfaces::{Selector, Watch};

use crate::config::{Backend, Settings};
use crate::failure::Failure;
use crate::taps::Taps;

/// Opens the sources, one for each shard.
pub(super) fn open(
    settings: &Settings,
    selector: Selector,
    watch: &Watch,
    taps: &Arc<Taps>,
) -> Result<Opened, Failure> {
    match settings.capture.backend {
        Backend::AfPacket => rings::open(settings, selector, watch, taps),
        Backend::Xdp => programs::open(settings, selector, watch, taps),
    }
}
