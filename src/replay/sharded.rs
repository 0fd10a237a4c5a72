//! One thread reads, N threads analyse, one writes. Work goes round in epochs: the reader deals some frames out to all shards,
//! each returns what it found in them, and the writer puts the findings of an epoch in order before it takes the next.
//! Every queue is bounded, so reading waits for analysing and analysing for writing.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::anyhow;
use wire::decode::shard_hash;
use wire::{RawFrame, Timestamp};

use super::feed::{Read, Stage, feed};
use super::filter::Filters;
use super::found::{Collector, Found, Place};
use super::merge::Merge;
use super::recorder::Recorder;
use super::stage::{Plan, Shard};
use crate::batch::{Event, FrameBatch};
use crate::output::Captured;

/// Frames of an epoch, and their bytes.
const EPOCH_FRAMES: usize = 16_384;
const EPOCH_BYTES: usize = 8 << 20;
/// Epochs that wait in each queue.
const WAITING: usize = 2;

type FoundOfEpoch = Vec<(Place, Found)>;

/// Deals frames out to shards.
struct Dealer {
    batches: Vec<FrameBatch>,
    shards: Vec<SyncSender<FrameBatch>>,
    frames: usize,
    bytes: usize,
    going: bool,
}

impl Dealer {
    fn deal(&mut self) {
        self.frames = 0;
        self.bytes = 0;
        for (batch, shard) in self.batches.iter_mut().zip(&self.shards) {
            self.going &= shard.send(std::mem::take(batch)).is_ok();
        }
    }
}

impl Stage for Dealer {
    fn frame(&mut self, number: u64, frame: &RawFrame<'_>) {
        let index = (shard_hash(frame) % self.batches.len() as u64) as usize;
        if let Some(batch) = self.batches.get_mut(index) {
            batch.push(number, frame);
        }
        self.frames += 1;
        self.bytes += frame.bytes.len();
        if self.frames >= EPOCH_FRAMES || self.bytes >= EPOCH_BYTES {
            self.deal();
        }
    }

    fn tick(&mut self, number: u64, now: Timestamp) {
        for batch in &mut self.batches {
            batch.push_tick(number, now);
        }
    }

    fn go_on(&mut self) -> bool {
        self.going
    }
}

/// Analyses batches until there are no more, or nobody wants the findings.
fn analyse(
    mut shard: Shard<Collector>,
    batches: &Receiver<FrameBatch>,
    out: &SyncSender<FoundOfEpoch>,
) -> Captured {
    for batch in batches {
        for event in batch.iter() {
            match event {
                Event::Frame(number, frame) => shard.frame(number, &frame),
                Event::Tick(number, now) => shard.tick(number, now),
            }
        }
        if out.send(std::mem::take(&mut shard.finds().found)).is_err() {
            break;
        }
    }
    let Collector { found: rest, counts, .. } = shard.finish();
    // Without a writer there is nobody to tell; it has its own reason to stop.
    let _ = out.send(rest);
    counts
}

/// Replays with `threads` analyzers. Returns what was read, the counts of all analyzers, and what became of writing.
pub(super) fn replay(
    merge: &mut Merge,
    filters: &mut Filters,
    plan: &Plan,
    threads: usize,
    recorder: &mut Recorder,
    stop: &AtomicBool,
    progress: impl FnMut(&Merge, &Read) + Send,
) -> (Read, Vec<Captured>, anyhow::Result<()>) {
    thread::scope(|scope| {
        let mut shards = Vec::with_capacity(threads);
        let mut outputs = Vec::with_capacity(threads);
        let mut handles = Vec::with_capacity(threads);
        for index in 0..threads {
            let (batches, receiver) = sync_channel(WAITING);
            let (out, output) = sync_channel(WAITING);
            let shard = Shard::new(plan, Collector::new(plan.wanted, index == 0));
            handles.push(scope.spawn(move || analyse(shard, &receiver, &out)));
            shards.push(batches);
            outputs.push(output);
        }
        let reader = scope.spawn(move || {
            let batches = (0..threads).map(|_| FrameBatch::default()).collect();
            let mut dealer = Dealer { batches, shards, frames: 0, bytes: 0, going: true };
            let read = feed(merge, filters, &mut dealer, stop, progress);
            dealer.deal();
            read
        });
        let mut result = write(&outputs, recorder);
        drop(outputs);
        let counts = handles.into_iter().filter_map(|handle| handle.join().ok()).collect::<Vec<_>>();
        if counts.len() < threads {
            result =
                result.and(Err(anyhow!("an analyzer thread ended unexpectedly; please report this capture")));
        }
        let read = reader.join().unwrap_or_else(|_| {
            result = Err(anyhow!("the reading thread ended unexpectedly; please report this capture"));
            Read::default()
        });
        (read, counts, result)
    })
}

/// Takes one epoch after the other from all shards, until all are done.
fn write(outputs: &[Receiver<FoundOfEpoch>], recorder: &mut Recorder) -> anyhow::Result<()> {
    loop {
        let mut epoch = FoundOfEpoch::new();
        let mut any = false;
        for output in outputs {
            if let Ok(found) = output.recv() {
                any = true;
                epoch.extend(found);
            }
        }
        if !any {
            return Ok(());
        }
        recorder.record(&mut epoch)?;
    }
}
