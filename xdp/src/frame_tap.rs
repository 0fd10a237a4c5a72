//! Frames at the XDP and TCX hooks of interfaces.

use std::collections::HashMap;
use std::time::Duration;

use aya::programs::{ProgramError, SchedClassifier, Xdp};
use aya::{Btf, Ebpf, EbpfLoader};
use wire::{Batch, Drops, LinkType, RawFrame, Source, SourceError, TapId};

use crate::attach::{Hooks, Ingress};
use crate::clock::Clock;
use crate::error::{Error, causes};
use crate::frame_record;
use crate::object;
use crate::program::program;
use crate::ring::Ring;

/// Length of `enum frame_counter`.
const COUNTERS: usize = 2;
/// Frames handed over by one call of `next_batch` at most.
const BATCH: usize = 4096;

/// How frames are copied and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameTapConfig {
    /// Size of the ring buffer in bytes; made a power of two and a multiple of the page size. A
    /// frame takes 256, 2,048, 16,384 or 66,048 bytes.
    pub ring_bytes: u32,
    /// Bytes of each frame that are copied at most; from 1 to [`FrameTap::MAX_SNAP_LEN`].
    pub snap_len: u32,
    /// How incoming frames are seen.
    pub ingress: Ingress,
    /// A waiting reader is woken when this part of the ring is filled, in percent; 0 wakes it for
    /// every frame.
    pub wake_percent: u8,
    /// Longest time that a frame waits for the reader when the ring is filled less than that.
    pub latency: Duration,
}

impl Default for FrameTapConfig {
    /// 64 MiB, whole frames, a reader that looks every 5 ms, woken earlier when a tenth of the ring
    /// is filled.
    fn default() -> Self {
        Self {
            ring_bytes: 64 << 20,
            snap_len: FrameTap::MAX_SNAP_LEN,
            ingress: Ingress::Best,
            wake_percent: 10,
            latency: Duration::from_millis(5),
        }
    }
}

struct Attached {
    tap: TapId,
    link_type: LinkType,
    /// `None` once detached: what waits in the ring is still handed over.
    hooks: Option<Hooks>,
}

/// A tap on any number of interfaces of one network namespace: what comes in by XDP, what goes out
/// by TCX, both together each frame once. Frames pass unchanged. Needs Linux 5.18 (6.6 to leave
/// nothing behind when detached). Dropping it takes the programs off all interfaces.
pub struct FrameTap {
    ebpf: Ebpf,
    ring: Ring,
    clock: Clock,
    ingress: Ingress,
    latency: Duration,
    taps: HashMap<u32, Attached>,
    malformed: u64,
}

impl FrameTap {
    /// The longest frame that is copied whole: 64 KiB of segmentation offload with its link header,
    /// and room to spare.
    pub const MAX_SNAP_LEN: u32 = 66_016;

    /// Loads the programs; none runs until an interface is attached.
    ///
    /// # Errors
    /// When the kernel has no BTF, or refuses the maps or the programs.
    pub fn load(config: &FrameTapConfig) -> Result<Self, Error> {
        let btf = Btf::from_sys_fs().map_err(Error::NoBtf)?;
        let snap_len = config.snap_len.clamp(1, Self::MAX_SNAP_LEN);
        let wakeup = u64::from(config.ring_bytes) * u64::from(config.wake_percent.min(100)) / 100;
        let mut ebpf = EbpfLoader::new()
            .btf(Some(&btf))
            .map_max_entries("records", config.ring_bytes)
            .override_global("snap_len", &snap_len, true)
            .override_global("wakeup_bytes", &wakeup, true)
            .load(object::FRAME)
            .map_err(|source| Error::Load { what: "frame tap", source })?;
        load_programs(&mut ebpf).map_err(|error| Error::Program {
            what: format!("loading the frame tap: {}", causes(&error)),
            source: Box::new(error),
        })?;
        let ring = Ring::take(&mut ebpf, COUNTERS)?;
        Ok(Self {
            ebpf,
            ring,
            clock: Clock::new(),
            ingress: config.ingress,
            latency: config.latency.max(Duration::from_millis(1)),
            taps: HashMap::new(),
            malformed: 0,
        })
    }

    /// Begins to copy the frames of the interface `ifindex` of this thread's network namespace,
    /// which begin as `link_type` says, as frames of `tap`; returns how incoming frames are
    /// seen. Attaching again replaces.
    ///
    /// # Errors
    /// When the interface is gone or takes none of the hooks.
    pub fn attach(
        &mut self,
        ifindex: u32,
        tap: TapId,
        link_type: LinkType,
    ) -> Result<Ingress, Error> {
        self.attach_at(self.ingress, ifindex, tap, link_type)
    }

    /// The same with another way to see incoming frames than the configured one.
    ///
    /// # Errors
    /// As [`attach`](Self::attach).
    pub fn attach_at(
        &mut self,
        ingress: Ingress,
        ifindex: u32,
        tap: TapId,
        link_type: LinkType,
    ) -> Result<Ingress, Error> {
        self.detach(ifindex);
        let hooks = Hooks::attach(&mut self.ebpf, ifindex, ingress)?;
        let used = hooks.used();
        self.taps.insert(ifindex, Attached { tap, link_type, hooks: Some(hooks) });
        Ok(used)
    }

    /// Removes the programs from the interface; returns whether they were on it. Frames copied
    /// before are still handed over.
    pub fn detach(&mut self, ifindex: u32) -> bool {
        self.taps.get_mut(&ifindex).is_some_and(|attached| attached.hooks.take().is_some())
    }
}

impl Source for FrameTap {
    fn next_batch(
        &mut self,
        wait: Duration,
        frames: &mut dyn FnMut(RawFrame<'_>),
    ) -> Result<Batch, SourceError> {
        let mut left = wait;
        loop {
            self.clock.refresh();
            let Self { ring, clock, taps, malformed, .. } = self;
            let mut handed = 0;
            let drained = ring.drain(BATCH, &mut |record| {
                let Some((frame, attached)) =
                    frame_record::frame(record).and_then(|f| Some((f, taps.get(&f.ifindex)?)))
                else {
                    *malformed += 1;
                    return;
                };
                handed += 1;
                frames(RawFrame {
                    time: clock.wall(frame.time_ns),
                    tap: attached.tap,
                    link_type: attached.link_type,
                    wire_len: frame.wire_len,
                    vlan: frame.vlan,
                    bytes: frame.bytes,
                });
            });
            if handed > 0 {
                return Ok(Batch::Frames(handed));
            }
            if drained == 0 {
                taps.retain(|_, attached| attached.hooks.is_some());
            }
            if left.is_zero() {
                return Ok(Batch::Idle);
            }
            // Below the wake-up mark nobody wakes us, so look again after the latency.
            let slice = left.min(self.latency);
            self.ring.wait(slice).map_err(|source| SourceError::Io {
                what: "waiting for frames".to_owned(),
                source,
            })?;
            left = left.saturating_sub(slice);
        }
    }

    fn drops(&mut self) -> Drops {
        let grown = self.ring.growth().unwrap_or_default();
        let of = |counter: usize| grown.get(counter).copied().unwrap_or_default();
        let failed = of(1) + std::mem::take(&mut self.malformed);
        Drops { kernel: of(0), failed, ..Drops::default() }
    }
}

fn load_programs(ebpf: &mut Ebpf) -> Result<(), ProgramError> {
    program::<Xdp>(ebpf, "xdp_ingress")?.load()?;
    program::<SchedClassifier>(ebpf, "tc_ingress")?.load()?;
    program::<SchedClassifier>(ebpf, "tc_egress")?.load()
}
