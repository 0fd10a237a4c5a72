//! SIGINT and SIGTERM: requests to end in order. SIGHUP is one only where it says that the terminal is gone.

use std::io::IsTerminal;
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
    /// The terminal that the process was started from is gone.
    Hangup,
}

impl StopSignal {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
        }
    }

    /// Exit status of a process that the signal ended: 128 and its number, as shells have it.
    const fn exit_status(self) -> i32 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Hangup => 129,
        }
    }
}

/// The signals, caught from the moment this exists.
#[derive(Debug)]
pub(crate) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    /// Standard error was a terminal at the start.
    has_terminal: bool,
}

impl StopSignals {
    /// Begins to catch; needs a tokio runtime around it.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            has_terminal: std::io::stderr().is_terminal(),
        })
    }

    /// Waits for the next one. A service goes on at SIGHUP: whoever sends it means "reload", and
    /// systemd takes an end by SIGHUP for success and does not restart the service.
    pub(crate) async fn next(&mut self) -> StopSignal {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return StopSignal::Interrupt,
                _ = self.terminate.recv() => return StopSignal::Terminate,
                _ = self.hangup.recv() => if self.has_terminal { return StopSignal::Hangup },
            }
            tracing::warn!("SIGHUP: the configuration is read at the start only; restart to apply changes");
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
