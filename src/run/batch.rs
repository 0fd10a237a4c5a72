use wire::{LinkType, RawFrame, TapId, Timestamp, VlanTag};

/// Copies of frames that have to outlive their source's buffer, in order; one buffer for all bytes.
#[derive(Debug, Default)]
pub(super) struct FrameBatch {
    bytes: Vec<u8>,
    frames: Vec<Stored>,
}

#[derive(Clone, Copy, Debug)]
struct Stored {
    time: Timestamp,
    tap: TapId,
    link_type: LinkType,
    wire_len: u32,
    vlan: Option<VlanTag>,
    start: usize,
    len: usize,
}

impl FrameBatch {
    pub(super) fn push(&mut self, frame: &RawFrame<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(frame.bytes);
        self.frames.push(Stored {
            time: frame.time,
            tap: frame.tap,
            link_type: frame.link_type,
            wire_len: frame.wire_len,
            vlan: frame.vlan,
            start,
            len: frame.bytes.len(),
        });
    }

    pub(super) const fn len(&self) -> usize {
        self.frames.len()
    }

    /// Bytes of its frames.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Its frames in the order in which they were pushed.
    pub(super) fn iter(&self) -> impl Iterator<Item = RawFrame<'_>> {
        self.frames.iter().map(|&Stored { time, tap, link_type, wire_len, vlan, start, len }| {
            let bytes = self.bytes.get(start..start + len).unwrap_or_default();
            RawFrame { time, tap, link_type, wire_len, vlan, bytes }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_as_they_were() {
        let mut batch = FrameBatch::default();
        for bytes in [&b"abc"[..], b"", b"de"] {
            batch.push(&RawFrame {
                time: Timestamp::from_nanos(5),
                tap: TapId(1),
                link_type: LinkType::Ethernet,
                wire_len: 99,
                vlan: None,
                bytes,
            });
        }
        let back: Vec<_> = batch.iter().map(|frame| (frame.wire_len, frame.bytes)).collect();
        assert_eq!(back, [(99, &b"abc"[..]), (99, b""), (99, b"de")]);
    }
}
