use std::sync::Arc;
use std::thread::JoinHandle;

use analyzer::Analyzer;
use anyhow::{Context, anyhow};
use metrics::{Metered, Metrics};
use store::Counters;

use super::emitter::Emitter;
use super::frame_file::{self, Writer};
use super::interfaces;
use super::keeper::Keeper;
use super::outlet::Outlet;
use super::records::{self, RecordsReport};
use super::setup::Ready;
use super::shard::{Shard, ShardReport};
use super::source::PassedOver;
use crate::cli::EmitSet;
use crate::clock::Stopwatch;
use crate::config::Settings;
use crate::live::{ShardState, Shared};
use crate::live::{ToKeeper, to_keeper};
use crate::names::Known;
use crate::output::Summary;
use crate::taps::TapCache;

/// The threads of a run.
pub(super) struct Pipeline {
    shared: Arc<Shared>,
    to_keeper: ToKeeper,
    shards: Vec<JoinHandle<ShardReport>>,
    records: Option<JoinHandle<RecordsReport>>,
    watcher: JoinHandle<()>,
    keeper: JoinHandle<anyhow::Result<Counters>>,
    writer: Option<Writer>,
    passed_over: Vec<Arc<PassedOver>>,
    started: Stopwatch,
}

impl Pipeline {
    /// Starts all threads.
    pub(super) fn start(ready: Ready, settings: &Settings, emit: EmitSet) -> anyhow::Result<Self> {
        let Ready { taps, sources, watch, news, passed_over, records, store, writer, .. } = ready;
        let count = sources.len();
        let shared = Arc::new(Shared {
            names: Arc::new(Known::new(taps.clone(), records.is_some())),
            metrics: Arc::new(Metrics::new(settings.metrics.clone())),
            shards: (0..count).map(|_| ShardState::new(settings.pipeline.flows_listed)).collect(),
            stop: false.into(),
            started: Stopwatch::start(),
            taps: taps.clone(),
        });
        // A scrape may come before anything was measured.
        for part in ["flows", "flow_tables", "reassembly", "fragments", "store"] {
            shared.metrics.memory(part, 0);
        }
        shared.metrics.memory("rings", settings.ring_bytes());
        let (to_keeper, messages) = to_keeper(settings.pipeline.queue_facts);

        let keeper = thread("store", {
            let (shared, taps) = (shared.clone(), TapCache::new(taps.clone()));
            move || {
                step_back();
                let emitter = Emitter::new(emit);
                let keeper =
                    Keeper { store, emitter, taps, shared: shared.clone(), told: Counters::default() };
                let result = keeper.run(&messages);
                if result.is_err() {
                    shared.ask_to_stop();
                }
                result
            }
        })?;
        let (writer, files) = match writer {
            Some(writer) => {
                let (writer, files) =
                    frame_file::start(writer, taps, count, settings.pipeline.write_queue_bytes)
                        .context("cannot start a thread")?;
                (Some(writer), files.into_iter().map(Some).collect::<Vec<_>>())
            }
            None => (None, (0..count).map(|_| None).collect()),
        };
        let records = records
            .map(|records| {
                let (shared, to_keeper) = (shared.clone(), to_keeper.clone());
                thread("records", move || records::read(records, &to_keeper, &shared))
            })
            .transpose()?;
        let mut shards = Vec::with_capacity(count);
        for (index, (source, file)) in sources.into_iter().zip(files).enumerate() {
            let batch = settings.pipeline.batch_facts;
            let outlet = Outlet::new(shared.clone(), index, to_keeper.clone(), batch, emit.flows);
            let sink = Metered::new(outlet, shared.metrics.clone(), shared.names.clone());
            let analyzer = Analyzer::new(settings.analyzer.clone());
            let shard = Shard { index, count, source, analyzer, sink, file, shared: shared.clone() };
            shards.push(thread(&format!("shard{index}"), move || shard.run())?);
        }
        let watcher = thread("interfaces", {
            let shared = shared.clone();
            move || interfaces::watch(watch, &news, &shared)
        })?;
        Ok(Self {
            shared,
            to_keeper,
            shards,
            records,
            watcher,
            keeper,
            writer,
            passed_over,
            started: Stopwatch::start(),
        })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(super) fn to_keeper(&self) -> ToKeeper {
        self.to_keeper.clone()
    }

    /// Ends all threads in the order in which data passes them, so that everything seen so far comes out.
    pub(super) fn finish(self) -> (Summary, anyhow::Result<()>) {
        self.shared.ask_to_stop();
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
        for (reason, packets) in self.passed_over.iter().flat_map(|passed_over| passed_over.by_reason()) {
            summary.skipped_by(reason, packets);
        }
        if let Some(records) = self.records {
            match records.join() {
                Ok(report) => {
                    summary.system_calls = report.read;
                    summary.dropped_by("system_calls_by_kernel", report.dropped_by_kernel);
                    summary.dropped_by("system_calls_by_queue", report.dropped_by_queue);
                }
                Err(_) => failed(anyhow!("the thread that records system calls ended unexpectedly")),
            }
        }
        // The last sender: the keeper ends when it has taken everything.
        drop(self.to_keeper);
        match self.keeper.join() {
            Ok(Ok(counters)) => {
                summary.traces = counters.traces;
            }
            Ok(Err(error)) => failed(error),
            Err(_) => failed(anyhow!("the thread that keeps the store ended unexpectedly")),
        }
        match self.writer.map(Writer::finish).transpose() {
            Ok(dropped) => summary.dropped_by("capture_file_queue", dropped.unwrap_or(0)),
            Err(error) => failed(error),
        }
        if self.watcher.join().is_err() {
            failed(anyhow!("the thread that watches interfaces ended unexpectedly"));
        }
        summary.duration_ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        (summary, result)
    }
}

fn add(summary: &mut Summary, report: &ShardReport) {
    summary.packets += report.packets;
    summary.bytes += report.bytes;
    summary.captured += report.packets + report.drops.kernel + report.drops.failed;
    summary.lost(report.drops);
    summary.dropped_by("facts_by_queue", report.facts_dropped);
    summary.add(&report.counts);
}

fn thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<JoinHandle<T>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).context("cannot start a thread")
}

/// Lets the services of the node go before the joining of their calls: where the processors are busy, what the store cannot take is
/// dropped and counted, and measures are complete all the same. Linux keeps this for each thread (setpriority(2), "C
/// library/kernel differences").
fn step_back() {
    const BEHIND: i32 = 5;
    if let Err(error) = rustix::process::nice(BEHIND) {
        tracing::debug!("the store keeps its priority: {error}");
    }
}
