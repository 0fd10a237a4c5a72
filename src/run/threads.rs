//! Starts the threads of a run, and joins them in the order in which data passes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, anyhow};
use metrics::Metrics;
use store::Counters;
use wire::Source;

use super::capture_thread::{CaptureReport, CaptureThread};
use super::frame_file::{self, FrameFile, FrameFileThread};
use super::interfaces;
use super::outlet::StoreOutlet;
use super::records::{self, RecordsReport};
use super::setup::Ready;
use super::source::SkippedFrames;
use super::store_thread::StoreThread;
use crate::cli::{EmitSet, Output};
use crate::clock::Stopwatch;
use crate::config::Settings;
use crate::live::{ShardState, Shared, StoreSender, store_channel};
use crate::names::NameRegistry;
use crate::output::Summary;
use crate::pipeline::{Recorder, Shard, ShardConfig, SpanRecords, Wanted, random_seed};
use crate::taps::Taps;

/// The threads of a run.
pub(super) struct Threads {
    shared: Arc<Shared>,
    store_sender: StoreSender,
    shards: Vec<JoinHandle<CaptureReport>>,
    records: Option<JoinHandle<RecordsReport>>,
    interfaces: JoinHandle<()>,
    store: JoinHandle<anyhow::Result<Counters>>,
    frame_file: Option<FrameFileThread>,
    skipped: Vec<Arc<SkippedFrames>>,
    /// Set once no shard analyses frames any more, for which records may come until then.
    captured_all: Arc<AtomicBool>,
    started: Stopwatch,
}

impl Threads {
    /// Starts all threads.
    pub(super) fn start(ready: Ready, settings: &Settings, emit: EmitSet) -> anyhow::Result<Self> {
        let Ready { taps, sources, watch, events, skipped, records, mut store, writer, .. } = ready;
        let count = sources.len();
        let shared = shared_state(settings, &taps, records.is_some(), count);
        store.set_workloads(shared.names.clone());
        let (store_sender, receiver) = store_channel(settings.pipeline.queue_facts);
        let store = thread("store", &shared, {
            let (shared, taps) = (shared.clone(), taps.clone());
            move || {
                lower_priority();
                let spans = SpanRecords::WithTraces;
                let recorder = Recorder::new(Output::Jsonl, emit, spans, taps, Some(store))
                    .counting_calls(shared.metrics.clone());
                let result = StoreThread::new(recorder, shared.clone()).run(&receiver);
                if result.is_err() {
                    shared.request_stop();
                }
                result
            }
        })?;
        let (frame_file, files) = match writer {
            Some(writer) => {
                let queue = settings.pipeline.write_queue_bytes;
                let (thread, files) = frame_file::start(writer, taps, count, queue)
                    .context("cannot start a thread")?;
                (Some(thread), files.into_iter().map(Some).collect::<Vec<_>>())
            }
            None => (None, (0..count).map(|_| None).collect()),
        };
        let captured_all = Arc::new(AtomicBool::new(false));
        let records = records
            .map(|records| {
                let (state, sender, until) =
                    (shared.clone(), store_sender.clone(), captured_all.clone());
                thread("records", &shared, move || records::read(records, &sender, &state, &until))
            })
            .transpose()?;
        let sources = sources.into_iter().zip(files).collect();
        let shards = start_shards(sources, settings, emit, &shared, &store_sender)?;
        let interfaces = thread("interfaces", &shared, {
            let shared = shared.clone();
            move || interfaces::watch(watch, &events, &shared)
        })?;
        Ok(Self {
            shared,
            store_sender,
            shards,
            records,
            interfaces,
            store,
            frame_file,
            skipped,
            captured_all,
            started: Stopwatch::start(),
        })
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Ends all threads in the order in which data passes them, so that everything seen so far
    /// comes out.
    pub(super) fn finish(self) -> (Summary, anyhow::Result<()>) {
        self.shared.request_stop();
        let mut summary = Summary::default();
        let mut result = Ok(());
        let mut failed = |error: anyhow::Error| {
            if result.is_ok() {
                result = Err(error);
            }
        };
        for shard in self.shards {
            match shard.join() {
                Ok(report) => {
                    add(&mut summary, &report);
                    if let Some(error) = report.failed {
                        failed(error.into());
                    }
                }
                Err(_) => failed(anyhow!("a capturing thread ended unexpectedly")),
            }
        }
        for (reason, packets) in self.skipped.iter().flat_map(|skipped| skipped.by_reason()) {
            summary.skipped_by(reason, packets);
        }
        self.captured_all.store(true, Ordering::Relaxed);
        if let Some(records) = self.records {
            match records.join() {
                Ok(report) => {
                    summary.system_calls = report.read;
                    summary.dropped_by("system_calls_by_kernel", report.dropped_by_kernel);
                    summary.dropped_by("system_calls_by_queue", report.dropped_by_queue);
                }
                Err(_) => {
                    failed(anyhow!("the thread that records system calls ended unexpectedly"))
                }
            }
        }
        // The last sender: the thread ends when it has received everything.
        drop(self.store_sender);
        match self.store.join() {
            Ok(Ok(counters)) => {
                summary.add_store(&counters);
            }
            Ok(Err(error)) => failed(error),
            Err(_) => failed(anyhow!("the thread that keeps the store ended unexpectedly")),
        }
        match self.frame_file.map(FrameFileThread::finish).transpose() {
            Ok(dropped) => summary.dropped_by("capture_file_queue", dropped.unwrap_or(0)),
            Err(error) => failed(error),
        }
        if self.interfaces.join().is_err() {
            failed(anyhow!("the thread that watches interfaces ended unexpectedly"));
        }
        summary.duration_ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        (summary, result)
    }
}

fn shared_state(
    settings: &Settings,
    taps: &Arc<Taps>,
    names_come_later: bool,
    shards: usize,
) -> Arc<Shared> {
    let metrics = Arc::new(Metrics::new(settings.metrics.clone()));
    // A scrape may come before anything was measured.
    for part in ["flows", "flow_tables", "reassembly", "fragments", "store"] {
        metrics.set_memory(part, 0);
    }
    metrics.set_memory("rings", settings.ring_bytes());
    let shard = || ShardState::new(settings.pipeline.flows_listed);
    Arc::new(Shared {
        taps: taps.clone(),
        names: Arc::new(NameRegistry::new(taps.clone(), names_come_later)),
        metrics,
        shards: std::iter::repeat_with(shard).take(shards).collect(),
        stop: false.into(),
        started: Stopwatch::start(),
    })
}

/// Starts a capturing thread for each source.
fn start_shards(
    sources: Vec<(Box<dyn Source>, Option<FrameFile>)>,
    settings: &Settings,
    emit: EmitSet,
    shared: &Arc<Shared>,
    store_sender: &StoreSender,
) -> anyhow::Result<Vec<JoinHandle<CaptureReport>>> {
    let config = ShardConfig {
        analyzer: analyzer::Config { hash_seed: random_seed(), ..settings.analyzer.clone() },
        wanted: Wanted { exchanges: true, flows: emit.flows },
        metrics: Some((shared.metrics.clone(), shared.names.clone())),
    };
    let count = sources.len();
    let stop = shared.clone();
    let start = |(index, (source, file))| {
        let (shared, sender) = (shared.clone(), store_sender.clone());
        let batch = settings.pipeline.batch_facts;
        let outlet = StoreOutlet::new(shared.clone(), index, sender, batch);
        let shard = Shard::new(&config, outlet);
        let capture = CaptureThread { index, count, source, shard, file, shared };
        thread(&format!("shard{index}"), &stop, move || capture.run())
    };
    sources.into_iter().enumerate().map(start).collect()
}

fn add(summary: &mut Summary, report: &CaptureReport) {
    summary.packets += report.packets;
    summary.bytes += report.bytes;
    summary.captured += report.packets + report.drops.kernel + report.drops.failed;
    summary.lost(report.drops);
    summary.dropped_by("facts_by_queue", report.facts_dropped);
    summary.add(&report.counts);
}

/// Starts a thread; if it panics, the run ends, and joining the thread tells.
fn thread<T: Send + 'static>(
    name: &str,
    shared: &Arc<Shared>,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<JoinHandle<T>> {
    let stop = StopOnPanic(shared.clone());
    let work = move || {
        let _stop = stop;
        work()
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(work).context("cannot start a thread")
}

/// Stops the run where the thread that holds it panics.
struct StopOnPanic(Arc<Shared>);

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.request_stop();
        }
    }
}

/// Puts the calling thread, which joins calls or runs a query, behind the services of the node:
/// where the processors are busy, the store drops and counts what it cannot take, and the measures
/// of the shards stay complete. Linux keeps this value for each thread (setpriority(2), "C
/// library/kernel differences").
pub(super) fn lower_priority() {
    const NICE: i32 = 5;
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!("the store and queries keep their priority: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_panics_ends_the_run() {
        let shared = shared_state(&Settings::default(), &Arc::default(), false, 0);
        let well = thread("well", &shared, || 1).expect("a thread starts");
        assert_eq!(well.join().expect("it ends well"), 1);
        assert!(!shared.stopping());
        let broken = thread("broken", &shared, || panic!("as the test wants")).expect("starts");
        assert!(broken.join().is_err());
        assert!(shared.stopping());
    }
}
