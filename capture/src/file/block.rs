use wire::{LinkType, RawFrame, TapId, Timestamp};

/// Frames of a capture file in memory: bytes as they stand in the file, and where in them the frames are.
///
/// [`CaptureFile::next_block`](super::CaptureFile::next_block) fills it. A block that is filled again keeps its memory.
#[derive(Debug, Default)]
pub struct Block {
    pub(super) bytes: Vec<u8>,
    frames: Vec<Placed>,
}

/// A frame, and where its bytes are in the block: at `start`, `len` of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) time: Timestamp,
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) wire_len: u32,
    pub(super) tap: TapId,
    pub(super) link_type: LinkType,
}

impl Block {
    /// Number of frames.
    pub const fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is no frame.
    pub const fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Bytes of memory that it takes.
    pub const fn size(&self) -> usize {
        self.bytes.capacity() + self.frames.capacity() * size_of::<Placed>()
    }

    /// The `index`th frame, from 0.
    #[inline]
    pub fn get(&self, index: usize) -> Option<RawFrame<'_>> {
        self.frames.get(index).map(|placed| placed.frame(&self.bytes))
    }

    /// All frames in the order of the file.
    #[inline]
    pub fn frames(&self) -> impl ExactSizeIterator<Item = RawFrame<'_>> {
        self.frames.iter().map(|placed| placed.frame(&self.bytes))
    }

    /// Removes all frames.
    pub fn clear(&mut self) {
        self.frames.clear();
    }

    /// Puts a copy of another block's frame behind the others; false where there is none, or no room for it below 4 GiB.
    /// `self` must not have been filled by a file since it was cleared.
    pub fn copy(&mut self, other: &Self, index: usize) -> bool {
        let Some(placed) = other.frames.get(index) else { return false };
        if self.frames.is_empty() {
            self.bytes.clear();
        }
        let frame = placed.frame(&other.bytes);
        let (Ok(start), Ok(len)) = (u32::try_from(self.bytes.len()), u32::try_from(frame.bytes.len())) else {
            return false;
        };
        self.bytes.extend_from_slice(frame.bytes);
        self.frames.push(Placed { start, len, ..*placed });
        true
    }

    /// Notes a frame whose bytes are there.
    #[inline]
    pub(super) fn place(&mut self, frame: Placed) {
        self.frames.push(frame);
    }
}

impl Placed {
    #[inline]
    fn frame<'b>(&self, bytes: &'b [u8]) -> RawFrame<'b> {
        let start = self.start as usize;
        RawFrame {
            time: self.time,
            tap: self.tap,
            link_type: self.link_type,
            wire_len: self.wire_len,
            vlan: None,
            bytes: bytes.get(start..start + self.len as usize).unwrap_or_default(),
        }
    }
}
