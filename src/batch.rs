//! Frames that have to outlive their source's buffer, on the way from one thread to another.

use wire::{LinkType, RawFrame, TapId, Timestamp, VlanTag};

/// Copies of frames with their numbers, and ticks between them, in order; one buffer for all bytes.
#[derive(Debug, Default)]
pub(crate) struct FrameBatch {
    bytes: Vec<u8>,
    events: Vec<Stored>,
}

#[derive(Clone, Copy, Debug)]
enum Stored {
    Tick {
        number: u64,
        now: Timestamp,
    },
    Frame {
        number: u64,
        time: Timestamp,
        tap: TapId,
        link_type: LinkType,
        wire_len: u32,
        vlan: Option<VlanTag>,
        start: usize,
        len: usize,
    },
}

/// What stands in a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    /// A frame and its number.
    Frame(u64, RawFrame<'a>),
    /// Time has come to `now` before the frame of this number.
    Tick(u64, Timestamp),
}

impl FrameBatch {
    pub(crate) fn push(&mut self, number: u64, frame: &RawFrame<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(frame.bytes);
        self.events.push(Stored::Frame {
            number,
            time: frame.time,
            tap: frame.tap,
            link_type: frame.link_type,
            wire_len: frame.wire_len,
            vlan: frame.vlan,
            start,
            len: frame.bytes.len(),
        });
    }

    pub(crate) fn push_tick(&mut self, number: u64, now: Timestamp) {
        self.events.push(Stored::Tick { number, now });
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// Bytes of its frames.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.events.clear();
    }

    /// The frame or tick that was pushed as the `index`th, from 0.
    pub(crate) fn get(&self, index: usize) -> Option<Event<'_>> {
        self.events.get(index).map(|&stored| match stored {
            Stored::Tick { number, now } => Event::Tick(number, now),
            Stored::Frame { number, time, tap, link_type, wire_len, vlan, start, len } => {
                let bytes = self.bytes.get(start..start + len).unwrap_or_default();
                Event::Frame(number, RawFrame { time, tap, link_type, wire_len, vlan, bytes })
            }
        })
    }

    /// Its frames and ticks in the order in which they were pushed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Event<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_as_they_were() {
        let mut batch = FrameBatch::default();
        let frame = |bytes| RawFrame {
            time: Timestamp::from_nanos(5),
            tap: TapId(1),
            link_type: LinkType::Ethernet,
            wire_len: 99,
            vlan: None,
            bytes,
        };
        batch.push(1, &frame(b"abc"));
        batch.push_tick(2, Timestamp::from_nanos(6));
        batch.push(2, &frame(b""));
        batch.push(3, &frame(b"de"));
        let back: Vec<_> = batch
            .iter()
            .map(|event| match event {
                Event::Frame(n, frame) => (n, Some(frame.bytes)),
                Event::Tick(n, _) => (n, None),
            })
            .collect();
        assert_eq!(back, [(1, Some(&b"abc"[..])), (2, None), (2, Some(b"")), (3, Some(b"de"))]);
    }
}
