//! `wirespan replay`: captures to records. Everything but reading is a function of the input, so
//! the same files give the same output, for any number of threads.

mod block_output;
mod deal;
mod direct;
mod filter;
mod input;
mod merge;
mod order;
mod pause;
mod progress;
mod rotated;
mod sharded;
mod single;
mod totals;

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use metrics::{Format, Metrics, Names};
use store::{Store, StoreConfig};
use wire::SourceError;

use self::filter::Filters;
use self::merge::Merge;
use self::totals::InputTotals;
use crate::cli::{Output, ReplayArgs};
use crate::config::{Settings, Sources};
use crate::failure::Failure;
use crate::names::{self, NameRegistry};
use crate::output::{Captured, Summary};
use crate::pipeline::{Recorder, ShardConfig, SpanRecords, Wanted, random_seed, write_summary};
use crate::taps::Taps;
use crate::{config, signals};

/// Runs the command. `quiet` leaves the summary on standard error out.
pub(crate) fn execute(args: &ReplayArgs, quiet: bool) -> anyhow::Result<()> {
    let environment = Sources::process_environment();
    let settings =
        config::load(&Sources { file: args.config.as_deref(), environment, flags: Vec::new() })?;
    let taps = Arc::new(Taps::default());
    let (files, expression) = match args.filter.expression() {
        Some(expression) => (&args.files[..], Some(expression)),
        None => filter::split_arguments(&args.files)?,
    };
    let mut filters = Filters::new(expression)?;
    let stop = Arc::new(AtomicBool::new(false));
    let files = input::open(files, &taps, &stop)?;
    let mut merge = Merge::new(files, args.rotated, taps.clone());
    let emit = args.emit();
    let store = open_store(args, &settings, emit.traces)?;
    let metrics =
        args.metrics_out.as_ref().map(|_| Arc::new(Metrics::new(settings.metrics.clone())));
    let names = Arc::new(NameRegistry::new(taps.clone(), false));
    // One thread would use what it remembers of a server, another would not have it.
    let requests = analyzer::RequestLimits { known_servers: 0, ..settings.analyzer.requests };
    let config = ShardConfig {
        // Figures are read at the end only.
        analyzer: analyzer::Config {
            hash_seed: random_seed(),
            progress: false,
            requests,
            ..settings.analyzer.clone()
        },
        wanted: Wanted { flows: emit.flows, exchanges: emit.spans || store.is_some() },
        metrics: metrics.clone().map(|metrics| (metrics, names as Arc<dyn Names>)),
    };
    let jsonl = args.output == Output::Jsonl;
    let spans =
        if emit.traces && jsonl { SpanRecords::WithTraces } else { SpanRecords::WithExchanges };
    let mut recorder = Recorder::new(args.output, emit, spans, taps.clone(), store);
    if let Some(metrics) = &metrics {
        recorder = recorder.counting_calls(metrics.clone());
    }
    signals::set_on_signal(&stop)?;

    // Rows that come while the input goes on would be mixed with the bar.
    let rows = merge.is_live() && std::io::stdout().is_terminal();
    let bar = progress::bar(!args.no_progress && !quiet && !rows, merge.progress().1);
    let progress = |merge: &Merge, totals: &InputTotals| {
        bar.set_position(merge.progress().0);
        bar.set_message(crate::output::count(totals.captured, "packet"));
    };
    let (totals, counts, result) = if args.threads == 1 {
        let (totals, counts, result) =
            single::replay(&mut merge, &mut filters, &config, &mut recorder, &stop, progress);
        (totals, vec![counts], result)
    } else {
        let threads = args.threads;
        let recorder = &mut recorder;
        sharded::replay(&mut merge, &mut filters, &config, threads, recorder, &stop, progress)
    };
    bar.finish_and_clear();
    result?;

    let store = finish(recorder)?;
    let mut summary = summarize(&totals, &counts);
    add_files(&mut summary, &merge, &taps);
    if let Some(store) = &store {
        summary.add_store(&store.counters());
    }
    write_summary(args.output, emit, &summary)?;
    if let (Some(path), Some(metrics)) = (&args.metrics_out, &metrics) {
        update_metrics(metrics, &totals, &taps, store.as_ref());
        for (tap, drops) in merge.drops_by_tap() {
            metrics.add_capture_drops(&tap_name(&taps, tap), drops);
        }
        write_metrics(path, metrics)?;
    }
    if !quiet {
        summary.print();
    }
    end(merge, stop.load(Ordering::Relaxed))
}

/// Writes what is left: rows that wait, and traces that were not complete.
fn finish(mut recorder: Recorder) -> anyhow::Result<Option<Store>> {
    recorder.write_rows()?;
    let traces = recorder.finish_traces()?;
    recorder.write_traces(&traces)?;
    recorder.flush()?;
    Ok(recorder.into_store())
}

/// The store of `--store`, or one in memory where traces are written.
fn open_store(
    args: &ReplayArgs,
    settings: &Settings,
    traces: bool,
) -> anyhow::Result<Option<Store>> {
    if args.store.is_none() && !traces {
        return Ok(None);
    }
    let config = StoreConfig { path: args.store.clone(), ..settings.store.clone() };
    Ok(Some(Store::open(config).map_err(Failure::runtime)?))
}

fn summarize(totals: &InputTotals, counts: &[Captured]) -> Summary {
    let mut summary = Summary {
        packets: totals.analysed,
        bytes: totals.bytes,
        captured: totals.captured,
        filtered: totals.captured - totals.analysed,
        link_types: totals
            .unsupported
            .iter()
            .map(|(number, n)| (wire::LinkType::from_number(*number).to_string(), *n))
            .collect(),
        duration_ns: totals.first.map_or(0, |first| totals.last.nanos_since(first)),
        ..Summary::default()
    };
    for counts in counts {
        summary.add(counts);
    }
    summary
}

/// Adds what is known of the files as such.
fn add_files(summary: &mut Summary, merge: &Merge, taps: &Taps) {
    summary.continued_files = merge.continued() as u64;
    for (tap, drops) in merge.drops_by_tap() {
        summary.lost_at(tap_name(taps, tap), drops);
    }
}

fn tap_name(taps: &Taps, tap: wire::TapId) -> String {
    taps.get(tap).map_or_else(String::new, |tap| tap.name.clone())
}

fn update_metrics(metrics: &Metrics, totals: &InputTotals, taps: &Taps, store: Option<&Store>) {
    for (id, &(packets, bytes)) in (0..).zip(&totals.by_tap) {
        // A file that continues another has a tap without frames.
        if packets > 0
            && let Some(tap) = taps.get(wire::TapId(id))
        {
            metrics.add_captured(&tap.name, packets, bytes);
        }
    }
    if let Some(store) = store {
        names::count_joins(metrics, &store.counters(), &store::Counters::default());
    }
}

fn write_metrics(path: &Path, metrics: &Metrics) -> anyhow::Result<()> {
    let text = metrics.encode(Format::Prometheus);
    if path == Path::new("-") {
        return std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())
            .context("standard output");
    }
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

/// Fails with the worst of what kept files from being read to their end; a pipe that was stopped
/// inside of a record is no failure.
fn end(merge: Merge, stopped: bool) -> anyhow::Result<()> {
    let failures = merge.into_failed();
    let failures =
        failures.iter().filter(|e| !(stopped && matches!(e, SourceError::CutShort { .. })));
    let failures: Vec<Failure> = failures.map(input::unreadable).collect();
    let Some(status) =
        failures.iter().map(|failure| failure.status).min_by_key(|status| *status as u8)
    else {
        return Ok(());
    };
    Err(Failure { status, lines: failures.into_iter().flat_map(|failure| failure.lines).collect() }
        .into())
}
