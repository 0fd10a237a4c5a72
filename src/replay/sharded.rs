//! One thread reads, N threads analyse, one writes. Work goes round in blocks of the file: the
//! reader assigns each frame of a block to a shard and sends the block to all shards, each returns
//! what it found in its own frames, and the writer puts the facts of a block in order before it
//! takes the next. No frame is copied on its way. Every queue is bounded, so reading waits for
//! analysing and analysing for writing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::anyhow;
use wire::{Timestamp, invariant};

use super::block_output::{BlockOutlet, BlockOutput, OutputItem};
use super::deal::{Dealer, Dealt, DealtItem};
use super::filter::Filters;
use super::merge::Merge;
use super::order::Position;
use super::pause::Pauses;
use super::totals::InputTotals;
use crate::output::Captured;
use crate::pipeline::{Recorder, Shard, ShardConfig};

/// Blocks that wait in each queue.
const QUEUE: usize = 4;

/// The ends of the queues that the reading thread holds.
struct Shards {
    blocks: Vec<SyncSender<Arc<Dealt>>>,
    /// Blocks that all shards have analysed.
    used: Receiver<Dealt>,
}

/// Reads blocks and sends them to the shards, until there are no more or a shard has ended.
fn read(
    merge: &mut Merge,
    mut dealer: Dealer<'_>,
    shards: &Shards,
    stop: &AtomicBool,
    mut progress: impl FnMut(&Merge, &InputTotals),
) -> InputTotals {
    let (mut more, mut wanted) = (true, true);
    let (mut pauses, mut paused) = (Pauses::new(), false);
    while more && wanted {
        let mut dealt = shards.used.try_recv().unwrap_or_default();
        dealt.block.clear();
        // A block without frames carries the news to the writer; then the next is waited for.
        paused = !paused && pauses.is_pause(merge);
        dealt.pause = paused;
        more = paused || !stop.load(Ordering::Relaxed) && merge.next_block(&mut dealt.block);
        dealer.deal(&mut dealt);
        if !more {
            // All analyzers end at the same time, whichever of them had the last frame.
            dealer.end(&mut dealt);
        }
        let dealt = Arc::new(dealt);
        for shard in &shards.blocks {
            wanted &= shard.send(Arc::clone(&dealt)).is_ok();
        }
        progress(merge, dealer.totals());
    }
    dealer.into_totals()
}

/// Analyses the frames of shard `index` in all blocks, until there are no more or the writer has
/// ended.
fn analyse(
    mut shard: Shard<BlockOutlet>,
    index: u16,
    blocks: &Receiver<Arc<Dealt>>,
    used: &SyncSender<Dealt>,
    out: &SyncSender<BlockOutput>,
    written: &Receiver<BlockOutput>,
) -> Captured {
    let mut end = Timestamp::ZERO;
    for dealt in blocks {
        let pause = dealt.pause;
        dealt.visit(index, |number, item| match item {
            DealtItem::Frame(frame) => shard.on_frame(number, &frame),
            DealtItem::Tick(now) => shard.on_tick(number, now),
            DealtItem::End(time) => end = time,
            DealtItem::Packet(packet) => shard.on_packet(number, &packet.get()),
            DealtItem::Undecoded(tap, reason, given_up) => {
                shard.on_undecoded(number, tap, reason, given_up);
            }
        });
        if let Some(dealt) = Arc::into_inner(dealt) {
            // Where enough of them wait already, its memory is freed.
            let _ = used.try_send(dealt);
        }
        // What was written comes back, and its memory is used again by the thread that allocated
        // it.
        let mut next = written.try_recv().unwrap_or_default();
        next.clear();
        let mut found = shard.destination().replace_output(next);
        found.pause = pause;
        if out.send(found).is_err() {
            break;
        }
    }
    let (outlet, counts) = shard.finish(end);
    // A writer that has ended has its own reason, which it returns.
    let _ = out.send(outlet.into_output());
    counts
}

/// Replays with `threads` analyzers. Returns what was read, the counts of facts of each analyzer,
/// and what became of writing.
pub(super) fn replay(
    merge: &mut Merge,
    filters: &mut Filters,
    config: &ShardConfig,
    threads: u16,
    recorder: &mut Recorder,
    stop: &AtomicBool,
    progress: impl FnMut(&Merge, &InputTotals) + Send,
) -> (InputTotals, Vec<Captured>, anyhow::Result<()>) {
    thread::scope(|scope| {
        let (give_back, used) = sync_channel(2 * QUEUE);
        let mut shards = Shards { blocks: Vec::new(), used };
        let mut outputs = Vec::new();
        let mut handles = Vec::new();
        for index in 0..threads {
            let (blocks, receiver) = sync_channel(QUEUE);
            let (out, output) = sync_channel(QUEUE);
            let (done, written) = sync_channel(2 * QUEUE);
            let outlet = BlockOutlet::new(recorder.taps_for_lines(), index == 0);
            let shard = Shard::new(config, outlet);
            let give_back = give_back.clone();
            handles.push(
                scope.spawn(move || analyse(shard, index, &receiver, &give_back, &out, &written)),
            );
            shards.blocks.push(blocks);
            outputs.push((output, done));
        }
        let dealer = Dealer::new(filters, &config.analyzer.decode, threads);
        let reader = scope.spawn(move || read(merge, dealer, &shards, stop, progress));
        let mut result = write(&outputs, recorder);
        drop(outputs);
        let counts =
            handles.into_iter().filter_map(|handle| handle.join().ok()).collect::<Vec<_>>();
        if counts.len() < usize::from(threads) {
            result = result.and(Err(anyhow!(
                "an analyzer thread ended unexpectedly; please report this capture"
            )));
        }
        let totals = reader.join().unwrap_or_else(|_| {
            result =
                Err(anyhow!("the reading thread ended unexpectedly; please report this capture"));
            InputTotals::default()
        });
        (totals, counts, result)
    })
}

/// Takes one block after the other from all shards, until all are done, and writes what was found
/// in it in order.
fn write(
    outputs: &[(Receiver<BlockOutput>, SyncSender<BlockOutput>)],
    recorder: &mut Recorder,
) -> anyhow::Result<()> {
    let mut order: Vec<(Position, usize, usize)> = Vec::new();
    loop {
        let mut block: Vec<Option<BlockOutput>> =
            outputs.iter().map(|(output, _)| output.recv().ok()).collect();
        if block.iter().all(Option::is_none) {
            return Ok(());
        }
        if block.iter().flatten().any(|output| output.pause) {
            recorder.show()?;
        }
        order.clear();
        for (shard, output) in block.iter().enumerate() {
            let positions = output.iter().flat_map(BlockOutput::positions).enumerate();
            order.extend(positions.map(|(index, position)| (position, shard, index)));
        }
        order.sort_unstable();
        for &(_, shard, index) in &order {
            match block.get_mut(shard).and_then(|output| output.as_mut()?.take(index)) {
                Some(OutputItem::Line(line)) => recorder.write_lines(line)?,
                Some(OutputItem::Fact(fact)) => recorder.record(fact)?,
                Some(OutputItem::Tick(now)) => {
                    let traces = recorder.tick(now)?;
                    recorder.write_traces(&traces)?;
                }
                None => {
                    invariant!("an index that was ordered is the index of an item");
                }
            }
        }
        for (output, (_, done)) in block.iter_mut().zip(outputs) {
            // Where enough of them wait already, its memory is freed.
            let _ = output.take().map(|output| done.try_send(output));
        }
    }
}
