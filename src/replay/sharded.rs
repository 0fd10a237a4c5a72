//! One thread reads, N threads analyse, one writes. Work goes round in blocks of the file: the reader says for every frame of a block
//! whose it is and shows the block to all shards, each returns what it found in its own frames, and the writer puts the findings of a
//! block in order before it takes the next. No frame is copied on its way. Every queue is bounded, so reading waits for analysing and
//! analysing for writing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::anyhow;

use super::deal::{Dealer, Dealt, What};
use super::feed::Read;
use super::filter::Filters;
use super::found::Place;
use super::gather::{Gathered, Gatherer, Gleaned};
use super::merge::Merge;
use super::recorder::Recorder;
use super::stage::{Plan, Shard};
use crate::output::Captured;

/// Blocks that wait in each queue.
const WAITING: usize = 4;

/// The ends of the queues that the reading thread holds.
struct Shards {
    blocks: Vec<SyncSender<Arc<Dealt>>>,
    /// Blocks that everybody is done with.
    used: Receiver<Dealt>,
}

/// Reads all blocks and shows them to the shards, until there are no more or nobody wants them.
fn read(
    merge: &mut Merge,
    mut dealer: Dealer<'_>,
    shards: &Shards,
    stop: &AtomicBool,
    mut progress: impl FnMut(&Merge, &Read),
) -> Read {
    let (mut more, mut wanted) = (true, true);
    while more && wanted {
        let mut dealt = shards.used.try_recv().unwrap_or_default();
        dealt.block.clear();
        more = !stop.load(Ordering::Relaxed) && merge.next_block(&mut dealt.block);
        dealer.deal(&mut dealt);
        if !more {
            // All analyzers end at the same time, whichever of them had the last frame.
            dealer.end(&mut dealt);
        }
        let dealt = Arc::new(dealt);
        for shard in &shards.blocks {
            wanted &= shard.send(Arc::clone(&dealt)).is_ok();
        }
        progress(merge, dealer.read());
    }
    dealer.into_read()
}

/// Analyses what is its own in blocks until there are no more, or nobody wants the findings.
fn analyse(
    mut shard: Shard<Gatherer>,
    index: u16,
    blocks: &Receiver<Arc<Dealt>>,
    used: &SyncSender<Dealt>,
    out: &SyncSender<Gathered>,
    written: &Receiver<Gathered>,
) -> Captured {
    for dealt in blocks {
        dealt.visit(index, |number, what| match what {
            What::Frame(frame) => shard.frame(number, &frame),
            What::Tick(now) => shard.tick(number, now),
            What::Packet(packet) => shard.packet(number, &packet.get()),
            What::Undecoded(tap, reason, given_up) => shard.undecoded(number, tap, reason, given_up),
        });
        if let Some(dealt) = Arc::into_inner(dealt) {
            // Where there are enough of them, its memory goes.
            let _ = used.try_send(dealt);
        }
        // What was written comes back to be freed, and used again, where it was allocated.
        let mut next = written.try_recv().unwrap_or_default();
        next.clear();
        if out.send(std::mem::replace(&mut shard.finds().gathered, next)).is_err() {
            break;
        }
    }
    let Gatherer { gathered: rest, counts, .. } = shard.finish();
    // Without a writer there is nobody to tell; it has its own reason to stop.
    let _ = out.send(rest);
    counts
}

/// Replays with `threads` analyzers. Returns what was read, the counts of all analyzers, and what became of writing.
pub(super) fn replay(
    merge: &mut Merge,
    filters: &mut Filters,
    plan: &Plan,
    threads: u16,
    recorder: &mut Recorder,
    stop: &AtomicBool,
    progress: impl FnMut(&Merge, &Read) + Send,
) -> (Read, Vec<Captured>, anyhow::Result<()>) {
    thread::scope(|scope| {
        let (give_back, used) = sync_channel(2 * WAITING);
        let mut shards = Shards { blocks: Vec::new(), used };
        let mut outputs = Vec::new();
        let mut handles = Vec::new();
        for index in 0..threads {
            let (blocks, receiver) = sync_channel(WAITING);
            let (out, output) = sync_channel(WAITING);
            let (done, written) = sync_channel(2 * WAITING);
            let gatherer = Gatherer::new(plan.wanted, recorder.only_lines(), index == 0);
            let shard = Shard::new(plan, gatherer);
            let give_back = give_back.clone();
            handles.push(scope.spawn(move || analyse(shard, index, &receiver, &give_back, &out, &written)));
            shards.blocks.push(blocks);
            outputs.push((output, done));
        }
        let dealer = Dealer::new(filters, &plan.analyzer.decode, threads);
        let reader = scope.spawn(move || read(merge, dealer, &shards, stop, progress));
        let mut result = write(&outputs, recorder);
        drop(outputs);
        let counts = handles.into_iter().filter_map(|handle| handle.join().ok()).collect::<Vec<_>>();
        if counts.len() < usize::from(threads) {
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

/// Takes one block after the other from all shards, until all are done, and writes what was found in it in order.
fn write(
    outputs: &[(Receiver<Gathered>, SyncSender<Gathered>)],
    recorder: &mut Recorder,
) -> anyhow::Result<()> {
    let mut order: Vec<(Place, usize, usize)> = Vec::new();
    loop {
        let mut block: Vec<Option<Gathered>> = outputs.iter().map(|(output, _)| output.recv().ok()).collect();
        if block.iter().all(Option::is_none) {
            return Ok(());
        }
        order.clear();
        for (shard, gathered) in block.iter().enumerate() {
            let places = gathered.iter().flat_map(Gathered::places).enumerate();
            order.extend(places.map(|(index, place)| (place, shard, index)));
        }
        order.sort_unstable();
        for &(_, shard, index) in &order {
            match block.get(shard).and_then(|gathered| gathered.as_ref()?.get(index)) {
                Some(Gleaned::Line(line)) => recorder.lines(line)?,
                Some(Gleaned::Found(found)) => recorder.found(found)?,
                None => {}
            }
        }
        for (gathered, (_, done)) in block.iter_mut().zip(outputs) {
            // Where there are enough of them, its memory goes.
            let _ = gathered.take().map(|gathered| done.try_send(gathered));
        }
    }
}
