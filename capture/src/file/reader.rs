//! Reads capture files, pcap and pcapng, block by block.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use wire::{Batch, Drops, RawFrame, Source, SourceError, TapId};

use super::frame_block::FrameBlock;
use super::input::{Input, TapNames, describe, has_more};
use super::pcap::{self, Pcap};
use super::pcapng::PcapNg;
use super::step::Rest;
use crate::Error;

/// Bytes of one read: they and their frames' places stay in a core's second-level cache.
const BLOCK: usize = 256 << 10;

/// A capture file: pcap (microseconds and nanoseconds, either byte order, the "modified" variant)
/// or pcapng, plain or compressed with gzip or zstd. `-` is standard input.
///
/// Reading goes as far as whole records go: a file cut short, or damaged in the middle, yields all
/// before and then one error.
pub struct CaptureFile {
    path: String,
    input: Box<dyn Read + Send>,
    format: Format,
    position: Arc<AtomicU64>,
    size: Option<u64>,
    pipe: Option<File>,
    /// The start of what the next block is read into, `ahead` bytes of it: a record that was not
    /// whole.
    spare: Vec<u8>,
    ahead: usize,
    /// Offset of `spare` in the uncompressed input.
    offset: u64,
    frames: u64,
    /// What ended the file, not returned yet.
    failed: Option<SourceError>,
    ended: bool,
    /// For reading by frame: the last block, and how many of its frames were handed over.
    current: FrameBlock,
    passed: usize,
    /// Drops that `drops` returned before.
    drops_told: Drops,
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl Format {
    fn parse(&mut self, bytes: &[u8], block: &mut FrameBlock) -> (usize, Rest) {
        match self {
            Self::Pcap(pcap) => pcap.parse(bytes, block),
            Self::PcapNg(pcapng) => pcapng.parse(bytes, block),
        }
    }

    /// Bytes before the reading position that belong to what is not whole yet.
    fn inside(&self) -> u64 {
        match self {
            Self::Pcap(_) => 0,
            Self::PcapNg(pcapng) => pcapng.inside(),
        }
    }
}

impl CaptureFile {
    /// Opens `path` and reads enough to know its format. `taps` is called once for the tap of a
    /// pcap file, and for a pcapng file once per interface, at its first frame; the name is the
    /// file's without its folder, with `#interface` behind it where a file has several. Where
    /// frames name their interfaces themselves (LINKTYPE_LINUX_SLL2), each of these is a tap, with
    /// `#index` behind the name.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::NotACapture`] when it is something else.
    pub fn open(path: &Path, taps: TapNames) -> Result<Self, Error> {
        Self::open_until(path, taps, Arc::default())
    }

    /// The same; a pipe is taken to be at its end as soon as `stop` is set, also while nothing
    /// comes out of it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_until(path: &Path, taps: TapNames, stop: Arc<AtomicBool>) -> Result<Self, Error> {
        let Input { reader: mut input, position, size, pipe } = Input::open(path, stop)?;
        let shown = if path == Path::new("-") {
            "standard input".into()
        } else {
            path.display().to_string()
        };
        let name =
            path.file_name().map_or_else(|| shown.clone(), |n| n.to_string_lossy().into_owned());
        let refuse = |problem: String| Error::NotACapture { path: shown.clone(), problem };
        let mut head = Vec::with_capacity(pcap::HEADER);
        input.by_ref().take(pcap::HEADER as u64).read_to_end(&mut head).map_err(|e| {
            match e.kind() {
                io::ErrorKind::UnexpectedEof => {
                    refuse("is compressed, and cut short at its beginning".into())
                }
                _ if is_damage(&e) => refuse(format!("looks compressed, but is damaged: {e}")),
                _ => Error::File { path: shown.clone(), source: e },
            }
        })?;
        let mut offset = 0;
        let format = if Pcap::recognises(&head) {
            let header =
                if head.len() < pcap::HEADER { None } else { Pcap::new(&head, &name, taps) };
            let pcap = header.ok_or_else(|| {
                refuse("is a pcap file that is cut short inside its header".into())
            })?;
            offset = head.len() as u64;
            head.clear();
            Format::Pcap(pcap)
        } else if PcapNg::recognises(&head) {
            Format::PcapNg(PcapNg::new(name, taps))
        } else {
            return Err(refuse(describe(&head)));
        };
        Ok(Self {
            path: shown,
            input,
            format,
            position,
            size,
            pipe,
            ahead: head.len(),
            spare: head,
            offset,
            frames: 0,
            failed: None,
            ended: false,
            current: FrameBlock::default(),
            passed: 0,
            drops_told: Drops::default(),
        })
    }

    /// Bytes read from the file so far, compressed as they may be: the measure of a progress bar
    /// with [`size`](Self::size).
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Size of the file in bytes; none for pipes.
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// Whether it is a pipe, whose writer may pause.
    pub const fn is_pipe(&self) -> bool {
        self.pipe.is_some()
    }

    /// Whether reading need not wait for the writer of a pipe, at once or after `wait`. Of a
    /// compressed pipe more frames may be at hand than this knows of.
    pub fn has_more(&self, wait: Duration) -> bool {
        self.ended || self.pipe.as_ref().is_none_or(|pipe| has_more(pipe, wait))
    }

    /// What the program that wrote the file says was lost at each tap, so far.
    pub fn drops_by_tap(&self) -> Vec<(TapId, Drops)> {
        match &self.format {
            Format::Pcap(_) => Vec::new(),
            Format::PcapNg(pcapng) => pcapng.drops_by_tap(),
        }
    }

    /// Fills `block` with the next frames, as many as one read of the file brings; false at the end
    /// of the file. Nothing is copied but the beginning of a record that the read did not bring
    /// whole.
    ///
    /// # Errors
    /// As [`Source::next_batch`]: once, at the first record that is not whole.
    pub fn next_block(&mut self, block: &mut FrameBlock) -> Result<bool, SourceError> {
        block.clear();
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.ended {
            return Ok(false);
        }
        std::mem::swap(&mut block.bytes, &mut self.spare);
        let mut filled = std::mem::take(&mut self.ahead);
        let mut need = 0;
        let mut bytes = std::mem::take(&mut block.bytes);
        let result = loop {
            match self.read(&mut bytes, &mut filled, need) {
                Ok(0) if filled == 0 && self.format.inside() == 0 => break self.end(Ok(())),
                Ok(0) => break self.end(Err(self.cut())),
                Ok(_) => {}
                Err(error) => break self.end(Err(error)),
            }
            let data = bytes.get(..filled).unwrap_or_default();
            let (consumed, rest) = self.format.parse(data, block);
            self.frames += block.len() as u64;
            let at = self.offset + consumed as u64;
            match rest {
                Rest::Need(n) => need = n,
                Rest::Malformed(problem) => break self.end(Err(self.malformed(problem, at))),
            }
            self.offset = at;
            if !block.is_empty() {
                self.ahead = filled - consumed;
                self.keep(data.get(consumed..).unwrap_or_default());
                break Ok(true);
            }
            bytes.copy_within(consumed..filled, 0);
            filled -= consumed;
        };
        block.bytes = bytes;
        match result {
            Err(error) if !block.is_empty() => {
                self.failed = Some(error);
                Ok(true)
            }
            other => other,
        }
    }

    /// The next frame, or none at the end of the file.
    ///
    /// # Errors
    /// As [`Source::next_batch`]: once, at the first record that is not whole.
    pub fn next_frame(&mut self) -> Result<Option<RawFrame<'_>>, SourceError> {
        if self.passed >= self.current.len() {
            let mut block = std::mem::take(&mut self.current);
            let read = self.next_block(&mut block);
            (self.current, self.passed) = (block, 0);
            read?;
        }
        self.passed += 1;
        Ok(self.current.get(self.passed - 1))
    }

    /// Reads once, behind the first `filled` of `bytes`, which grow only as far as one record needs
    /// (`need` bytes, by its own words) and the input really delivers.
    fn read(
        &mut self,
        bytes: &mut Vec<u8>,
        filled: &mut usize,
        need: usize,
    ) -> Result<usize, SourceError> {
        if *filled == bytes.len() || bytes.len() < BLOCK {
            let larger = (2 * bytes.len()).min(need.next_power_of_two());
            bytes.resize(larger.max(BLOCK), 0);
        }
        let room = bytes.get_mut(*filled..).unwrap_or_default();
        loop {
            match self.input.read(room) {
                Ok(n) => {
                    *filled += n.min(room.len());
                    return Ok(n);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // What decompressors say where the compressed file ends early, and where it is
                // damaged.
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Err(self.cut()),
                Err(e) if is_damage(&e) => {
                    return Err(
                        self.malformed(format!("the compressed data is damaged: {e}"), self.offset)
                    );
                }
                Err(source) => return Err(SourceError::Io { what: self.path.clone(), source }),
            }
        }
    }

    fn keep(&mut self, rest: &[u8]) {
        if self.spare.len() < rest.len() {
            self.spare.resize(rest.len().max(BLOCK), 0);
        }
        if let Some(room) = self.spare.get_mut(..rest.len()) {
            room.copy_from_slice(rest);
        }
    }

    fn end(&mut self, how: Result<(), SourceError>) -> Result<bool, SourceError> {
        self.ended = true;
        match how {
            Ok(()) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn cut(&self) -> SourceError {
        let offset = self.offset - self.format.inside();
        SourceError::CutShort { what: self.path.clone(), frames: self.frames, offset }
    }

    fn malformed(&self, problem: String, offset: u64) -> SourceError {
        SourceError::Malformed { what: self.path.clone(), frames: self.frames, offset, problem }
    }
}

impl Source for CaptureFile {
    /// Hands over what one read of the file brings. A file has no use for `wait`.
    fn next_batch(
        &mut self,
        _wait: Duration,
        frames: &mut dyn FnMut(RawFrame<'_>),
    ) -> Result<Batch, SourceError> {
        let mut block = std::mem::take(&mut self.current);
        let mut count = 0;
        let mut passed = self.passed;
        let more = if passed < block.len() {
            Ok(true)
        } else {
            passed = 0;
            self.next_block(&mut block)
        };
        if let Ok(true) = more {
            for frame in block.frames().skip(passed) {
                frames(frame);
                count += 1;
            }
        }
        (self.passed, self.current) = (block.len(), block);
        Ok(if more? { Batch::Frames(count) } else { Batch::End })
    }

    fn drops(&mut self) -> Drops {
        let mut all = Drops::default();
        for (_, drops) in self.drops_by_tap() {
            all.add(drops);
        }
        let since = all.since(self.drops_told);
        self.drops_told = all;
        since
    }
}

/// Whether a decompressor said this about its input.
fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other
    )
}
