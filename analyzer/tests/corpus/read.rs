use std::path::Path;

use capture::CaptureFile;
use wire::{RawFrame, TapId};

/// Hands every frame of a capture to `take`, as far as the file can be read, with a tap for every
/// interface; false if it is no capture.
pub(crate) fn frames(path: &Path, mut take: impl FnMut(RawFrame<'_>)) -> bool {
    let mut taps = 0;
    let tap = Box::new(move |_: &str| {
        taps += 1;
        TapId(taps)
    });
    let Ok(mut file) = CaptureFile::open(path, tap) else { return false };
    while let Ok(Some(frame)) = file.next_frame() {
        take(frame);
    }
    true
}
