use std::time::Duration;

use capture::CaptureFile;
use wire::{Batch, RawFrame, Source, SourceError};

use crate::batch::{Event, FrameBatch};

/// Frames of several files as one sequence, by time; files keep their own order, and of frames with the same time those of the
/// file that was named first come first.
pub(super) struct Merge {
    files: Vec<File>,
    failed: Vec<SourceError>,
}

struct File {
    file: CaptureFile,
    /// Frames read ahead, needed only to compare times with other files.
    ahead: FrameBatch,
    /// How many of them were handed over.
    passed: usize,
    ended: bool,
}

impl Merge {
    pub(super) fn new(files: Vec<CaptureFile>) -> Self {
        let files = files.into_iter().map(|file| File {
            file,
            ahead: FrameBatch::default(),
            passed: 0,
            ended: false,
        });
        Self { files: files.collect(), failed: Vec::new() }
    }

    /// Bytes read and bytes in all files, as far as both are known.
    pub(super) fn progress(&self) -> (u64, Option<u64>) {
        let read = self.files.iter().map(|f| f.file.position()).sum();
        (read, self.files.iter().map(|f| f.file.size()).sum())
    }

    /// What kept files from being read to their end.
    pub(super) fn into_failed(self) -> Vec<SourceError> {
        self.failed
    }

    /// Hands over some frames; false when there are no more.
    pub(super) fn next_batch(&mut self, frames: &mut dyn FnMut(&RawFrame<'_>)) -> bool {
        if let [only] = &mut self.files[..] {
            return only.read(&mut self.failed, &mut |frame| frames(&frame));
        }
        let Self { files, failed } = self;
        loop {
            for file in files.iter_mut().filter(|file| file.head().is_none()) {
                file.refill(failed);
            }
            let earliest =
                files.iter_mut().filter(|f| f.head().is_some()).min_by_key(|f| f.head().map(|h| h.time));
            let Some(file) = earliest else { return false };
            if let Some(frame) = file.head() {
                frames(&frame);
            }
            file.passed += 1;
            if file.head().is_none() {
                return true;
            }
        }
    }
}

impl File {
    /// The next frame, if one was read ahead.
    fn head(&self) -> Option<RawFrame<'_>> {
        match self.ahead.get(self.passed) {
            Some(Event::Frame(_, frame)) => Some(frame),
            _ => None,
        }
    }

    fn read(&mut self, failed: &mut Vec<SourceError>, frames: &mut dyn FnMut(RawFrame<'_>)) -> bool {
        if self.ended {
            return false;
        }
        match self.file.next_batch(Duration::ZERO, frames) {
            Ok(Batch::Frames(_) | Batch::Idle) => {}
            Ok(Batch::End) => self.ended = true,
            Err(error) => {
                failed.push(error);
                self.ended = true;
            }
        }
        !self.ended
    }

    /// Reads ahead until there is a frame or the file ends.
    fn refill(&mut self, failed: &mut Vec<SourceError>) {
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.clear();
        while ahead.len() == 0 && self.read(failed, &mut |frame| ahead.push(0, &frame)) {}
        self.ahead = ahead;
        self.passed = 0;
    }
}
