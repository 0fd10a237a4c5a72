//! SIGINT and SIGTERM ask for an orderly end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use anyhow::{Context, anyhow};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Both signals, caught from the moment this exists.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to catch; needs a tokio runtime around it.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one, and says which it was.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// Sets `stop` at either signal, for commands without an event loop; a second signal ends the process at once.
#[expect(clippy::disallowed_methods, reason = "who asks twice does not want to wait for an orderly end")]
pub(crate) fn set_when_asked(stop: &Arc<AtomicBool>) -> anyhow::Result<()> {
    let flag = stop.clone();
    let (ready, listening) = mpsc::channel();
    let watch = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let started = runtime.and_then(|runtime| {
            let signals = runtime.block_on(async { Signals::listen() })?;
            Ok((runtime, signals))
        });
        let (started, result) = match started {
            Ok(started) => (Some(started), Ok(())),
            Err(error) => (None, Err(error)),
        };
        // Who started this thread waits for the answer.
        let _ = ready.send(result);
        if let Some((runtime, mut signals)) = started {
            runtime.block_on(signals.next());
            flag.store(true, Ordering::Relaxed);
            let again = runtime.block_on(signals.next());
            std::process::exit(if again == "SIGINT" { 130 } else { 143 });
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(watch).context("cannot watch for signals")?;
    listening.recv().map_err(|_| anyhow!("cannot watch for signals"))?.context("cannot watch for signals")
}
