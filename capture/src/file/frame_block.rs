//! A block of frames in memory: what one read of a capture file brings, or copies of frames that
//! have to outlive their source's buffer.

use wire::{LinkType, RawFrame, TapId, Timestamp, VlanTag};

/// Frames in order, with one buffer for the bytes of all of them.
///
/// [`CaptureFile::next_block`](super::CaptureFile::next_block) fills it with the bytes as they
/// stand in the file, [`push`](Self::push) with copies. A block that is filled again keeps its
/// memory.
#[derive(Debug, Default)]
pub struct FrameBlock {
    pub(super) bytes: Vec<u8>,
    frames: Vec<FrameEntry>,
}

/// A frame without its bytes, which are `len` bytes of the block from `start` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameEntry {
    pub(super) time: Timestamp,
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) wire_len: u32,
    pub(super) tap: TapId,
    pub(super) link_type: LinkType,
    pub(super) vlan: PackedVlan,
}

// Half a cache line a frame. A read of 256 KiB brings some 4000 small frames: their entries take
// 128 KiB and stay in a core's second-level cache together with the bytes.
const _: () = assert!(size_of::<FrameEntry>() == 32);

/// A VLAN tag, or none, in 4 bytes instead of the 6 of `Option<VlanTag>`: 0 is no tag protocol
/// identifier, and stands for none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PackedVlan {
    tpid: u16,
    tci: u16,
}

impl PackedVlan {
    /// No tag: as all frames of capture files, whose tags are among their bytes.
    pub(super) const NONE: Self = Self { tpid: 0, tci: 0 };

    fn pack(tag: Option<VlanTag>) -> Self {
        tag.map_or(Self::NONE, |VlanTag { tpid, tci }| Self { tpid, tci })
    }

    #[inline]
    fn unpack(self) -> Option<VlanTag> {
        let Self { tpid, tci } = self;
        (tpid != 0).then_some(VlanTag { tpid, tci })
    }
}

impl FrameBlock {
    /// Number of frames.
    pub const fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is no frame.
    pub const fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Memory that the block holds, in bytes.
    pub const fn size(&self) -> usize {
        self.bytes.capacity() + self.frames.capacity() * size_of::<FrameEntry>()
    }

    /// Bytes in the buffer. After [`push`](Self::push) alone: the sum of all frames' captured
    /// bytes.
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The frame at `index`, counted from 0.
    #[inline]
    pub fn get(&self, index: usize) -> Option<RawFrame<'_>> {
        self.frames.get(index).map(|entry| entry.frame(&self.bytes))
    }

    /// All frames, in order.
    #[inline]
    pub fn frames(&self) -> impl ExactSizeIterator<Item = RawFrame<'_>> {
        self.frames.iter().map(|entry| entry.frame(&self.bytes))
    }

    /// Removes all frames.
    pub fn clear(&mut self) {
        self.frames.clear();
    }

    /// Appends a copy of `frame`; returns false, and appends nothing, where its bytes would begin
    /// beyond 4 GiB.
    pub fn push(&mut self, frame: &RawFrame<'_>) -> bool {
        if self.frames.is_empty() {
            self.bytes.clear();
        }
        let (start, len) = (u32::try_from(self.bytes.len()), u32::try_from(frame.bytes.len()));
        let (Ok(start), Ok(len)) = (start, len) else { return false };
        self.bytes.extend_from_slice(frame.bytes);
        self.frames.push(FrameEntry {
            time: frame.time,
            start,
            len,
            wire_len: frame.wire_len,
            tap: frame.tap,
            link_type: frame.link_type,
            vlan: PackedVlan::pack(frame.vlan),
        });
        true
    }

    /// Gives each frame from `first` on the tap that `tap` finds for its bytes, a part of `bytes`.
    pub(super) fn set_taps(
        &mut self,
        first: usize,
        bytes: &[u8],
        mut tap: impl FnMut(&[u8]) -> TapId,
    ) {
        for entry in self.frames.get_mut(first..).unwrap_or_default() {
            entry.tap = tap(entry.frame(bytes).bytes);
        }
    }

    /// Appends a frame whose bytes are in the buffer already.
    #[inline]
    pub(super) fn push_entry(&mut self, entry: FrameEntry) {
        self.frames.push(entry);
    }
}

impl FrameEntry {
    #[inline]
    fn frame<'b>(&self, bytes: &'b [u8]) -> RawFrame<'b> {
        let start = self.start as usize;
        RawFrame {
            time: self.time,
            tap: self.tap,
            link_type: self.link_type,
            wire_len: self.wire_len,
            vlan: self.vlan.unpack(),
            bytes: bytes.get(start..start + self.len as usize).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: &[u8], vlan: Option<VlanTag>) -> RawFrame<'_> {
        RawFrame {
            time: Timestamp::from_nanos(5),
            tap: TapId(1),
            link_type: LinkType::Ethernet,
            wire_len: 99,
            vlan,
            bytes,
        }
    }

    #[test]
    fn frames_come_back_as_they_were() {
        let tag = VlanTag { tpid: 0x8100, tci: 0x604d };
        let pushed = [
            frame(b"abc", None),
            frame(b"", Some(tag)),
            frame(b"de", Some(VlanTag { tci: 0, ..tag })),
        ];
        let mut block = FrameBlock::default();
        assert!(pushed.iter().all(|frame| block.push(frame)));
        let parts = |frame: RawFrame<'_>| (frame.wire_len, frame.vlan, frame.bytes.to_vec());
        let back: Vec<_> = block.frames().map(parts).collect();
        assert_eq!(back, pushed.map(parts));
        assert_eq!((block.len(), block.bytes()), (3, 5));
        assert_eq!(block.get(2).map(parts), back.last().cloned());
        assert!(block.get(3).is_none());
    }

    #[test]
    fn a_block_that_is_filled_again_holds_the_new_frames_only() {
        let mut block = FrameBlock::default();
        assert!(block.push(&frame(b"old", None)));
        block.clear();
        assert!(block.push(&frame(b"new!", None)));
        assert_eq!((block.len(), block.bytes()), (1, 4));
        assert_eq!(block.get(0).map(|frame| frame.bytes.to_vec()), Some(b"new!".to_vec()));
    }
}
