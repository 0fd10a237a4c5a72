//! The trait of everything that yields frames.

use std::time::Duration;

use crate::RawFrame;

/// Where frames come from: a packet ring, an XDP tap, a capture file.
pub trait Source: Send {
    /// Hands every frame that is ready to `frames`, waiting at most `wait` for the first.
    ///
    /// Frames borrow the source's buffer for the call only: a ring gives its block back to the
    /// kernel before this returns or at the next call. A batch is bounded; call again for more.
    ///
    /// # Errors
    /// When the source cannot go on (the device is gone, the file is malformed). Frames handed over
    /// before stay valid observations; after an error the source yields [`Batch::End`].
    fn next_batch(
        &mut self,
        wait: Duration,
        frames: &mut dyn FnMut(RawFrame<'_>),
    ) -> Result<Batch, SourceError>;

    /// What was lost since the last call of `drops`, by cause.
    fn drops(&mut self) -> Drops;
}

/// Result of a call of [`Source::next_batch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// Frames were handed over, their number; more may be ready.
    Frames(usize),
    /// Nothing came in time.
    Idle,
    /// There will be no more frames (end of file).
    End,
}

/// Frames lost before analysis could see them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// The kernel had no free block or no room in the ring buffer.
    pub kernel: u64,
    /// Times the ring was found frozen (TPACKET_V3 `tp_freeze_q_cnt`): a cause, not frames.
    pub freezes: u64,
    /// The kernel could not get memory or copy the frame (XDP tap: helper failed).
    pub failed: u64,
    /// The device or its driver had no room, by the statistics of a capture file.
    pub interface: u64,
    /// Lost by the device or the kernel: a capture file does not say by which.
    pub unattributed: u64,
}

impl Drops {
    /// Adds what was lost elsewhere, or later.
    pub fn add(&mut self, other: Self) {
        self.each(other, u64::saturating_add);
    }

    /// What was lost since `earlier`.
    #[must_use]
    pub fn since(mut self, earlier: Self) -> Self {
        self.each(earlier, u64::saturating_sub);
        self
    }

    fn each(&mut self, other: Self, f: fn(u64, u64) -> u64) {
        let Self { kernel, freezes, failed, interface, unattributed } = other;
        self.kernel = f(self.kernel, kernel);
        self.freezes = f(self.freezes, freezes);
        self.failed = f(self.failed, failed);
        self.interface = f(self.interface, interface);
        self.unattributed = f(self.unattributed, unattributed);
    }
}

/// Why a source cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The operating system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, with the name of the file or interface.
        what: String,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A capture file ends in the middle of a record: all before it was handed over.
    #[error("{what}: cut short in the middle of a record, after {frames} frame{} ({offset} bytes)", plural(*frames))]
    CutShort {
        /// File name.
        what: String,
        /// Whole frames before the cut.
        frames: u64,
        /// Offset of the incomplete record in the (uncompressed) file, in bytes.
        offset: u64,
    },
    /// A record of a capture file is malformed: all before it was handed over.
    #[error("{what}: malformed at byte {offset}, after {frames} frame{}: {problem}", plural(*frames))]
    Malformed {
        /// File name.
        what: String,
        /// Whole frames before the fault.
        frames: u64,
        /// Offset of the faulty record in the (uncompressed) file, in bytes.
        offset: u64,
        /// What is wrong with it.
        problem: String,
    },
}

const fn plural(n: u64) -> &'static str {
    if n == 1 { "" } else { "s" }
}
