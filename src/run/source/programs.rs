//! XDP and TCX programs, read by one shard.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use capture::Filter;
use capture::interfaces::{Change, Interface, Selector, Watch};
use wire::{Batch, Drops, LinkType, RawFrame, Source, SourceError, TapKind};
use xdp::{FrameTap, FrameTapConfig, Ingress};

use super::opened::{InterfaceEvents, Opened, SkippedFrames, refused};
use crate::config::Settings;
use crate::failure::Failure;
use crate::taps::Taps;

/// Loads the programs, and attaches them to the interfaces that are there.
pub(super) fn open(
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
        let filter = if frame.link_type == LinkType::Ethernet {
            Some(&self.ethernet)
        } else {
            self.raw_ip.as_ref()
        };
        filter.is_some_and(|filter| filter.matches(frame.bytes, frame.wire_len))
    }
}

impl Programs {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Appeared(interface) | Change::Changed(interface) => {
                let wanted = interface.up && self.selector.choose(interface).tap;
                let there = self
                    .attached
                    .iter()
                    .any(|(i, name)| *i == interface.index && *name == interface.name);
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
