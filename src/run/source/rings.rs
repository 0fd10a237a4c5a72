//! Packet rings (packet(7)), one for each shard.

use std::sync::Arc;
use std::time::Duration;

use capture::interfaces::{Interface, Selector, Watch};
use capture::{Ring, RingConfig};
use wire::{Batch, Drops, RawFrame, Source, SourceError};

use super::opened::{InterfaceEvents, Opened, SkippedFrames, refused};
use crate::config::Settings;
use crate::failure::Failure;
use crate::taps::Taps;

/// Opens a ring for each shard.
pub(super) fn open(
    settings: &Settings,
    selector: Selector,
    watch: &Watch,
    taps: &Arc<Taps>,
) -> Result<Opened, Failure> {
    let registry = taps.clone();
    let names =
        Box::new(move |interface: &Interface| registry.add(&interface.name, interface.kind));
    let table = Arc::new(capture::Taps::new(selector, watch.interfaces(), names));
    let config = RingConfig { filter: settings.capture.filter.clone(), ..settings.ring.clone() };
    let rings = Ring::open(&config, settings.shards(), &table).map_err(refused)?;
    let mut skipped = Vec::new();
    let sources = rings.into_iter().map(|ring| {
        let counted = CountedRing { ring, skipped: Arc::default() };
        skipped.push(counted.skipped.clone());
        Box::new(counted) as Box<dyn Source>
    });
    let sources = sources.collect();
    Ok((sources, InterfaceEvents::Rings(table), skipped))
}

/// A ring that publishes how many frames it skips.
struct CountedRing {
    ring: Ring,
    skipped: Arc<SkippedFrames>,
}

impl Source for CountedRing {
    fn next_batch(
        &mut self,
        wait: Duration,
        frames: &mut dyn FnMut(RawFrame<'_>),
    ) -> Result<Batch, SourceError> {
        self.ring.next_batch(wait, frames)
    }

    fn drops(&mut self) -> Drops {
        self.skipped.set(self.ring.skipped());
        self.ring.drops()
    }
}
