use std::path::Path;

use capture::CaptureWriter;
use wire::{LinkType, RawFrame, TapId, Timestamp};

use super::End;

/// What a tap recorded of one connection after the other on the same endpoints.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape {
    pub(crate) frames: Vec<Frame>,
}

/// A recorded frame.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Nanoseconds since the epoch.
    pub(crate) time: u64,
    pub(crate) from: End,
    pub(crate) bytes: Vec<u8>,
    /// More than `bytes` has, if the tap cut it.
    pub(crate) wire_len: u32,
}

/// Where a frame of a capture comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// Index of its tape.
    pub(crate) tape: usize,
    /// Its index there.
    pub(crate) frame: usize,
}

/// Writes all tapes into one file, by time; the frames' origins, in order.
pub(crate) fn write(path: &Path, tapes: &[Tape]) -> Vec<Origin> {
    let mut origins = Vec::new();
    for (tape, recorded) in tapes.iter().enumerate() {
        origins.extend((0..recorded.frames.len()).map(|frame| Origin { tape, frame }));
    }
    // The time that a tape has reached: where its own times go back, its order stays.
    let reached: Vec<Vec<u64>> = tapes.iter().map(Tape::reached).collect();
    origins.sort_by_key(|origin| (reached[origin.tape][origin.frame], origin.tape, origin.frame));
    let mut writer = CaptureWriter::new(path).expect("the folder for captures can be written");
    for origin in &origins {
        let frame = tapes[origin.tape].frames[origin.frame].raw();
        writer.write(&frame, "tap0").expect("the disk is not full");
    }
    writer.finish().expect("the disk is not full");
    origins
}

impl Tape {
    fn reached(&self) -> Vec<u64> {
        let mut latest = 0;
        let reach = |frame: &Frame| {
            latest = frame.time.max(latest);
            latest
        };
        self.frames.iter().map(reach).collect()
    }
}

impl Frame {
    pub(crate) fn raw(&self) -> RawFrame<'_> {
        RawFrame {
            time: Timestamp::from_nanos(self.time),
            tap: TapId(1),
            link_type: LinkType::Ethernet,
            wire_len: self.wire_len,
            vlan: None,
            bytes: &self.bytes,
        }
    }
}
