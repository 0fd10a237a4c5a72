use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use store::{Counters, Store};

use super::emitter::Emitter;
use crate::clock::{self, Stopwatch};
use crate::live::Shared;
use crate::live::{Kept, Message, Messages};
use crate::names;
use crate::taps::TapCache;

/// Pace at which the store is told that time passes.
const TICK: Duration = Duration::from_millis(200);

/// The thread that keeps the store: it joins what arrives, answers questions, and writes records as they are made.
pub(super) struct Keeper {
    pub(super) store: Store,
    pub(super) emitter: Emitter,
    pub(super) taps: TapCache,
    pub(super) shared: Arc<Shared>,
    pub(super) told: Counters,
}

impl Keeper {
    /// Works until all senders are gone; then completes the traces.
    pub(super) fn run(mut self, messages: &Messages) -> anyhow::Result<Counters> {
        let mut pace = Stopwatch::start();
        loop {
            match messages.next(TICK) {
                Ok(message) => self.take(message)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if pace.elapsed() >= TICK {
                pace = Stopwatch::start();
                self.tick()?;
            }
        }
        let finished = self.store.finish();
        self.finished(finished)?;
        self.emitter.flush()?;
        Ok(self.store.counters())
    }

    fn take(&mut self, message: Message) -> anyhow::Result<()> {
        match message {
            Message::Facts(facts) => {
                for fact in facts {
                    match fact {
                        Kept::Exchange(exchange) => {
                            let (tap, new) = self.taps.get(exchange.tap);
                            if let Some(tap) = tap.filter(|_| new) {
                                self.store.add_tap((**tap).clone());
                            }
                            self.store.add_exchange(exchange);
                        }
                        Kept::Flow(flow) => self.emitter.flow(&flow, self.taps.name(flow.tap))?,
                    }
                }
            }
            Message::Records(records) => records.iter().for_each(|record| self.store.add_sock_io(record)),
            Message::Cgroup(id, name) => self.store.add_cgroup(id, name),
            Message::Ask(question) => question(&self.store),
        }
        Ok(())
    }

    fn tick(&mut self) -> anyhow::Result<()> {
        let finished = self.store.tick(clock::now());
        self.finished(finished)?;
        self.emitter.flush()?;
        let (metrics, now) = (&self.shared.metrics, self.store.counters());
        names::tell_joins(metrics, &now, &self.told);
        for ((table, count), (_, before)) in
            now.evictions.by_table().into_iter().zip(self.told.evictions.by_table())
        {
            if count > before {
                metrics.evicted(table, count - before);
            }
        }
        metrics.memory("store", self.store.bytes());
        self.told = now;
        Ok(())
    }

    /// A store that cannot write loses traces, not the run; a reader of standard output that has gone ends it.
    fn finished(&mut self, traces: Result<Vec<store::Trace>, store::Error>) -> anyhow::Result<()> {
        match traces {
            Ok(traces) => {
                for trace in &traces {
                    names::tell_examples(&self.shared.metrics, &self.shared.names, trace);
                    self.emitter.trace(trace)?;
                }
            }
            Err(error) => tracing::error!("traces were lost: {error}"),
        }
        Ok(())
    }
}
