use std::path::{Path, PathBuf};

use capture::{CaptureFile, CaptureWriter};
use wire::{LinkType, RawFrame, TapId, Timestamp};

/// A captured frame.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) time: u64,
    pub(crate) link_type: LinkType,
    pub(crate) bytes: Vec<u8>,
}

/// The frames of a capture without loss or cut frames.
pub(crate) struct Recording {
    pub(crate) frames: Vec<Frame>,
}

impl Recording {
    /// Where the capture of a case is; nowhere, if it could not be made.
    pub(crate) fn file(folder: &Path) -> Option<PathBuf> {
        let names = ["capture.pcap.gz", "capture.pcap"].map(|name| folder.join(name));
        names.into_iter().find(|path| path.exists())
    }

    /// The capture in a case's folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let path = Self::file(folder).expect("a case has a capture");
        let mut file = CaptureFile::open(&path, Box::new(|_: &str| TapId(1)))
            .expect("the capture can be read");
        let mut frames = Vec::new();
        while let Some(frame) = file.next_frame().expect("the capture is whole") {
            assert_eq!(frame.bytes.len(), frame.wire_len as usize, "frames are not cut");
            let (time, link_type) = (frame.time.as_nanos(), frame.link_type);
            frames.push(Frame { time, link_type, bytes: frame.bytes.to_vec() });
        }
        Self { frames }
    }

    pub(crate) fn write(&self, path: &Path) {
        let mut writer = CaptureWriter::new(path).expect("temporary files can be made");
        for Frame { time, link_type, bytes } in &self.frames {
            let (time, wire_len) = (Timestamp::from_nanos(*time), bytes.len() as u32);
            let frame = RawFrame {
                time,
                tap: TapId(1),
                link_type: *link_type,
                wire_len,
                vlan: None,
                bytes,
            };
            writer.write(&frame, "tap0").expect("the disk is not full");
        }
        writer.finish().expect("the disk is not full");
    }
}
