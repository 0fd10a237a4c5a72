//! Several capture files as one input.

use std::time::Duration;

use capture::{CaptureFile, FrameBlock};
use wire::{RawFrame, SourceError, invariant};

/// Frames of several files as one sequence, by time. Files keep their own order, and of frames with
/// the same time those of the file that was named first come first.
pub(super) struct Merge {
    files: Vec<File>,
    failed: Vec<SourceError>,
    /// A file is a pipe.
    live: bool,
}

struct File {
    file: CaptureFile,
    /// Frames read ahead, needed only to compare times with other files.
    ahead: FrameBlock,
    /// How many of them were handed over.
    passed: usize,
    ended: bool,
}

/// Frames of a block that several files are merged into.
const MERGED: usize = 4096;

impl Merge {
    pub(super) fn new(files: Vec<CaptureFile>) -> Self {
        let live = files.iter().any(CaptureFile::is_pipe);
        let files = files.into_iter().map(|file| File {
            file,
            ahead: FrameBlock::default(),
            passed: 0,
            ended: false,
        });
        Self { files: files.collect(), failed: Vec::new(), live }
    }

    /// Whether a file is a pipe, whose writer may pause.
    pub(super) const fn is_live(&self) -> bool {
        self.live
    }

    /// Whether the next frame need not be waited for, at once or after `wait`.
    pub(super) fn has_more(&self, wait: Duration) -> bool {
        has_more(&self.files, wait)
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
    pub(super) fn next_batch(&mut self, mut frames: impl FnMut(&RawFrame<'_>)) -> bool {
        let Self { files, failed, live } = self;
        if let [only] = &mut files[..] {
            let more = only.refill(failed);
            only.ahead.frames().for_each(|frame| frames(&frame));
            return more;
        }
        for count in 0..MERGED {
            if *live && count > 0 && !has_more(files, Duration::ZERO) {
                return true;
            }
            let Some(file) = earliest(files, failed) else { return false };
            if let Some(frame) = file.head() {
                frames(&frame);
            }
            file.passed += 1;
        }
        true
    }

    /// Fills `block` with the next frames, of several files with copies of them; false when there
    /// are no more.
    pub(super) fn next_block(&mut self, block: &mut FrameBlock) -> bool {
        let Self { files, failed, live } = self;
        block.clear();
        if let [only] = &mut files[..] {
            return only.fill(block, failed);
        }
        while block.len() < MERGED {
            if *live && !block.is_empty() && !has_more(files, Duration::ZERO) {
                break;
            }
            let Some(file) = earliest(files, failed) else { break };
            let Some(frame) = file.head() else {
                invariant!("the earliest file has a frame");
                break;
            };
            // Full: the frame is the first of the next block.
            if !block.push(&frame) {
                break;
            }
            file.passed += 1;
        }
        !block.is_empty()
    }
}

/// Whether no file's next frame must be waited for. The frames of a single file are not read ahead.
fn has_more(files: &[File], wait: Duration) -> bool {
    let single = files.len() == 1;
    let mut empty = files.iter().filter(|file| single || file.head().is_none());
    empty.all(|file| file.file.has_more(wait))
}

/// The file with the earliest frame, which was read ahead; none when all are at their ends.
fn earliest<'f>(files: &'f mut [File], failed: &mut Vec<SourceError>) -> Option<&'f mut File> {
    for file in files.iter_mut().filter(|file| file.head().is_none()) {
        file.refill(failed);
    }
    let heads = files.iter_mut().filter_map(|file| Some((file.head()?.time, file)));
    heads.min_by_key(|(time, _)| *time).map(|(_, file)| file)
}

impl File {
    /// The next frame, if one was read ahead.
    fn head(&self) -> Option<RawFrame<'_>> {
        self.ahead.get(self.passed)
    }

    /// Fills `block`; false where the file has ended.
    fn fill(&mut self, block: &mut FrameBlock, failed: &mut Vec<SourceError>) -> bool {
        if self.ended {
            return false;
        }
        match self.file.next_block(block) {
            Ok(more) => self.ended = !more,
            Err(error) => {
                failed.push(error);
                self.ended = true;
            }
        }
        !self.ended
    }

    /// Reads ahead; false where the file has ended.
    fn refill(&mut self, failed: &mut Vec<SourceError>) -> bool {
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.clear();
        let more = self.fill(&mut ahead, failed);
        self.ahead = ahead;
        self.passed = 0;
        more
    }
}
