//! Where frames come from in a run: packet rings, or XDP and TCX programs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use capture::interfaces::{Change, Interface, Selector, Watch};
use capture::{Filter, Ring, RingConfig, Skipped};
use wire::{Batch, Drops, LinkType, RawFrame, Source, SourceError, TapKind};
use xdp::{FrameTap, FrameTapConfig, Ingress};

use crate::config::{Backend, Settings};
use crate::failure::Failure;
use crate::taps::Taps;

/// Where events of interfaces go, so that the sources follow them.
pub(super) enum InterfaceEvents {
    /// All packet rings share a table of taps.
    Rings(Arc<capture::Taps>),
    /// Programs are attached by the thread that owns them.
    Programs(Sender<Change>),
}

/// Frames that a source saw and did not hand over, as of its last call of [`Source::drops`].
#[derive(Debug, Default)]
pub(super) struct SkippedFrames {
    unselected: AtomicU64,
    loopback_copies: AtomicU64,
    filtered: AtomicU64,
}

impl SkippedFrames {
    /// Numbers by reason.
    pub(super) fn by_reason(&self) -> [(&'static str, u64); 3] {
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("of_interfaces_not_selected", number(&self.unselected)),
            ("second_copies_on_loopback", number(&self.loopback_copies)),
            ("not_matching_the_filter", number(&self.filtered)),
        ]
    }

    fn set(&self, skipped: Skipped) {
        self.unselected.store(skipped.unselected, Ordering::Relaxed);
        self.loopback_copies.store(skipped.loopback_copies, Ordering::Relaxed);
        self.filtered.store(skipped.filtered, Ordering::Relaxed);
    }
}

/// Sources of frames, one for each shard, where events of interfaces go, and what the sources skip.
pub(super) type Opened = (Vec<Box<dyn Source>>, InterfaceEvents, Vec<Arc<SkippedFrames>>);

/// Opens the sources, one for each shard.
pub(super) fn open(
    settings: &Settings,
    selector: Selector,
    watch: &Watch,
    taps: &Arc<Taps>,
) -> Result<Opened, Failure> {
    match settings.capture.backend {
        Backend::AfPacket => rings(settings, selector, watch, taps),
        Backend::Xdp => programs(settings, selector, watch, taps),
    }
}

fn rings(
    settings: &Settings,
    selector: Selector,
    watch: &Watch,
    taps: &Arc<Taps>,
) -> Result<Opened, Failure> {
    let registry = taps.clone();
    let names = Box::new(move |interface: &Interface| registry.add(&interface.name, interface.kind));
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

fn refused(error: capture::Error) -> Failure {
    match error {
        capture::Error::Filter { .. } | capture::Error::Config { .. } | capture::Error::Pattern { .. } => {
            Failure::usage(error)
        }
        other => Failure::runtime(other),
    }
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

fn programs(
    settings: &Settings,
    selector: Selector,
    watch: &Watch,
    taps: &Arc<Taps>,
) -> Result<Opened, Failure> {
    let filter = match &settings.capture.filter {
        Some(expression) => Some(UserFilter {
            ethernet: Filter::compile(expression, LinkType::Ethernet).map_err(refused)?,
            raw_ip: Filter::compile(expression, LinkType::RawIp).ok(),
        }),
        None => None,
    };
    let config = FrameTapConfig {
        snap_len: settings.ring.snap_len.min(FrameTap::MAX_SNAP_LEN),
        ..settings.frame_tap.clone()
    };
    let frames = FrameTap::load(&config).map_err(Failure::runtime)?;
    let (events, changes) = channel();
    let ingress = config.ingress;
    let skipped = Arc::<SkippedFrames>::default();
    let mut source = Programs {
        frames,
        ingress,
        changes,
        selector,
        taps: taps.clone(),
        attached: Vec::new(),
        filter,
        skipped: skipped.clone(),
    };
    for interface in watch.interfaces() {
        source.apply(&Change::Appeared(interface.clone()));
    }
    Ok((vec![Box::new(source)], InterfaceEvents::Programs(events), vec![skipped]))
}

/// XDP and TCX programs that follow the interfaces as they come and go.
struct Programs {
    frames: FrameTap,
    ingress: Ingress,
    changes: Receiver<Change>,
    selector: Selector,
    taps: Arc<Taps>,
    /// Index and name of the interfaces that have programs.
    attached: Vec<(u32, String)>,
    filter: Option<UserFilter>,
    skipped: Arc<SkippedFrames>,
}

/// A filter expression by what frames start with; the programs in the kernel have none.
struct UserFilter {
    ethernet: Filter,
    /// None where the expression has no meaning without Ethernet.
    raw_ip: Option<Filter>,
}

impl UserFilter {
    fn matches(&self, frame: &RawFrame<'_>) -> bool {
        let filter =
            if frame.link_type == LinkType::Ethernet { Some(&self.ethernet) } else { self.raw_ip.as_ref() };
        filter.is_some_and(|filter| filter.matches(frame.bytes, frame.wire_len))
    }
}

impl Programs {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Appeared(interface) | Change::Changed(interface) => {
                let wanted = interface.up && self.selector.choose(interface).tap;
                let there =
                    self.attached.iter().any(|(i, name)| *i == interface.index && *name == interface.name);
                if wanted && !there {
                    self.attach(interface);
                } else if !wanted && there {
                    self.detach(interface);
                }
            }
            Change::Gone(interface) => self.detach(interface),
        }
    }

    fn attach(&mut self, interface: &Interface) {
        self.detach(interface);
        let tap = self.taps.add(&interface.name, interface.kind);
        let ingress = ingress(self.ingress, interface.kind);
        match self.frames.attach_at(ingress, interface.index, tap, interface.link_type) {
            Ok(used) => {
                tracing::debug!("{}: incoming frames by {used:?}", interface.name);
                self.attached.push((interface.index, interface.name.clone()));
            }
            Err(error) => tracing::warn!("{} is not tapped: {error}", interface.name),
        }
    }

    fn detach(&mut self, interface: &Interface) {
        self.frames.detach(interface.index);
        self.attached.retain(|(index, _)| *index != interface.index);
    }
}

/// How to see incoming frames of a device of `kind`. Native XDP takes a veth's peer its
/// segmentation offload, and XDP in the stack has no advantage over TCX on devices without
/// hardware, so `Best` is XDP on physical ones only.
const fn ingress(configured: Ingress, kind: TapKind) -> Ingress {
    match (configured, kind) {
        (Ingress::Best, TapKind::Physical) => Ingress::Best,
        (Ingress::Best, _) => Ingress::Tcx,
        (chosen, _) => chosen,
    }
}

impl Source for Programs {
    fn next_batch(
        &mut self,
        wait: Duration,
        frames: &mut dyn FnMut(RawFrame<'_>),
    ) -> Result<Batch, SourceError> {
        while let Ok(change) = self.changes.try_recv() {
            self.apply(&change);
        }
        match &self.filter {
            None => self.frames.next_batch(wait, frames),
            Some(filter) => {
                let mut filtered = 0;
                let batch = self.frames.next_batch(wait, &mut |frame| {
                    if filter.matches(&frame) {
                        frames(frame);
                    } else {
                        filtered += 1;
                    }
                });
                self.skipped.filtered.fetch_add(filtered, Ordering::Relaxed);
                batch
            }
        }
    }

    fn drops(&mut self) -> Drops {
        self.frames.drops()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_physical_devices_get_xdp_unasked() {
        assert_eq!(ingress(Ingress::Best, TapKind::Physical), Ingress::Best);
        for kind in [TapKind::Veth, TapKind::Bridge, TapKind::Tun, TapKind::Tunnel] {
            assert_eq!(ingress(Ingress::Best, kind), Ingress::Tcx);
        }
        assert_eq!(ingress(Ingress::Native, TapKind::Veth), Ingress::Native);
    }
}
