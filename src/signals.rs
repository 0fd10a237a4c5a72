//! SIGINT and SIGTERM: requests to end in order. SIGHUP is one only where it says that the terminal
//! is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use anyhow::{Context, anyhow};
use tokio::runtime::Runtime;
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

/// What SIGHUP means to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnHangup {
    /// The terminal is gone, as for any command.
    Stop,
    /// The same where there is a terminal that can be gone. Without one somebody means "reload",
    /// and systemd takes an end by SIGHUP for success and does not restart the service.
    StopWithTerminal,
}

/// The signals, caught from the moment this exists.
#[derive(Debug)]
pub(crate) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` if the process was started with SIGHUP ignored, as by nohup(1): it stays ignored.
    hangup: Option<Signal>,
    stops_on_hangup: bool,
}

impl StopSignals {
    /// Begins to catch; needs a tokio runtime around it.
    pub(crate) fn listen(on_hangup: OnHangup) -> std::io::Result<Self> {
        let hangup = match ignores_hangup() {
            true => None,
            false => Some(signal(SignalKind::hangup())?),
        };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup,
            stops_on_hangup: on_hangup == OnHangup::Stop || has_controlling_terminal(),
        })
    }

    /// Waits for the next one that asks for the end.
    pub(crate) async fn next(&mut self) -> StopSignal {
        loop {
            let hangup = async {
                match &mut self.hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = self.interrupt.recv() => return StopSignal::Interrupt,
                _ = self.terminate.recv() => return StopSignal::Terminate,
                _ = hangup => if self.stops_on_hangup { return StopSignal::Hangup },
            }
            tracing::warn!(
                "SIGHUP: the configuration is read at the start only; restart to apply changes"
            );
        }
    }
}

/// Whether this process has a terminal that can send it SIGHUP by going away (tty(4)).
fn has_controlling_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// Whether SIGHUP is ignored, by the mask that proc(5) calls SigIgn.
fn ignores_hangup() -> bool {
    const SIGHUP: u32 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (SIGHUP - 1)) != 0
}

/// Sets `stop` at the first signal, for commands without an event loop; a second one ends the
/// process at once.
pub(crate) fn set_on_signal(stop: &Arc<AtomicBool>) -> anyhow::Result<()> {
    let flag = stop.clone();
    watch(OnHangup::Stop, move |runtime, signals| {
        runtime.block_on(signals.next());
        flag.store(true, Ordering::Relaxed);
        exit_on_next(runtime, signals);
    })
}

/// Ends the process at once at the next signal: for an orderly end that takes too long.
pub(crate) fn exit_on_signal(on_hangup: OnHangup) -> anyhow::Result<()> {
    watch(on_hangup, exit_on_next)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a second signal is a request not to wait for an orderly end"
)]
fn exit_on_next(runtime: &Runtime, signals: &mut StopSignals) {
    let second = runtime.block_on(signals.next());
    std::process::exit(second.exit_status());
}

/// Starts a thread for `work`, and returns when it catches signals.
fn watch(
    on_hangup: OnHangup,
    work: impl FnOnce(&Runtime, &mut StopSignals) + Send + 'static,
) -> anyhow::Result<()> {
    let (ready, listening) = mpsc::channel();
    let watch = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let started = runtime.and_then(|runtime| {
            let signals = runtime.block_on(async { StopSignals::listen(on_hangup) })?;
            Ok((runtime, signals))
        });
        let (started, result) = match started {
            Ok(started) => (Some(started), Ok(())),
            Err(error) => (None, Err(error)),
        };
        // The thread that started this one waits for the result.
        let _ = ready.send(result);
        if let Some((runtime, mut signals)) = started {
            work(&runtime, &mut signals);
        }
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(watch)
        .context("cannot watch for signals")?;
    listening
        .recv()
        .map_err(|_| anyhow!("cannot watch for signals"))?
        .context("cannot watch for signals")
}
