use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{sockaddr_ll, tpacket_block_desc, tpacket_hdr_v1, tpacket3_hdr};

/// Offset of a block's status word.
pub(super) const STATUS: usize =
    offset_of!(tpacket_block_desc, hdr) + offset_of!(tpacket_hdr_v1, block_status);
const COUNT: usize = offset_of!(tpacket_block_desc, hdr) + offset_of!(tpacket_hdr_v1, num_pkts);
const FIRST: usize = offset_of!(tpacket_block_desc, hdr) + offset_of!(tpacket_hdr_v1, offset_to_first_pkt);
/// Offset of the address behind a frame's header (`TPACKET_ALIGN`).
const ADDRESS: usize = size_of::<tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);

/// A block of the ring while it belongs to this process.
pub(crate) struct Block<'r> {
    bytes: &'r [u8],
    status: &'r AtomicU32,
}

/// A frame of a block, with what the kernel says about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockFrame<'b> {
    pub(crate) seconds: u32,
    pub(crate) nanos: u32,
    pub(crate) wire_len: u32,
    pub(crate) status: u32,
    pub(crate) vlan_tci: u32,
    pub(crate) vlan_tpid: u16,
    pub(crate) interface: u32,
    pub(crate) packet_type: u8,
    /// From the link-layer header on.
    pub(crate) bytes: &'b [u8],
    /// Length of the link-layer header.
    pub(crate) link_header: usize,
}

impl<'r> Block<'r> {
    pub(super) const fn new(bytes: &'r [u8], status: &'r AtomicU32) -> Self {
        Self { bytes, status }
    }

    /// Its frames. What does not lie within the block ends the walk.
    pub(crate) fn frames(&self) -> Frames<'_> {
        Frames { bytes: self.bytes, at: u32_at(self.bytes, FIRST) as usize, left: u32_at(self.bytes, COUNT) }
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        self.status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }
}

/// The frames of a block, in the order of their arrival.
pub(crate) struct Frames<'b> {
    bytes: &'b [u8],
    at: usize,
    left: u32,
}

impl<'b> Iterator for Frames<'b> {
    type Item = BlockFrame<'b>;

    fn next(&mut self) -> Option<BlockFrame<'b>> {
        self.left = self.left.checked_sub(1)?;
        let header = self.bytes.get(self.at..)?;
        let field = |offset| u32_at(header, offset);
        let half = |offset| u16_at(header, offset);
        let link = usize::from(half(offset_of!(tpacket3_hdr, tp_mac)));
        let network = usize::from(half(offset_of!(tpacket3_hdr, tp_net)));
        let captured = field(offset_of!(tpacket3_hdr, tp_snaplen)) as usize;
        let variant = offset_of!(tpacket3_hdr, hv1);
        let frame = BlockFrame {
            seconds: field(offset_of!(tpacket3_hdr, tp_sec)),
            nanos: field(offset_of!(tpacket3_hdr, tp_nsec)),
            wire_len: field(offset_of!(tpacket3_hdr, tp_len)),
            status: field(offset_of!(tpacket3_hdr, tp_status)),
            vlan_tci: field(variant + offset_of!(libc::tpacket_hdr_variant1, tp_vlan_tci)),
            vlan_tpid: half(variant + offset_of!(libc::tpacket_hdr_variant1, tp_vlan_tpid)),
            interface: field(ADDRESS + offset_of!(sockaddr_ll, sll_ifindex)),
            packet_type: header.get(ADDRESS + offset_of!(sockaddr_ll, sll_pkttype)).copied()?,
            bytes: header.get(link..link + captured)?,
            link_header: network.saturating_sub(link).min(captured),
        };
        match field(offset_of!(tpacket3_hdr, tp_next_offset)) as usize {
            0 => self.left = 0,
            next => self.at += next,
        }
        Some(frame)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_ne_bytes(*b))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u16::from_ne_bytes(*b))
}
