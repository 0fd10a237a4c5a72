//! The memory that a packet ring shares with the kernel.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

use super::block::Block;

/// The memory of a receive ring (packet(7), `PACKET_RX_RING` with TPACKET_V3): blocks that the
/// kernel and this process own in turn.
pub(crate) struct Mapping {
    start: NonNull<u8>,
    block_size: usize,
    blocks: usize,
}

// SAFETY: the mapping is memory of the process, not of a thread, and `Mapping` is its only owner.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps the ring of `blocks` blocks of `block_size` bytes that was set up on `fd`.
    pub(crate) fn new(fd: BorrowedFd<'_>, block_size: usize, blocks: usize) -> io::Result<Self> {
        let len = block_size.checked_mul(blocks).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: a new shared mapping at an address of the kernel's choice touches no memory in
        // use.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { start, block_size, blocks })
    }

    /// The block at `index`, if the kernel has handed it over. Dropping the result returns it.
    pub(crate) fn block(&mut self, index: usize) -> Option<Block<'_>> {
        if !wire::invariant!(index < self.blocks, "the index of a block is below their number") {
            return None;
        }
        // SAFETY: `index` is below the number of blocks, so that the result lies within the
        // mapping.
        let start = unsafe { self.start.add(index * self.block_size) };
        // SAFETY: a block is at least a page, aligned to one, and mapped for as long as `self` is
        // borrowed. `&mut self` excludes a second `Block`. The kernel leaves a block alone from
        // setting TP_STATUS_USER until the word is stored again (packet_mmap.rst, "Memory mapped").
        unsafe { Block::acquire(start, self.block_size) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: start and length are those of the mapping, and no `Block` can outlive it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.block_size * self.blocks) };
    }
}

#[cfg(test)]
mod tests {
    use std::mem::{ManuallyDrop, offset_of};
    use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

    use libc::{
        sockaddr_ll, tpacket_block_desc, tpacket_hdr_v1, tpacket_hdr_variant1, tpacket3_hdr,
    };

    use super::*;

    const HEADER: usize = offset_of!(tpacket_block_desc, hdr);
    const STATUS: usize = HEADER + offset_of!(tpacket_hdr_v1, block_status);
    const NUM_PKTS: usize = HEADER + offset_of!(tpacket_hdr_v1, num_pkts);
    const FIRST: usize = HEADER + offset_of!(tpacket_hdr_v1, offset_to_first_pkt);
    const BLOCK_SIZE: usize = 1024;
    /// Offset of the address in a frame, and of its link-layer header behind the address.
    const ADDRESS: usize = size_of::<tpacket3_hdr>();
    const MAC: usize = 88;

    /// A ring as the kernel fills it, in memory of this process: Miri has no packet sockets.
    #[repr(C, align(16))]
    struct Image([[u8; BLOCK_SIZE]; 2]);

    fn put<const N: usize>(image: *mut u8, at: usize, bytes: [u8; N]) {
        assert!(at + N <= BLOCK_SIZE);
        // SAFETY: the block has BLOCK_SIZE bytes, and belongs to whoever fills it.
        unsafe { image.wrapping_add(at).cast::<[u8; N]>().write_unaligned(bytes) };
    }

    fn status_word<'a>(block: *mut u8) -> &'a AtomicU32 {
        // SAFETY: the word lies in the block, is aligned (blocks are) and accessed atomically only.
        unsafe { AtomicU32::from_ptr(block.wrapping_add(STATUS).cast()) }
    }

    /// Writes `payloads` as the frames of the block at `block` and sets its status word, as the
    /// kernel does.
    fn fill(block: *mut u8, payloads: &[[u8; 4]]) {
        let first = size_of::<tpacket_block_desc>();
        put(block, NUM_PKTS, (payloads.len() as u32).to_ne_bytes());
        put(block, FIRST, (first as u32).to_ne_bytes());
        let variant = offset_of!(tpacket3_hdr, hv1);
        for (index, payload) in payloads.iter().enumerate() {
            let at = first + index * 128;
            let next: u32 = if index + 1 == payloads.len() { 0 } else { 128 };
            put(block, at + offset_of!(tpacket3_hdr, tp_next_offset), next.to_ne_bytes());
            put(block, at + offset_of!(tpacket3_hdr, tp_sec), 7u32.to_ne_bytes());
            put(block, at + offset_of!(tpacket3_hdr, tp_nsec), (index as u32).to_ne_bytes());
            put(block, at + offset_of!(tpacket3_hdr, tp_snaplen), 4u32.to_ne_bytes());
            put(block, at + offset_of!(tpacket3_hdr, tp_len), 60u32.to_ne_bytes());
            put(block, at + offset_of!(tpacket3_hdr, tp_mac), (MAC as u16).to_ne_bytes());
            put(block, at + offset_of!(tpacket3_hdr, tp_net), (MAC as u16 + 2).to_ne_bytes());
            put(
                block,
                at + variant + offset_of!(tpacket_hdr_variant1, tp_vlan_tci),
                5u32.to_ne_bytes(),
            );
            put(block, at + ADDRESS + offset_of!(sockaddr_ll, sll_ifindex), 3u32.to_ne_bytes());
            put(block, at + MAC, *payload);
        }
        status_word(block).store(libc::TP_STATUS_USER, Ordering::Release);
    }

    /// A mapping of the image, which is not unmapped.
    fn mapping(image: NonNull<Image>) -> ManuallyDrop<Mapping> {
        ManuallyDrop::new(Mapping { start: image.cast(), block_size: BLOCK_SIZE, blocks: 2 })
    }

    #[test]
    fn a_block_is_walked_and_returned() {
        let image = NonNull::from(Box::leak(Box::new(Image([[0; BLOCK_SIZE]; 2]))));
        let mut ring = mapping(image);
        assert!(ring.block(0).is_none());
        fill(image.as_ptr().cast(), &[*b"ping", *b"pong"]);
        let block = ring.block(0).expect("it was handed over");
        let frames: Vec<_> = block.frames().collect();
        let payloads: Vec<_> = frames.iter().map(|frame| frame.bytes).collect();
        assert_eq!(payloads, [b"ping", b"pong"]);
        let second = frames[1];
        assert_eq!((second.seconds, second.nanos, second.wire_len), (7, 1, 60));
        assert_eq!((second.vlan_tci, second.interface, second.link_header), (5, 3, 2));
        drop(block);
        assert!(ring.block(0).is_none());
        assert!(ring.block(1).is_none());
        // SAFETY: it was a box, and neither mapping nor block is used any more.
        drop(unsafe { Box::from_raw(image.as_ptr()) });
    }

    /// The kernel writes into a block as soon as its status word allows that.
    #[test]
    fn the_kernel_may_write_to_a_block_once_it_is_returned() {
        const ROUNDS: u32 = 50;
        let image = NonNull::from(Box::leak(Box::new(Image([[0; BLOCK_SIZE]; 2]))));
        let mut ring = mapping(image);
        let kernel = AtomicPtr::new(image.as_ptr().cast::<u8>());
        let mut all = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let block = kernel.load(Ordering::Relaxed);
                let mut round = 0;
                while round < ROUNDS {
                    if status_word(block).load(Ordering::Acquire) == libc::TP_STATUS_KERNEL {
                        fill(block, &[round.to_ne_bytes()]);
                        round += 1;
                    }
                    std::thread::yield_now();
                }
            });
            let mut round = 0;
            while round < ROUNDS {
                if let Some(block) = ring.block(0) {
                    let payloads: Vec<_> =
                        block.frames().map(|frame| frame.bytes.to_vec()).collect();
                    // A failed assertion in here would leave the other thread waiting.
                    all.extend(payloads);
                    round += 1;
                    drop(block);
                }
                std::thread::yield_now();
            }
        });
        assert_eq!(all, (0..ROUNDS).map(|round| round.to_ne_bytes()).collect::<Vec<_>>());
        // SAFETY: it was a box, and neither mapping, block nor thread is there any more.
        drop(unsafe { Box::from_raw(image.as_ptr()) });
    }
}
