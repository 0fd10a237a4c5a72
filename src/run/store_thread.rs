//! The thread that owns the store: it joins what arrives, and writes records as they are made.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use store::{Counters, Store, Trace};
use wire::{Timestamp, invariant};

use crate::clock::{self, Stopwatch};
use crate::live::{Shared, StoreMessage, StoreReceiver};
use crate::names;
use crate::pipeline::Recorder;

/// Time between two ticks of the store.
const TICK: Duration = Duration::from_millis(200);

pub(super) struct StoreThread {
    recorder: Recorder,
    shared: Arc<Shared>,
    /// What the metrics already have of the store's counters.
    reported: Counters,
}

impl StoreThread {
    /// `recorder` owns the store.
    pub(super) fn new(recorder: Recorder, shared: Arc<Shared>) -> Self {
        Self { recorder, shared, reported: Counters::default() }
    }

    /// Works until all senders are gone, then completes the traces.
    pub(super) fn run(mut self, receiver: &StoreReceiver) -> anyhow::Result<Counters> {
        let mut since_tick = Stopwatch::start();
        loop {
            // Where messages wait, the store's time is not that of the clock: what they tell would
            // come too late.
            let now = match receiver.recv_timeout(TICK) {
                Ok((sent, message)) => {
                    self.on_message(message)?;
                    sent
                }
                Err(RecvTimeoutError::Timeout) => clock::now(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if since_tick.elapsed() >= TICK {
                since_tick = Stopwatch::start();
                self.on_tick(now)?;
            }
        }
        let complete = self.recorder.finish_traces();
        self.on_complete(complete)?;
        self.recorder.flush()?;
        Ok(self.recorder.store().map_or_else(Counters::default, Store::counters))
    }

    fn on_message(&mut self, message: StoreMessage) -> anyhow::Result<()> {
        if let StoreMessage::Facts(facts) = message {
            return Ok(facts.into_iter().try_for_each(|fact| self.recorder.record(fact))?);
        }
        let Some(store) = self.recorder.store_mut() else {
            invariant!("the recorder of a run has a store");
            return Ok(());
        };
        match message {
            StoreMessage::Facts(_) => {}
            StoreMessage::SocketRecords(records) => {
                records.iter().for_each(|record| store.add_sock_io(record));
            }
            StoreMessage::Cgroup(id, name) => store.add_cgroup(id, name),
        }
        Ok(())
    }

    fn on_tick(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let complete = self.recorder.tick(now);
        self.on_complete(complete)?;
        self.recorder.flush()?;
        if let Some(store) = self.recorder.store() {
            let (metrics, now) = (&self.shared.metrics, store.counters());
            names::count_joins(metrics, &now, &self.reported);
            let before = self.reported.evictions.by_table();
            for ((table, count), (_, before)) in now.evictions.by_table().into_iter().zip(before) {
                if count > before {
                    metrics.add_evictions(table, count - before);
                }
            }
            metrics.set_memory("store", store.bytes());
            self.reported = now;
        }
        Ok(())
    }

    /// A store that cannot write loses traces, and the run goes on. Standard output that cannot be
    /// written ends the run.
    fn on_complete(&mut self, traces: Result<Vec<Arc<Trace>>, store::Error>) -> anyhow::Result<()> {
        match traces {
            Ok(traces) => {
                self.recorder.write_traces(&traces)?;
            }
            Err(error) => tracing::error!("traces were lost: {error}"),
        }
        Ok(())
    }
}
