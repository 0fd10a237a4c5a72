//! `wirespan run`: taps this node's interfaces until it is stopped.
//!
//! Set-up opens everything that takes rights, then gives the rights up, then starts threads: one
//! for each shard, one that owns the store, one each for records of system calls, for interfaces,
//! and for the capture file. The first thread becomes the control plane: signals, HTTP, the
//! watchdog. At the end the threads are joined in the order in which data passes them.

mod capture_thread;
mod cgroup_names;
mod control;
mod frame_file;
mod interfaces;
mod outlet;
mod process;
mod records;
mod setup;
mod source;
mod store_thread;
mod threads;

use std::time::Duration;

use anyhow::Context;
use sd_notify::NotifyState;

use self::control::End;
use self::setup::Ready;
use self::threads::Threads;
use crate::cli::{Output, RunArgs};
use crate::config::Privileges;
use crate::failure::Failure;
use crate::http::{self, Api};
use crate::pipeline::write_summary;
use crate::signals::{OnHangup, StopSignals, exit_on_signal};

/// Runs the command. `quiet` leaves the summary on standard error out.
pub(crate) fn execute(args: &RunArgs, quiet: bool) -> anyhow::Result<()> {
    let settings = setup::settings(args)?;
    let ready = setup::open(args, &settings)?;
    let Ready { listener, plan, reader, .. } = &ready;
    let listener = listener.try_clone().context("the listening socket")?;
    let reader = reader.clone();
    if settings.pipeline.privileges == Privileges::Drop {
        plan.drop_rest()
            .map_err(|error| Failure::runtime(format!("cannot give up capabilities: {error}")))?;
    }
    // One thread is enough for signals and scrapes; others, started as needed, run queries.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_start(threads::lower_priority)
        .build()
        .context("the control plane")?;
    let duration = args.duration.map(Duration::from_secs_f64);
    let stall = settings.pipeline.stall;
    let (end, threads) = runtime.block_on(async {
        let signals =
            StopSignals::listen(OnHangup::StopWithTerminal).context("cannot watch for signals")?;
        let threads = Threads::start(ready, &settings, args.emit())?;
        let shared = threads.shared().clone();
        let api = Api::new(shared.clone(), reader, &settings);
        let server = tokio::spawn(http::serve(listener, api, settings.http.clone()));
        // Without systemd this fails, and nothing depends on it.
        let _ = sd_notify::notify(&[NotifyState::Ready]);
        let end = control::wait(&shared, signals, duration, stall).await;
        server.abort();
        anyhow::Ok((end, threads))
    })?;
    // The end waits for whoever reads standard output; a second signal does not.
    exit_on_signal(OnHangup::StopWithTerminal)?;
    // A query that still runs is not waited for.
    runtime.shutdown_background();
    match end {
        End::Signal(signal) => tracing::info!("stopped by {}", signal.as_str()),
        End::Duration => tracing::info!("the given time is over"),
        End::Failure => tracing::debug!("stopped by a failure"),
    }
    let (summary, result) = threads.finish();
    let written = write_summary(Output::Jsonl, args.emit(), &summary);
    if !quiet {
        summary.print();
    }
    result?;
    Ok(written?)
}
