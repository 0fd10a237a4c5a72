//! Several capture files as one input.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use capture::{CaptureFile, FrameBlock};
use wire::{Drops, LinkType, RawFrame, SourceError, TapId, Timestamp, invariant};

use super::rotated::{self, PartTaps};
use crate::cli::Rotated;
use crate::taps::Taps;

/// Frames of several files as one sequence, by time. Files keep their own order, and of frames with
/// the same time those of the file that was named first come first.
pub(super) struct Merge {
    files: Vec<File>,
    failed: Vec<SourceError>,
    /// A file is a pipe.
    live: bool,
    /// Which files are parts of one capture.
    rotated: Rotated,
    /// Taps of each capture that several files may be parts of.
    captures: Vec<PartTaps>,
    taps: Arc<Taps>,
}

struct File {
    file: CaptureFile,
    path: PathBuf,
    /// Time of the first frame that was handed over, and the latest of all.
    times: Option<(Timestamp, Timestamp)>,
    /// Index of the capture that it is a part of, from its first frame on.
    capture: Option<usize>,
    /// Whether a later file goes on where it ended.
    is_continued: bool,
    /// The file's own taps by link type, and the taps of the capture that stand for them.
    part_taps: Vec<(TapId, LinkType, TapId)>,
    /// Frames read ahead, needed only to compare times with other files.
    ahead: FrameBlock,
    /// How many of them were handed over.
    passed: usize,
    ended: bool,
}

/// Frames of a block that several files are merged into.
const MERGED: usize = 4096;

impl Merge {
    /// Files by their paths. The names of `taps` begin with those of their files.
    pub(super) fn new(
        files: Vec<(PathBuf, CaptureFile)>,
        rotated: Rotated,
        taps: Arc<Taps>,
    ) -> Self {
        let live = files.iter().any(|(_, file)| file.is_pipe());
        let files = files.into_iter().map(|(path, file)| File {
            file,
            path,
            times: None,
            capture: None,
            is_continued: false,
            part_taps: Vec::new(),
            ahead: FrameBlock::default(),
            passed: 0,
            ended: false,
        });
        let (files, failed, captures) = (files.collect(), Vec::new(), Vec::new());
        Self { files, failed, live, rotated, captures, taps }
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

    /// Files that went on where another one ended.
    pub(super) fn continued(&self) -> usize {
        self.files.iter().filter(|file| file.is_continued).count()
    }

    /// What the programs that wrote the files say was lost, by tap.
    pub(super) fn drops_by_tap(&self) -> Vec<(TapId, Drops)> {
        let of_file = |file: &File| {
            let drops = file.file.drops_by_tap().into_iter();
            drops.map(|(tap, drops)| (file.known_tap(tap), drops)).collect::<Vec<_>>()
        };
        let mut all: Vec<(TapId, Drops)> = Vec::new();
        for (tap, drops) in self.files.iter().flat_map(of_file) {
            match all.iter_mut().find(|(known, _)| *known == tap) {
                Some((_, sum)) => sum.add(drops),
                None => all.push((tap, drops)),
            }
        }
        all
    }

    /// Hands over some frames; false when there are no more.
    pub(super) fn next_batch(&mut self, mut frames: impl FnMut(&RawFrame<'_>)) -> bool {
        if let [only] = &mut self.files[..] {
            let more = only.refill(&mut self.failed);
            only.ahead.frames().for_each(|frame| frames(&frame));
            return more;
        }
        for count in 0..MERGED {
            if self.live && count > 0 && !self.has_more(Duration::ZERO) {
                return true;
            }
            let more = self.next_frame(|frame| {
                frames(frame);
                true
            });
            if !more {
                return false;
            }
        }
        true
    }

    /// Fills `block` with the next frames, of several files with copies of them; false when there
    /// are no more.
    pub(super) fn next_block(&mut self, block: &mut FrameBlock) -> bool {
        block.clear();
        if let [only] = &mut self.files[..] {
            return only.fill(block, &mut self.failed);
        }
        while block.len() < MERGED {
            if self.live && !block.is_empty() && !self.has_more(Duration::ZERO) {
                break;
            }
            // Full: the frame is the first of the next block.
            if !self.next_frame(|frame| block.push(frame)) {
                break;
            }
        }
        !block.is_empty()
    }

    /// Hands over the earliest frame of all files; false where there is none, or where `take` does
    /// not take it.
    fn next_frame(&mut self, take: impl FnOnce(&RawFrame<'_>) -> bool) -> bool {
        let Some(index) = earliest(&mut self.files, &mut self.failed) else { return false };
        if self.files.get(index).is_some_and(|file| file.capture.is_none()) {
            self.begin(index);
        }
        let Self { files, captures, taps, .. } = self;
        let Some(file) = files.get_mut(index) else {
            invariant!("the earliest file is one of the files");
            return false;
        };
        let Some(RawFrame { tap, time, link_type, .. }) = file.head() else {
            invariant!("the earliest file has a frame");
            return false;
        };
        let known = file.part_taps.iter().find(|(own, of, _)| *own == tap && *of == link_type);
        let tap = match known {
            Some((.., tap)) => *tap,
            None => file.add_tap(tap, link_type, captures, taps),
        };
        let taken = file.head().is_some_and(|frame| take(&RawFrame { tap, ..frame }));
        if taken {
            let (first, last) = file.times.unwrap_or((time, time));
            file.times = Some((first, last.max(time)));
            file.passed += 1;
        }
        taken
    }

    /// Finds the capture that a file is a part of, when its first frame is the next.
    #[cold]
    fn begin(&mut self, index: usize) {
        let continued = match self.rotated {
            Rotated::Never => None,
            Rotated::Always => {
                self.files.iter().position(|file| file.capture.is_some() && !file.is_continued)
            }
            Rotated::Auto => self.continued_by(index),
        };
        let capture = continued.and_then(|earlier| {
            let earlier = self.files.get_mut(earlier)?;
            earlier.is_continued = true;
            earlier.capture
        });
        let capture = capture.unwrap_or_else(|| {
            self.captures.push(PartTaps::default());
            self.captures.len() - 1
        });
        if let Some(file) = self.files.get_mut(index) {
            file.capture = Some(capture);
        }
    }

    /// The file that the one at `index` continues, by names and times.
    fn continued_by(&self, index: usize) -> Option<usize> {
        let later = self.files.get(index)?;
        let start = later.head()?.time;
        let earlier = self.files.iter().enumerate().filter(|(_, earlier)| {
            !earlier.is_continued
                && rotated::may_continue(&earlier.path, &later.path)
                && earlier.ends_before(start)
        });
        let (index, _) = earlier
            .max_by_key(|(_, file)| (rotated::likeness(&file.path, &later.path), file.times))?;
        Some(index)
    }
}

/// Whether no file's next frame must be waited for. The frames of a single file are not read ahead.
fn has_more(files: &[File], wait: Duration) -> bool {
    let single = files.len() == 1;
    let mut empty = files.iter().filter(|file| single || file.head().is_none());
    empty.all(|file| file.file.has_more(wait))
}

/// The index of the file with the earliest frame, which was read ahead; none when all are at their
/// ends.
fn earliest(files: &mut [File], failed: &mut Vec<SourceError>) -> Option<usize> {
    for file in files.iter_mut().filter(|file| file.head().is_none()) {
        file.refill(failed);
    }
    let heads = files.iter().enumerate().filter_map(|(at, file)| Some((file.head()?.time, at)));
    heads.min_by_key(|(time, _)| *time).map(|(_, at)| at)
}

impl File {
    /// The next frame, if one was read ahead.
    fn head(&self) -> Option<RawFrame<'_>> {
        self.ahead.get(self.passed)
    }

    /// Whether all its frames were handed over not long before `start`, but for a few that a
    /// rotated capture may have out of order.
    fn ends_before(&self, start: Timestamp) -> bool {
        let Some((first, last)) = self.times else { return false };
        let left = self.ahead.frames().skip(self.passed).map(|frame| frame.time).max();
        let Some(left) = left else { return start.nanos_since(last) <= rotated::MAX_GAP };
        let at_end = self.file.size() == Some(self.file.position());
        at_end && rotated::is_small(left.nanos_since(start), start.nanos_since(first))
    }

    /// The tap of the capture that stands for one of the file's own.
    fn known_tap(&self, own: TapId) -> TapId {
        self.part_taps.iter().find(|(known, ..)| *known == own).map_or(own, |(.., tap)| *tap)
    }

    /// Finds that tap when it is first met.
    #[cold]
    fn add_tap(
        &mut self,
        own: TapId,
        link_type: LinkType,
        captures: &mut [PartTaps],
        taps: &Taps,
    ) -> TapId {
        let file = self.path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into());
        let tap = taps.get(own).zip(self.capture.and_then(|index| captures.get_mut(index)));
        let tap = tap.map_or(own, |(named, part_taps)| {
            let interface = named.name.strip_prefix(&file).unwrap_or(&named.name);
            part_taps.find_or_add(interface, link_type, own)
        });
        self.part_taps.push((own, link_type, tap));
        tap
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
