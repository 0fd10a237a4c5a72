use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use super::block::{Block, STATUS};

/// The memory of a receive ring (packet(7), `PACKET_RX_RING` with TPACKET_V3): blocks that the kernel and this process own by turns.
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
        // SAFETY: a new shared mapping at an address of the kernel's choice touches no memory that is in use.
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

    /// The block at `index`, if the kernel has handed it over. It goes back when the result is dropped.
    pub(crate) fn block(&mut self, index: usize) -> Option<Block<'_>> {
        if index >= self.blocks {
            return None;
        }
        // SAFETY: `index` is below the number of blocks, so that the result lies within the one mapping.
        let start = unsafe { self.start.add(index * self.block_size) };
        // SAFETY: `STATUS` lies within the first bytes of a block, and a block is at least a page.
        let status = unsafe { start.add(STATUS) };
        // SAFETY: the status word is 4-byte aligned (blocks are page-aligned), lives as long as the borrow of the mapping,
        // and is only ever accessed atomically while the kernel may write it.
        let status = unsafe { AtomicU32::from_ptr(status.as_ptr().cast()) };
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: the kernel set TP_STATUS_USER, and the load acquired what it wrote before: it does not touch the block until the
        // status is given back, which `Block` does when it is dropped; `&mut self` excludes a second block of this index.
        let bytes = unsafe { std::slice::from_raw_parts(start.as_ptr(), self.block_size) };
        Some(Block::new(bytes, status))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: start and length are those of the mapping, and no `Block` can outlive it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.block_size * self.blocks) };
    }
}
