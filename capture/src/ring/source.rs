//! A packet ring as a source of frames.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use wire::{Batch, Drops, LinkType, RawFrame, Source, SourceError, Timestamp, VlanTag};

use super::config::{Promiscuous, RingConfig};
use super::fanout;
use super::kernel_filter::{REJECT_ALL, UserFilter, program};
use super::taps::{TapState, TapStateCache, Taps};
use super::vlan::with_tag;
use crate::Error;
use crate::filter::Filter;
use crate::sys::{BlockFrame, Mapping, PacketSocket, wait_readable};

/// Blocks of one batch.
const BATCH: usize = 4;
/// Frames that came through the ring and were not handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Of interfaces that are not selected. The kernel rejects most of those before they count
    /// anywhere.
    pub unselected: u64,
    /// Outgoing copies of what loopback shows again as incoming.
    pub loopback_copies: u64,
    /// That did not pass a filter on VLANs, which the kernel cannot apply.
    pub filtered: u64,
}

/// One shard's packet ring. It sees every interface of the network namespace, those that come later
/// included, and hands over the frames of those that are tapped. All frames between two endpoints
/// come to the same shard, in both directions.
pub struct Ring {
    socket: PacketSocket,
    mapping: Mapping,
    blocks: usize,
    next: usize,
    taps: Arc<Taps>,
    version: u64,
    slots: TapStateCache,
    user: Option<UserFilter>,
    /// The user's filter is about VLANs, and so applied here.
    filter_here: bool,
    snap_len: u32,
    promiscuous: Promiscuous,
    promiscuous_on: HashSet<u32>,
    skipped: Skipped,
    scratch: Vec<u8>,
    received: u64,
    ended: bool,
}

impl Ring {
    /// Opens the rings of `shards` shards in the network namespace that the calling thread is in.
    /// The kernel spreads frames over them by a hash of the innermost addresses and ports that is
    /// the same in both directions.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Filter`], and [`Error::Socket`] when the kernel refuses, mostly
    /// for lack of CAP_NET_RAW.
    pub fn open(config: &RingConfig, shards: usize, taps: &Arc<Taps>) -> Result<Vec<Self>, Error> {
        config.check()?;
        let mut rings = Vec::with_capacity(shards.max(1));
        for shard in 0..shards.max(1) {
            rings.push(Self::prepare(config, shard == 0, Arc::clone(taps))?);
        }
        if let [first, others @ ..] = rings.as_slice()
            && !others.is_empty()
        {
            let defragment = if config.defragment { libc::PACKET_FANOUT_FLAG_DEFRAG } else { 0 };
            let mode = libc::PACKET_FANOUT_CBPF | defragment;
            let group = first.socket.new_fanout(mode).map_err(refused("opening a fanout group"))?;
            for ring in others {
                ring.socket.join_fanout(group, mode).map_err(refused("joining a fanout group"))?;
            }
            let spread = first.socket.set_fanout_program(&fanout::program());
            spread.map_err(refused("giving a fanout group its program"))?;
        }
        // Nothing passes before every socket is in the group: no frame comes to two of them.
        for ring in &mut rings {
            ring.refresh().map_err(refused("attaching a filter to a packet socket"))?;
            ring.discard_statistics();
        }
        Ok(rings)
    }

    fn prepare(config: &RingConfig, first: bool, taps: Arc<Taps>) -> Result<Self, Error> {
        let user = match config.filter.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(expression) => Some(UserFilter {
                ethernet: Filter::compile(expression, LinkType::Ethernet)?,
                // What makes no sense without Ethernet (`ether host …`) matches nothing there.
                raw_ip: Filter::compile(expression, LinkType::RawIp)
                    .unwrap_or_else(|_| Filter::nothing()),
            }),
        };
        let socket = PacketSocket::new().map_err(refused("opening a packet socket"))?;
        socket
            .set_ring(config.block_size, config.blocks, config.timeout_millis())
            .map_err(refused("setting up a packet ring"))?;
        let blocks = config.blocks as usize;
        let mapping = Mapping::new(socket.as_fd(), config.block_size as usize, blocks)
            .map_err(refused("mapping a packet ring"))?;
        socket
            .attach_filter(&REJECT_ALL)
            .map_err(refused("attaching a filter to a packet socket"))?;
        socket.bind_all().map_err(refused("binding a packet socket"))?;
        Ok(Self {
            socket,
            mapping,
            blocks,
            next: 0,
            taps,
            version: 0,
            slots: TapStateCache::default(),
            filter_here: user.as_ref().is_some_and(|u| u.ethernet.looks_for_vlans()),
            user,
            snap_len: config.snap_len,
            promiscuous: if first { config.promiscuous } else { Promiscuous::Off },
            promiscuous_on: HashSet::new(),
            skipped: Skipped::default(),
            scratch: Vec::new(),
            received: 0,
            ended: false,
        })
    }

    /// What was not handed over so far.
    pub const fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// Frames that the kernel's filter let pass so far, as of the last call of `drops`: those
    /// handed over or still in the ring, skipped and dropped ones.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Takes over the table of taps: the copy for frames, the kernel's filter, promiscuous
    /// interfaces.
    #[cold]
    fn refresh(&mut self) -> io::Result<()> {
        self.version = self.taps.version();
        let slots = self.taps.slots();
        let user = self.user.as_ref().filter(|_| !self.filter_here);
        self.socket.attach_filter(&program(&slots, user, self.snap_len))?;
        self.set_promiscuous(&slots);
        self.slots = TapStateCache::new(&slots);
        Ok(())
    }

    /// Makes tapped interfaces promiscuous, as configured.
    fn set_promiscuous(&mut self, slots: &HashMap<u32, TapState>) {
        for (&index, slot) in slots {
            let wanted = match slot {
                TapState::Tapped { bridge, .. } => {
                    self.promiscuous == Promiscuous::All
                        || (self.promiscuous == Promiscuous::Bridges && *bridge)
                }
                TapState::Rejected => false,
            };
            // It fails where the interface is gone by now, and then needs nothing more.
            if wanted
                && self.promiscuous_on.insert(index)
                && self.socket.add_promiscuous(index).is_err()
            {
                self.promiscuous_on.remove(&index);
            }
        }
    }

    fn discard_statistics(&mut self) {
        // A failure repeats at the first call of `drops`, where nothing can be done about it
        // either.
        let _ = self.socket.statistics();
    }

    /// Hands over the frames of the next block, if there is one.
    fn next_block(&mut self, frames: &mut dyn FnMut(RawFrame<'_>)) -> Option<usize> {
        let Self { mapping, slots, taps, user, filter_here, skipped, scratch, .. } = self;
        let block = mapping.block(self.next)?;
        let user = user.as_ref().filter(|_| *filter_here);
        let mut count = 0;
        for frame in block.frames() {
            let slot = slots.get(frame.interface).unwrap_or_else(|| {
                let slot = taps.resolve(frame.interface);
                slots.insert(frame.interface, slot);
                slot
            });
            let TapState::Tapped { tap, link_type, loopback, .. } = slot else {
                skipped.unselected += 1;
                continue;
            };
            if loopback && frame.packet_type == libc::PACKET_OUTGOING {
                skipped.loopback_copies += 1;
                continue;
            }
            let raw = raw_frame(&frame, tap, link_type);
            if let Some(user) = user
                && !passes(user, &raw, scratch)
            {
                skipped.filtered += 1;
                continue;
            }
            frames(raw);
            count += 1;
        }
        drop(block);
        self.next = (self.next + 1) % self.blocks;
        Some(count)
    }
}

fn raw_frame<'b>(frame: &BlockFrame<'b>, tap: wire::TapId, link_type: LinkType) -> RawFrame<'b> {
    let tagged = frame.status & libc::TP_STATUS_VLAN_VALID != 0;
    let tpid = if frame.status & libc::TP_STATUS_VLAN_TPID_VALID != 0 {
        frame.vlan_tpid
    } else {
        VlanTag::C_TAG
    };
    // Tunnel devices have headers of their own before the packet, or none.
    let skip = if link_type == LinkType::RawIp { frame.link_header } else { 0 };
    RawFrame {
        time: Timestamp::from_parts(frame.seconds.into(), frame.nanos),
        tap,
        link_type,
        wire_len: frame.wire_len.saturating_sub(skip as u32),
        vlan: tagged.then_some(VlanTag { tpid, tci: frame.vlan_tci as u16 }),
        bytes: frame.bytes.get(skip..).unwrap_or_default(),
    }
}

/// Applies the user's filter to the frame as it was on the wire.
fn passes(user: &UserFilter, frame: &RawFrame<'_>, scratch: &mut Vec<u8>) -> bool {
    let filter = if frame.link_type == LinkType::Ethernet { &user.ethernet } else { &user.raw_ip };
    match frame.vlan {
        Some(tag) => filter.matches(with_tag(frame.bytes, tag, scratch), frame.whole_wire_len()),
        None => filter.matches(frame.bytes, frame.wire_len),
    }
}

impl Source for Ring {
    fn next_batch(
        &mut self,
        wait: Duration,
        frames: &mut dyn FnMut(RawFrame<'_>),
    ) -> Result<Batch, SourceError> {
        if self.ended {
            return Ok(Batch::End);
        }
        let fail =
            |what: &str, source| SourceError::Io { what: format!("packet ring: {what}"), source };
        if self.version != self.taps.version()
            && let Err(e) = self.refresh()
        {
            self.ended = true;
            return Err(fail("attaching a filter", e));
        }
        let (mut blocks, mut count) = (0, 0);
        let mut waited = wait.is_zero();
        while blocks < BATCH {
            match self.next_block(frames) {
                Some(n) => {
                    blocks += 1;
                    count += n;
                }
                None if blocks == 0 && !waited => {
                    waited = true;
                    // An error of an interface (it went down) makes the socket readable too; there
                    // is no block then.
                    if let Err(e) = wait_readable(self.socket.as_fd(), wait) {
                        self.ended = true;
                        return Err(fail("waiting", e));
                    }
                    self.socket.clear_error();
                }
                None => break,
            }
        }
        Ok(if count == 0 { Batch::Idle } else { Batch::Frames(count) })
    }

    fn drops(&mut self) -> Drops {
        let Ok(statistics) = self.socket.statistics() else { return Drops::default() };
        self.received += u64::from(statistics.packets);
        let (kernel, freezes) = (statistics.drops.into(), statistics.freezes.into());
        Drops { kernel, freezes, ..Drops::default() }
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn refused(what: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Socket { what, source }
}
