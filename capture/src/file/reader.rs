use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use wire::{Batch, Drops, RawFrame, Source, SourceError};

use super::buffer::Buffer;
use super::input::{Input, TapNames, describe};
use super::pcap::{self, Pcap};
use super::pcapng::PcapNg;
use super::step::{Record, Step};
use crate::Error;

/// Frames of one batch.
const BATCH: usize = 4096;

/// A capture file: pcap (microseconds and nanoseconds, either byte order, the "modified" variant) or pcapng, plain or
/// compressed with gzip or zstd. `-` is standard input.
///
/// Reading goes as far as whole records go: a file cut short, or damaged in the middle, yields all before
/// and then one error.
pub struct CaptureFile {
    path: String,
    buffer: Buffer,
    format: Format,
    position: Arc<AtomicU64>,
    size: Option<u64>,
    frames: u64,
    /// Length of the record that was handed over last, still in front of the reading position.
    passed: usize,
    ended: bool,
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl CaptureFile {
    /// Opens `path` and reads as much as tells its format. `taps` is asked once for the tap of a pcap file, and for
    /// a pcapng file once per interface, at its first frame; the name is the file's without its folder, with
    /// `#interface` behind it where a file has several.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::NotACapture`] when it is something else.
    pub fn open(path: &Path, taps: TapNames) -> Result<Self, Error> {
        Self::open_until(path, taps, Arc::default())
    }

    /// The same; a pipe is taken to be at its end as soon as `stop` is set, also while nothing comes out of it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_until(path: &Path, mut taps: TapNames, stop: Arc<AtomicBool>) -> Result<Self, Error> {
        let Input { reader, position, size } = Input::open(path, stop)?;
        let mut buffer = Buffer::new(reader);
        let shown = if path == Path::new("-") { "standard input".into() } else { path.display().to_string() };
        let name = path.file_name().map_or_else(|| shown.clone(), |n| n.to_string_lossy().into_owned());
        let refuse = |problem: String| Error::NotACapture { path: shown.clone(), problem };
        let unreadable = |e: io::Error| match e.kind() {
            io::ErrorKind::UnexpectedEof => refuse("is compressed, and cut short at its beginning".into()),
            _ if is_damage(&e) => refuse(format!("looks compressed, but is damaged: {e}")),
            _ => Error::File { path: shown.clone(), source: e },
        };
        buffer.fill(12).map_err(unreadable)?;
        let format = if Pcap::recognises(buffer.data()) {
            buffer.fill(pcap::HEADER).map_err(unreadable)?;
            let head = buffer.data();
            let header = if head.len() < pcap::HEADER { None } else { Pcap::new(head, taps(&name)) };
            let pcap =
                header.ok_or_else(|| refuse("is a pcap file that is cut short inside its header".into()))?;
            buffer.consume(pcap::HEADER);
            Format::Pcap(pcap)
        } else if PcapNg::recognises(buffer.data()) {
            Format::PcapNg(PcapNg::new(name, taps))
        } else {
            return Err(refuse(describe(buffer.data())));
        };
        Ok(Self { path: shown, buffer, format, position, size, frames: 0, passed: 0, ended: false })
    }

    /// Bytes read from the file so far, compressed as they may be: the measure of a progress bar with [`size`](Self::size).
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Size of the file in bytes; none for pipes.
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// The next frame, or none at the end of the file: for those who merge several files by time.
    ///
    /// # Errors
    /// As [`Source::next_batch`]: once, at the first record that is not whole.
    pub fn next_frame(&mut self) -> Result<Option<RawFrame<'_>>, SourceError> {
        match self.next_record(true)? {
            Some(record) => Ok(Some(self.frame(record))),
            None => Ok(None),
        }
    }

    /// The next record, at the reading position. With `read` unset only what is in memory is looked at.
    fn next_record(&mut self, read: bool) -> Result<Option<Record>, SourceError> {
        self.buffer.consume(std::mem::take(&mut self.passed));
        while !self.ended {
            let data = self.buffer.data();
            let step = match &mut self.format {
                Format::Pcap(pcap) => pcap.step(data),
                Format::PcapNg(pcapng) => pcapng.step(data),
            };
            let at = self.buffer.offset();
            match step {
                Step::Frame(record) => {
                    self.frames += 1;
                    self.passed = record.total;
                    return Ok(Some(record));
                }
                Step::Skip(n) => {
                    let whole = self.buffer.skip(n);
                    self.require(whole, at)?;
                }
                Step::Need(_) if !read => return Ok(None),
                Step::Need(n) => {
                    let nothing_left = data.is_empty();
                    match self.buffer.fill(n) {
                        Ok(false) if nothing_left && self.buffer.data().is_empty() => self.ended = true,
                        other => self.require(other, at)?,
                    }
                }
                Step::Malformed(problem) => return Err(self.malformed(problem, at)),
            }
        }
        Ok(None)
    }

    fn frame(&self, record: Record) -> RawFrame<'_> {
        let bytes = self.buffer.data().get(record.start..record.start + record.len).unwrap_or_default();
        RawFrame {
            time: record.time,
            tap: record.tap,
            link_type: record.link_type,
            wire_len: record.wire_len,
            vlan: None,
            bytes,
        }
    }

    /// Turns the outcome of reading the rest of the record at `at` into the error that ends the file.
    fn require(&mut self, whole: io::Result<bool>, at: u64) -> Result<(), SourceError> {
        match whole {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.cut(at)),
            // What decompressors say where the compressed file ends early, and where it is damaged.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Err(self.cut(at)),
            Err(e) if is_damage(&e) => {
                Err(self.malformed(format!("the compressed data is damaged: {e}"), at))
            }
            Err(source) => {
                self.ended = true;
                Err(SourceError::Io { what: self.path.clone(), source })
            }
        }
    }

    fn cut(&mut self, offset: u64) -> SourceError {
        self.ended = true;
        SourceError::CutShort { what: self.path.clone(), frames: self.frames, offset }
    }

    fn malformed(&mut self, problem: String, offset: u64) -> SourceError {
        self.ended = true;
        SourceError::Malformed { what: self.path.clone(), frames: self.frames, offset, problem }
    }
}

impl Source for CaptureFile {
    /// Hands over what is in memory, after reading more if that is no whole record. A file has no use for `wait`.
    fn next_batch(
        &mut self,
        _wait: Duration,
        frames: &mut dyn FnMut(RawFrame<'_>),
    ) -> Result<Batch, SourceError> {
        let mut count = 0;
        while count < BATCH {
            match self.next_record(count == 0)? {
                Some(record) => frames(self.frame(record)),
                None => break,
            }
            count += 1;
        }
        Ok(if count == 0 { Batch::End } else { Batch::Frames(count) })
    }

    /// Nothing: what the capturing program lost is not known here.
    fn drops(&mut self) -> Drops {
        Drops::default()
    }
}

/// Whether a decompressor said this about its input.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other)
}
