//! SIGINT and SIGTERM: requests to end in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use anyhow::{Context, anyhow};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A signal that requests the end of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopSignal {
    Interrupt,
    Terminate,
}

impl StopSignal {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }

    /// Exit status of a process that the signal ended: 128 and its number, as shells have it.
    const fn exit_status(self) -> i32 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Both signals, caught from the moment this exists.
#[derive(Debug)]
pub(crate) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// Begins to catch; needs a tokio runtime around it.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
        }
    }
}

/// Sets `stop` at either signal, for commands without an event loop; a second signal ends the
/// process at once.
#[expect(clippy::disallowed_methods, reason = "a second signal is a request not to wait for an orderly end")]
pub(crate) fn set_on_signal(stop: &Arc<AtomicBool>) -> anyhow::Result<()> {
    let flag = stop.clone();
    let (ready, listening) = mpsc::channel();
    let watch = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let started = runtime.and_then(|runtime| {
            let signals = runtime.block_on(async { StopSignals::listen() })?;
            Ok((runtime, signals))
        });
        let (started, result) = match started {
            Ok(started) => (Some(started), Ok(())),
            Err(error) => (None, Err(error)),
        };
        // The thread that started this one waits for the result.
        let _ = ready.send(result);
        if let Some((runtime, mut signals)) = started {
            runtime.block_on(signals.next());
            flag.store(true, Ordering::Relaxed);
            let second = runtime.block_on(signals.next());
            std::process::exit(second.exit_status());
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(watch).context("cannot watch for signals")?;
    listening.recv().map_err(|_| anyhow!("cannot watch for signals"))?.context("cannot watch for signals")
}
