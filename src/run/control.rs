//! The control loop of a run: waits for its end, feeds the watchdog, measures the process.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::live::Shared;
use crate::signals::{StopSignal, StopSignals};

/// Time between two rounds of housekeeping, unless the watchdog needs a shorter one.
const ROUND: Duration = Duration::from_secs(5);

/// Why a run ends.
#[derive(Debug)]
pub(super) enum End {
    /// The process got a signal.
    Signal(StopSignal),
    /// The time that `--duration` gave is over.
    Duration,
    /// A thread failed and stopped all others.
    Failure,
}

/// Waits for the end of the run; meanwhile feeds the watchdog and adds the process's figures to the
/// metrics.
pub(super) async fn wait(
    shared: &Arc<Shared>,
    mut signals: StopSignals,
    duration: Option<Duration>,
    stall: Duration,
) -> End {
    let over = async {
        match duration {
            Some(duration) => sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    let end = tokio::select! {
        signal = signals.next() => End::Signal(signal),
        () = over => End::Duration,
        () = housekeeping(shared, stall) => End::Failure,
    };
    // Without systemd this fails, and nothing depends on it.
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    end
}

/// Returns only when a thread has stopped the run.
async fn housekeeping(shared: &Arc<Shared>, stall: Duration) {
    let watchdog = sd_notify::watchdog_enabled();
    let round = watchdog.map_or(ROUND, |limit| ROUND.min(limit / 3));
    let mut tick = interval(round.max(Duration::from_millis(100)));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = interval(Duration::from_millis(100));
    let mut cpu = 0.0;
    let mut was_stalled = false;
    loop {
        tokio::select! {
            _ = stop.tick() => if shared.stopping() { return },
            _ = tick.tick() => {
                cpu = report_process(shared, cpu);
                let stalled = !shared.stalled(stall).is_empty();
                if stalled && !was_stalled {
                    tracing::error!("capture made no progress for {} s", stall.as_secs());
                }
                was_stalled = stalled;
                if watchdog.is_some() && !stalled {
                    let _ = sd_notify::notify(&[NotifyState::Watchdog]);
                }
            }
        }
    }
}

/// Adds to the metrics what the process and its analyzers use; returns the seconds of processor
/// time used so far.
fn report_process(shared: &Shared, cpu_before: f64) -> f64 {
    let (mut flows, mut tables, mut reassembly, mut fragments) = (0, 0, 0, 0);
    for shard in &shared.shards {
        let usage = *shard.usage.lock().unwrap_or_else(PoisonError::into_inner);
        flows += usage.flow_bytes as u64;
        tables += usage.table_bytes as u64;
        reassembly += usage.reassembly_bytes as u64;
        fragments += usage.fragment_bytes as u64;
    }
    shared.metrics.set_memory("flows", flows);
    shared.metrics.set_memory("flow_tables", tables);
    shared.metrics.set_memory("reassembly", reassembly);
    shared.metrics.set_memory("fragments", fragments);
    let (cpu, resident) = super::process::usage().unwrap_or((cpu_before, 0));
    shared.metrics.update_process(cpu - cpu_before, resident);
    cpu
}
