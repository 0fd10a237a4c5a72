use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use capture::{CaptureWriter, FrameBlock};
use wire::RawFrame;

use crate::taps::{TapCache, Taps};

/// Bytes of frames that go to the writing thread at once.
const BATCH_BYTES: usize = 256 << 10;

/// A shard's way to the file of `--write`. A disk that is too slow costs frames of the file, never of the analysis.
pub(super) struct FrameFile {
    batch: FrameBlock,
    to_writer: SyncSender<FrameBlock>,
    dropped: Arc<AtomicU64>,
}

impl FrameFile {
    pub(super) fn push(&mut self, frame: &RawFrame<'_>) {
        self.batch.push(frame);
        if self.batch.bytes() >= BATCH_BYTES {
            let batch = std::mem::take(&mut self.batch);
            let frames = batch.len() as u64;
            if self.to_writer.try_send(batch).is_err() {
                self.dropped.fetch_add(frames, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for FrameFile {
    /// The rest is waited for: nothing is captured any more.
    fn drop(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let frames = batch.len() as u64;
        if frames > 0 && self.to_writer.send(batch).is_err() {
            self.dropped.fetch_add(frames, Ordering::Relaxed);
        }
    }
}

/// The thread that writes the file.
pub(super) struct Writer {
    thread: JoinHandle<Result<(), capture::Error>>,
    dropped: Arc<AtomicU64>,
}

/// Opens the file; the thread is started later, when privileges are given up.
pub(super) fn open(path: &Path) -> Result<CaptureWriter, capture::Error> {
    CaptureWriter::new(path)
}

/// Starts the writing thread and gives every shard its way to it.
pub(super) fn start(
    writer: CaptureWriter,
    taps: Arc<Taps>,
    shards: usize,
    queue_bytes: usize,
) -> std::io::Result<(Writer, Vec<FrameFile>)> {
    let (to_writer, batches) = sync_channel((queue_bytes / BATCH_BYTES).max(1));
    let dropped = Arc::new(AtomicU64::new(0));
    let file =
        || FrameFile { batch: FrameBlock::default(), to_writer: to_writer.clone(), dropped: dropped.clone() };
    let files = (0..shards).map(|_| file()).collect();
    let thread =
        std::thread::Builder::new().name("write".into()).spawn(move || write(writer, &batches, taps))?;
    Ok((Writer { thread, dropped }, files))
}

fn write(
    mut writer: CaptureWriter,
    batches: &Receiver<FrameBlock>,
    taps: Arc<Taps>,
) -> Result<(), capture::Error> {
    let mut taps = TapCache::new(taps);
    for batch in batches {
        for frame in batch.frames() {
            writer.write(&frame, taps.name(frame.tap))?;
        }
    }
    writer.finish()
}

impl Writer {
    /// Waits until everything is written; the shards must have ended. Returns the frames that were left out.
    pub(super) fn finish(self) -> anyhow::Result<u64> {
        let Ok(result) = self.thread.join() else {
            anyhow::bail!("the thread that writes the capture file ended unexpectedly")
        };
        result?;
        Ok(self.dropped.load(Ordering::Relaxed))
    }
}
