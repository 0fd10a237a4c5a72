//! The store as its owner sees it: facts and records in, finished traces out.

use std::sync::Arc;

use fact::Exchange;
use wire::{SockIo, Tap, Timestamp};

use crate::archive::{Archive, Reader};
use crate::config::StoreConfig;
use crate::counters::Counters;
use crate::error::Error;
use crate::joiner::Joiner;
use crate::model::Trace;
use crate::workloads::Workloads;

/// Joins what is added to it into traces, and keeps them.
#[derive(Debug)]
pub struct Store {
    joiner: Joiner,
    archive: Archive,
    config: StoreConfig,
    now: Timestamp,
    pruned: u64,
}

impl Store {
    /// A store that keeps its traces in the file of `config`, else in memory.
    ///
    /// # Errors
    /// If the file cannot be opened, or is no trace store of a known layout.
    pub fn open(config: StoreConfig) -> Result<Self, Error> {
        let archive = Archive::open(&config)?;
        Ok(Self {
            joiner: Joiner::new(config.clone()),
            archive,
            config,
            now: Timestamp::ZERO,
            pruned: 0,
        })
    }

    /// Sets name and kind of a tap; without, hops are named by its number.
    pub fn add_tap(&mut self, tap: Tap) {
        self.joiner.add_tap(tap);
    }

    /// Sets the name of a control group (container, unit); without, processes carry its number.
    pub fn add_cgroup(&mut self, id: u64, name: String) {
        self.joiner.add_cgroup(id, name);
    }

    /// Sets who names the workloads of calls; without, they have none.
    pub fn set_workloads(&mut self, workloads: Arc<dyn Workloads>) {
        self.joiner.set_workloads(workloads);
    }

    /// Adds an exchange as one tap saw it; each tap's is to be added.
    pub fn add_exchange(&mut self, exchange: Box<Exchange>) {
        self.joiner.add_exchange(exchange);
    }

    /// Adds what a process did to a socket. May come before or after the exchange, and out of order
    /// within [`StoreConfig::settle`].
    pub fn add_sock_io(&mut self, io: &SockIo) {
        self.joiner.add_sock_io(io);
    }

    /// Goes on to the time `now`, which never goes back; to be called several times a second.
    /// Returns the traces that became complete, after they were kept.
    ///
    /// # Errors
    /// If the file cannot be written; the traces are lost then, and the store may be used further.
    pub fn tick(&mut self, now: Timestamp) -> Result<Vec<Arc<Trace>>, Error> {
        self.now = self.now.max(now);
        let traces = self.joiner.tick(now);
        self.keep(traces)
    }

    /// Completes all traces with what is there, as at the end of the input.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(&mut self) -> Result<Vec<Arc<Trace>>, Error> {
        let traces = self.joiner.finish();
        self.keep(traces)
    }

    fn keep(&mut self, traces: Vec<Arc<Trace>>) -> Result<Vec<Arc<Trace>>, Error> {
        if !traces.is_empty() {
            let latest = traces.iter().map(|trace| trace.root.end_unix_ns).max().unwrap_or(0);
            let now = self.now.as_nanos().max(if self.now == Timestamp::ZERO { latest } else { 0 });
            self.pruned += self.archive.insert(&traces, now, &self.config)?;
        }
        Ok(traces)
    }

    /// A reader of the kept traces, which may be used while the store is.
    ///
    /// # Errors
    /// If the file cannot be opened once more.
    pub fn reader(&self) -> Result<Reader, Error> {
        self.archive.reader()
    }

    /// What it did and what its limits cost.
    pub fn counters(&self) -> Counters {
        Counters { pruned: self.pruned, ..self.joiner.counters }
    }

    /// Estimate of the memory that it uses, in bytes.
    pub fn bytes(&self) -> u64 {
        self.joiner.bytes() + self.archive.bytes()
    }
}
