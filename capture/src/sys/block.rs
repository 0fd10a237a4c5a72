//! One block of a packet ring in memory: its status word and its frames (the kernel's
//! Documentation/networking/packet_mmap.rst, `include/uapi/linux/if_packet.h`).

use std::marker::PhantomData;
use std::mem::offset_of;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{sockaddr_ll, tpacket_block_desc, tpacket_hdr_v1, tpacket_hdr_variant1, tpacket3_hdr};

/// Offsets and lengths in a block.
mod field {
    use super::*;

    /// Length of a block's header. The kernel puts frames behind it.
    pub(super) const BLOCK_HEADER_LEN: usize = size_of::<tpacket_block_desc>();
    const HDR_V1: usize = offset_of!(tpacket_block_desc, hdr);
    pub(super) const BLOCK_STATUS: usize = HDR_V1 + offset_of!(tpacket_hdr_v1, block_status);
    pub(super) const NUM_PKTS: usize = HDR_V1 + offset_of!(tpacket_hdr_v1, num_pkts);
    pub(super) const OFFSET_TO_FIRST_PKT: usize =
        HDR_V1 + offset_of!(tpacket_hdr_v1, offset_to_first_pkt);

    pub(super) const NEXT_OFFSET: usize = offset_of!(tpacket3_hdr, tp_next_offset);
    pub(super) const SEC: usize = offset_of!(tpacket3_hdr, tp_sec);
    pub(super) const NSEC: usize = offset_of!(tpacket3_hdr, tp_nsec);
    pub(super) const SNAPLEN: usize = offset_of!(tpacket3_hdr, tp_snaplen);
    pub(super) const LEN: usize = offset_of!(tpacket3_hdr, tp_len);
    pub(super) const STATUS: usize = offset_of!(tpacket3_hdr, tp_status);
    pub(super) const MAC: usize = offset_of!(tpacket3_hdr, tp_mac);
    pub(super) const NET: usize = offset_of!(tpacket3_hdr, tp_net);
    const VARIANT1: usize = offset_of!(tpacket3_hdr, hv1);
    pub(super) const VLAN_TCI: usize = VARIANT1 + offset_of!(tpacket_hdr_variant1, tp_vlan_tci);
    pub(super) const VLAN_TPID: usize = VARIANT1 + offset_of!(tpacket_hdr_variant1, tp_vlan_tpid);
    /// A `sockaddr_ll` follows the frame's header, aligned to TPACKET_ALIGNMENT.
    const ADDRESS: usize = size_of::<tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);
    pub(super) const IFINDEX: usize = ADDRESS + offset_of!(sockaddr_ll, sll_ifindex);
    pub(super) const PKTTYPE: usize = ADDRESS + offset_of!(sockaddr_ll, sll_pkttype);
    /// Length of a frame's header with the address.
    pub(super) const FRAME_HEADER_LEN: usize = ADDRESS + size_of::<sockaddr_ll>();
}

/// A block of the ring while it belongs to this process. Dropping it returns it to the kernel.
///
/// It holds a pointer and no reference: the kernel writes into the block as soon as the status word
/// says so, which happens while the value is being dropped, and a reference would claim until the
/// end of that call that nobody writes.
pub(crate) struct Block<'r> {
    start: NonNull<u8>,
    len: usize,
    ring: PhantomData<&'r mut [u8]>,
}

/// A frame of a block, with the fields of its header.
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
    /// Takes the block of `len` bytes at `start`, if the kernel has handed it over.
    ///
    /// # Safety
    /// For `'r`, `start` points to `len` bytes, at least a block's header, aligned to 4, that
    /// nobody but the kernel accesses otherwise; and the kernel does so only while the status word
    /// lacks TP_STATUS_USER, but for the word itself.
    pub(super) unsafe fn acquire(start: NonNull<u8>, len: usize) -> Option<Self> {
        // SAFETY: that of this function.
        let status = unsafe { status_word(start) };
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        Some(Self { start, len, ring: PhantomData })
    }

    /// Its frames. A frame that does not lie within the block ends the walk.
    pub(crate) fn frames(&self) -> Frames<'_> {
        // SAFETY: the header lies within the block, which belongs to this process.
        let first = unsafe { self.header_u32(field::OFFSET_TO_FIRST_PKT) } as usize;
        // SAFETY: as above.
        let left = unsafe { self.header_u32(field::NUM_PKTS) };
        // SAFETY: the header is no longer than the block.
        let behind_header = unsafe { self.start.add(field::BLOCK_HEADER_LEN) };
        // SAFETY: these bytes end with the block, the status word is not among them, and the kernel
        // does not write to them until `self` is dropped, which this borrow outlives not.
        let bytes = unsafe {
            std::slice::from_raw_parts(behind_header.as_ptr(), self.len - field::BLOCK_HEADER_LEN)
        };
        // An offset into the header is none of a frame: `get` finds nothing there.
        Frames { bytes, at: first.wrapping_sub(field::BLOCK_HEADER_LEN), left }
    }

    /// The field at `offset` of the block's header.
    ///
    /// # Safety
    /// The field's four bytes lie within the header.
    unsafe fn header_u32(&self, offset: usize) -> u32 {
        // SAFETY: that of this function.
        let field = unsafe { self.start.add(offset) };
        // SAFETY: as above; the block belongs to this process, so that nobody writes to it.
        unsafe { field.cast::<u32>().read_unaligned() }
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        // SAFETY: the caller of `acquire` guarantees a block at `start`.
        let status = unsafe { status_word(self.start) };
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }
}

/// The status word of the block at `start`.
///
/// # Safety
/// For `'r`, `start` points to a block's header, aligned to 4, whose status word is accessed
/// atomically only.
unsafe fn status_word<'r>(start: NonNull<u8>) -> &'r AtomicU32 {
    // SAFETY: the word lies within the header.
    let status = unsafe { start.add(field::BLOCK_STATUS) };
    // SAFETY: it is aligned as its offset is a multiple of 4, and valid for `'r`.
    unsafe { AtomicU32::from_ptr(status.as_ptr().cast()) }
}

/// The frames of a block, in the order of their arrival.
pub(crate) struct Frames<'b> {
    /// The block's bytes behind its header.
    bytes: &'b [u8],
    at: usize,
    left: u32,
}

impl<'b> Iterator for Frames<'b> {
    type Item = BlockFrame<'b>;

    fn next(&mut self) -> Option<BlockFrame<'b>> {
        self.left = self.left.checked_sub(1)?;
        let frame = self.bytes.get(self.at..)?;
        let header = frame.first_chunk()?;
        let mac = usize::from(u16_at(header, field::MAC));
        let net = usize::from(u16_at(header, field::NET));
        let captured = u32_at(header, field::SNAPLEN) as usize;
        let bytes = frame.get(mac..)?.get(..captured)?;
        match u32_at(header, field::NEXT_OFFSET) as usize {
            0 => self.left = 0,
            next => self.at = self.at.saturating_add(next),
        }
        Some(BlockFrame {
            seconds: u32_at(header, field::SEC),
            nanos: u32_at(header, field::NSEC),
            wire_len: u32_at(header, field::LEN),
            status: u32_at(header, field::STATUS),
            vlan_tci: u32_at(header, field::VLAN_TCI),
            vlan_tpid: u16_at(header, field::VLAN_TPID),
            interface: u32_at(header, field::IFINDEX),
            packet_type: header[field::PKTTYPE],
            bytes,
            link_header: net.saturating_sub(mac).min(captured),
        })
    }
}

type FrameHeader = [u8; field::FRAME_HEADER_LEN];

/// The field at `at`, which is a constant within the header.
#[inline]
const fn u32_at(header: &FrameHeader, at: usize) -> u32 {
    u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

#[inline]
const fn u16_at(header: &FrameHeader, at: usize) -> u16 {
    u16::from_ne_bytes([header[at], header[at + 1]])
}
