//! `wirespan run`: taps this node's interfaces until it is stopped.
//!
//! Set-up opens everything that needs rights, then gives the rights up, then starts threads: one for each shard, one that keeps
//! the store, one each for records of system calls, for interfaces, and for the capture file. This thread becomes the control
//! plane: signals, HTTP, the watchdog. At the end the threads are joined in the order in which data passes them.

mod control;
mod emitter;
mod frame_file;
mod interfaces;
mod keeper;
mod outlet;
mod pipeline;
mod process;
mod records;
mod setup;
mod shard;
mod source;

use std::time::Duration;

use anyhow::Context;
use sd_notify::NotifyState;

use self::control::End;
use self::pipeline::Pipeline;
use self::setup::Ready;
use crate::cli::RunArgs;
use crate::failure::Failure;
use crate::http::{self, Api};
use crate::signals::Signals;

/// Runs the command. `quiet` leaves the summary on standard error out.
pub(crate) fn execute(args: &RunArgs, quiet: bool) -> anyhow::Result<()> {
    let settings = setup::settings(args)?;
    let ready = setup::open(args, &settings)?;
    let Ready { listener, plan, .. } = &ready;
    let listener = listener.try_clone().context("the listening socket")?;
    if settings.pipeline.privileges == "drop" {
        plan.drop_rest()
            .map_err(|error| Failure::runtime(format!("cannot give up capabilities: {error}")))?;
    }
    // One thread is enough for signals and scrapes.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("the control plane")?;
    let duration = args.duration.map(Duration::from_secs_f64);
    let stall = settings.pipeline.stall;
    let (end, pipeline) = runtime.block_on(async {
        let signals = Signals::listen().context("cannot watch for signals")?;
        let pipeline = Pipeline::start(ready, &settings, args.emit())?;
        let shared = pipeline.shared().clone();
        let api = Api::new(shared.clone(), pipeline.to_keeper(), &settings);
        let server = tokio::spawn(http::serve(listener, api, settings.http.clone()));
        // Nothing depends on systemd's being there to hear it.
        let _ = sd_notify::notify(&[NotifyState::Ready]);
        let end = control::wait(&shared, signals, duration, stall).await;
        server.abort();
        anyhow::Ok((end, pipeline))
    })?;
    drop(runtime);
    match end {
        End::Signal(name) => tracing::info!("stopped by {name}"),
        End::Duration => tracing::info!("the given time is over"),
        End::Failure => tracing::debug!("stopped by a failure"),
    }
    let (summary, result) = pipeline.finish();
    let written = emitter::write_summary(args.emit(), &summary);
    if !quiet {
        summary.print();
    }
    result?;
    Ok(written?)
}
