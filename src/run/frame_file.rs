//! The capture file of `--write`: shards copy frames into blocks, one thread writes them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use capture::{CaptureWriter, FrameBlock};
use wire::RawFrame;

use crate::taps::{TapCache, Taps};

/// Bytes of frames after which a block goes to the writing thread.
const BLOCK_BYTES: usize = 256 << 10;

/// A shard's way to the file. A disk that is too slow costs frames of the file, never of the
/// analysis.
pub(super) struct FrameFile {
    block: FrameBlock,
    to_writer: SyncSender<FrameBlock>,
    dropped: Arc<AtomicU64>,
}

impl FrameFile {
    /// Copies a frame, and sends the block when it is full.
    pub(super) fn push(&mut self, frame: &RawFrame<'_>) {
        if !self.block.push(frame) {
            self.add_dropped(1);
        }
        if self.block.bytes() >= BLOCK_BYTES {
            let block = std::mem::take(&mut self.block);
            let frames = block.len();
            if self.to_writer.try_send(block).is_err() {
                self.add_dropped(frames);
            }
        }
    }

    fn add_dropped(&self, frames: usize) {
        self.dropped.fetch_add(frames as u64, Ordering::Relaxed);
    }
}

impl Drop for FrameFile {
    /// Waits until there is room for the last block: nothing is captured any more.
    fn drop(&mut self) {
        let block = std::mem::take(&mut self.block);
        let frames = block.len();
        if frames > 0 && self.to_writer.send(block).is_err() {
            self.add_dropped(frames);
        }
    }
}

/// The thread that writes the file.
pub(super) struct FrameFileThread {
    thread: JoinHandle<Result<(), capture::Error>>,
    dropped: Arc<AtomicU64>,
}

/// Creates the file, while there are rights to.
pub(super) fn create(path: &Path) -> Result<CaptureWriter, capture::Error> {
    CaptureWriter::new(path)
}

/// Starts the writing thread; returns it and each shard's way to the file.
pub(super) fn start(
    writer: CaptureWriter,
    taps: Arc<Taps>,
    shards: usize,
    queue_bytes: usize,
) -> std::io::Result<(FrameFileThread, Vec<FrameFile>)> {
    let (to_writer, blocks) = sync_channel((queue_bytes / BLOCK_BYTES).max(1));
    let dropped = Arc::new(AtomicU64::new(0));
    let file = || FrameFile {
        block: FrameBlock::default(),
        to_writer: to_writer.clone(),
        dropped: dropped.clone(),
    };
    let files = (0..shards).map(|_| file()).collect();
    let thread = std::thread::Builder::new()
        .name("write".into())
        .spawn(move || write(writer, &blocks, taps))?;
    Ok((FrameFileThread { thread, dropped }, files))
}

fn write(
    mut writer: CaptureWriter,
    blocks: &Receiver<FrameBlock>,
    taps: Arc<Taps>,
) -> Result<(), capture::Error> {
    let mut taps = TapCache::new(taps);
    for block in blocks {
        for frame in block.frames() {
            writer.write(&frame, taps.name(frame.tap))?;
        }
    }
    writer.finish()
}

impl FrameFileThread {
    /// Waits until everything is written; the shards must have ended. Returns how many frames were
    /// left out.
    pub(super) fn finish(self) -> anyhow::Result<u64> {
        let Ok(result) = self.thread.join() else {
            anyhow::bail!("the thread that writes the capture file ended unexpectedly")
        };
        result?;
        Ok(self.dropped.load(Ordering::Relaxed))
    }
}
