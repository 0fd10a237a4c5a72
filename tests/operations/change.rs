//! What a network may do to the packets of a connection without changing what is said.

use std::ops::RangeInclusive;

use wire::LinkType;

use crate::recording::{Frame, Recording};

/// SplitMix64: the same seed gives the same changes.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}

/// Where the parts of a frame with TCP payload stand.
#[derive(Clone, Copy)]
struct Places {
    ip: usize,
    v6: bool,
    tcp: usize,
    payload: usize,
    end: usize,
}

impl Places {
    /// None where there is no payload to cut.
    fn of(frame: &Frame) -> Option<Self> {
        let bytes = &frame.bytes;
        let word = |at: usize| {
            Some(usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])))
        };
        let ip = match frame.link_type {
            LinkType::Ethernet => 14,
            LinkType::RawIp => 0,
            _ => return None,
        };
        let v6 = bytes.get(ip)? >> 4 == 6;
        let (protocol, tcp, end) = if v6 {
            (*bytes.get(ip + 6)?, ip + 40, ip + 40 + word(ip + 4)?)
        } else {
            (*bytes.get(ip + 9)?, ip + usize::from(bytes[ip] & 15) * 4, ip + word(ip + 2)?)
        };
        let payload = tcp + usize::from(bytes.get(tcp + 12)? >> 4) * 4;
        let plain = bytes.get(tcp + 13)? & 0x06 == 0;
        (protocol == 6 && plain && payload < end && end <= bytes.len()).then_some(Self {
            ip,
            v6,
            tcp,
            payload,
            end,
        })
    }

    /// Addresses and ports: who speaks to whom.
    fn ends(self, frame: &Frame) -> (&[u8], &[u8]) {
        let addresses =
            if self.v6 { self.ip + 8..self.ip + 40 } else { self.ip + 12..self.ip + 20 };
        (&frame.bytes[addresses], &frame.bytes[self.tcp..self.tcp + 4])
    }

    /// The segment's bytes from `from` to `to` as a segment of their own; what ends the segment
    /// stays with its last byte.
    fn piece(self, frame: &Frame, from: usize, to: usize) -> Frame {
        let mut bytes = [&frame.bytes[..self.payload], &frame.bytes[from..to]].concat();
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        let (length_at, counted) =
            if self.v6 { (self.ip + 4, self.ip + 40) } else { (self.ip + 2, self.ip) };
        put(length_at, &((self.payload - counted + to - from) as u16).to_be_bytes());
        let seq = &frame.bytes[self.tcp + 4..self.tcp + 8];
        let seq = u32::from_be_bytes([seq[0], seq[1], seq[2], seq[3]]);
        put(self.tcp + 4, &seq.wrapping_add((from - self.payload) as u32).to_be_bytes());
        if to < self.end {
            put(self.tcp + 13, &[frame.bytes[self.tcp + 13] & !0x09]);
        }
        Frame { bytes, ..*frame }
    }
}

/// The same in smaller segments.
pub(crate) fn recut(recording: &Recording, seed: u64, sizes: RangeInclusive<usize>) -> Recording {
    let mut random = Random(seed);
    let mut frames = Vec::new();
    for frame in &recording.frames {
        let Some(places) = Places::of(frame) else {
            frames.push(frame.clone());
            continue;
        };
        let mut from = places.payload;
        while from < places.end {
            let size = sizes.start() + random.below(sizes.end() - sizes.start() + 1);
            let to = (from + size).min(places.end);
            frames.push(places.piece(frame, from, to));
            from = to;
        }
    }
    Recording { frames }
}

/// The same over a bad network: of 100 segments some two come again later, and some two are
/// overtaken by the next of their direction.
pub(crate) fn troubled(recording: &Recording, seed: u64) -> Recording {
    let mut random = Random(!seed);
    let mut frames: Vec<Frame> = recording.frames.clone();
    let mut at = 0;
    while at + 1 < frames.len() {
        if let Some(places) = Places::of(&frames[at]) {
            let next_follows = Places::of(&frames[at + 1])
                .is_some_and(|next| next.ends(&frames[at + 1]) == places.ends(&frames[at]));
            match random.below(50) {
                0 => {
                    let to = (at + 1 + random.below(6)).min(frames.len());
                    let again = Frame { time: frames[to - 1].time, ..frames[at].clone() };
                    frames.insert(to, again);
                }
                1 if next_follows => {
                    let (first, second) = (frames[at].time, frames[at + 1].time);
                    frames.swap(at, at + 1);
                    (frames[at].time, frames[at + 1].time) = (first, second);
                    at += 1;
                }
                _ => {}
            }
        }
        at += 1;
    }
    Recording { frames }
}

/// The frames after `part` of `of` parts, and when the first of them came.
pub(crate) fn later(recording: &Recording, part: usize, of: usize) -> (Recording, u64) {
    let from = recording.frames.len() * part / of;
    let frames = recording.frames[from..].to_vec();
    let time = frames.first().map_or(u64::MAX, |frame| frame.time);
    (Recording { frames }, time)
}
