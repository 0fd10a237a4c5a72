//! `wirespan replay`: captures to records. Everything but reading is a function of the input, so the same files give the same
//! output, for any number of threads.

mod deal;
mod direct;
mod feed;
mod filter;
mod found;
mod gather;
mod input;
mod merge;
mod progress;
mod recorder;
mod sharded;
mod stage;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use metrics::{Format, Metrics, Names};
use store::{Store, StoreConfig};
use wire::SourceError;

use self::direct::Direct;
use self::feed::{Read, feed};
use self::filter::Filters;
use self::found::Wanted;
use self::merge::Merge;
use self::recorder::Recorder;
use self::stage::{Plan, Shard, Single};
use crate::cli::ReplayArgs;
use crate::config::{Settings, Sources};
use crate::failure::Failure;
use crate::output::{Captured, Summary};
use crate::taps::Taps;
use crate::{config, names, signals};

/// Runs the command. `quiet` leaves the summary on standard error out.
pub(crate) fn execute(args: &ReplayArgs, quiet: bool) -> anyhow::Result<()> {
    let environment = Sources::process_environment();
    let settings = config::load(&Sources { file: args.config.as_deref(), environment, flags: Vec::new() })?;
    let taps = Arc::new(Taps::default());
    let mut filters = Filters::new(args.filter.expression())?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut merge = Merge::new(input::open(&args.files, &taps, &stop)?);
    let emit = args.emit();
    let store = open_store(args, &settings, emit.traces)?;
    let metrics = args.metrics_out.as_ref().map(|_| Arc::new(Metrics::new(settings.metrics.clone())));
    let names: Arc<dyn Names> = Arc::new(names::Known::new(taps.clone(), false));
    // What one thread learns of a server another would not know.
    let requests = analyzer::RequestLimits { known_servers: 0, ..settings.analyzer.requests };
    let plan = Plan {
        // Nobody looks before the end.
        analyzer: analyzer::Config { progress: false, requests, ..settings.analyzer.clone() },
        wanted: Wanted { flows: emit.flows, exchanges: emit.spans || store.is_some() },
        metrics: metrics.clone().map(|metrics| (metrics, names)),
    };
    let mut recorder = Recorder::new(args.output, emit, taps.clone(), store);
    signals::set_when_asked(&stop)?;

    let bar = progress::bar(!args.no_progress && !quiet, merge.progress().1);
    let progress = |merge: &Merge, read: &Read| {
        bar.set_position(merge.progress().0);
        bar.set_message(crate::output::count(read.captured, "packet"));
    };
    let (read, counts, result) = match args.threads {
        1 => single(&mut merge, &mut filters, &plan, &mut recorder, &stop, progress),
        threads => sharded::replay(&mut merge, &mut filters, &plan, threads, &mut recorder, &stop, progress),
    };
    bar.finish_and_clear();
    result?;

    let summary = summarize(&read, &counts);
    let store = recorder.finish(&summary)?;
    if let (Some(path), Some(metrics)) = (&args.metrics_out, &metrics) {
        tell_metrics(metrics, &read, &taps, store.as_ref());
        write_metrics(path, metrics)?;
    }
    if !quiet {
        summary.print();
    }
    end(merge, stop.load(Ordering::Relaxed))
}

fn single(
    merge: &mut Merge,
    filters: &mut Filters,
    plan: &Plan,
    recorder: &mut Recorder,
    stop: &AtomicBool,
    progress: impl FnMut(&Merge, &Read),
) -> (Read, Vec<Captured>, anyhow::Result<()>) {
    let mut single = Single(Shard::new(plan, Direct::new(recorder, plan.wanted)));
    let read = feed(merge, filters, &mut single, stop, progress);
    let (counts, result) = single.finish();
    (read, vec![counts], result)
}

/// The store of `--store`, or one in memory where traces are asked for.
fn open_store(args: &ReplayArgs, settings: &Settings, traces: bool) -> anyhow::Result<Option<Store>> {
    if args.store.is_none() && !traces {
        return Ok(None);
    }
    let config = StoreConfig { path: args.store.clone(), ..settings.store.clone() };
    Ok(Some(Store::open(config)?))
}

fn summarize(read: &Read, counts: &[Captured]) -> Summary {
    let mut summary = Summary {
        packets: read.analysed,
        bytes: read.bytes,
        captured: read.captured,
        filtered: read.captured - read.analysed,
        duration_ns: read.first.map_or(0, |first| read.last.nanos_since(first)),
        ..Summary::default()
    };
    for found in counts {
        summary.add(found);
    }
    summary
}

fn tell_metrics(metrics: &Metrics, read: &Read, taps: &Taps, store: Option<&Store>) {
    for (id, &(packets, bytes)) in (0..).zip(&read.by_tap) {
        if let Some(tap) = taps.get(wire::TapId(id)) {
            metrics.captured(&tap.name, packets, bytes);
        }
    }
    if let Some(store) = store {
        names::tell_joins(metrics, &store.counters(), &store::Counters::default());
    }
}

fn write_metrics(path: &Path, metrics: &Metrics) -> anyhow::Result<()> {
    let text = metrics.encode(Format::Prometheus);
    if path == Path::new("-") {
        return std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()).context("standard output");
    }
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

/// Ends well, or with the worst of what kept files from being read to their end; not that of a pipe which was stopped inside of a
/// record.
fn end(merge: Merge, stopped: bool) -> anyhow::Result<()> {
    let failures = merge.into_failed();
    let failures = failures.iter().filter(|e| !(stopped && matches!(e, SourceError::CutShort { .. })));
    let failures: Vec<Failure> = failures.map(input::unreadable).collect();
    let Some(status) = failures.iter().map(|failure| failure.status).min_by_key(|status| *status as u8)
    else {
        return Ok(());
    };
    Err(Failure { status, lines: failures.into_iter().flat_map(|failure| failure.lines).collect() }.into())
}
