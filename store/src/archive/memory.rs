//! The latest traces in memory, in a ring that one thread appends to and others take snapshots of.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::query::{Query, services};
use crate::model::Trace;

/// Entries copied under one hold of the lock: counting up 1024 references takes some 10 µs.
const COPIED_AT_ONCE: usize = 1024;

/// The latest traces. The lock is held to append, to remove and to copy references, never while a
/// trace is looked at.
#[derive(Debug)]
pub(crate) struct Memory {
    ring: Mutex<Ring>,
    most: usize,
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Arc<Entry>>,
    /// How many were removed at the front since the beginning.
    removed: usize,
    bytes: u64,
}

#[derive(Debug)]
struct Entry {
    trace: Arc<Trace>,
    /// All that the trace can be found by.
    services: String,
}

impl Memory {
    pub(super) fn new(most: usize) -> Self {
        Self { ring: Mutex::default(), most }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps traces; returns how many older ones were removed.
    pub(super) fn insert(&self, traces: &[Arc<Trace>], now_ns: u64, max_age: Duration) -> u64 {
        let skipped = traces.len().saturating_sub(self.most);
        let new: Vec<_> = traces.iter().skip(skipped).map(Entry::new).collect();
        let oldest = now_ns.saturating_sub(u64::try_from(max_age.as_nanos()).unwrap_or(u64::MAX));
        let mut removed = Vec::new();
        {
            let mut ring = self.ring();
            new.into_iter().for_each(|entry| ring.push(entry));
            while ring.entries.len() > self.most
                || ring.entries.front().is_some_and(|entry| entry.trace.root.end_unix_ns < oldest)
            {
                removed.extend(ring.pop());
            }
        }
        // They are freed here, outside of the lock.
        (skipped + removed.len()) as u64
    }

    /// References to all traces of this moment, the oldest first.
    fn snapshot(&self) -> Vec<Arc<Entry>> {
        let mut copied = Vec::new();
        let mut next = 0;
        loop {
            let ring = self.ring();
            // Others may have been removed since the lock was held last.
            let skip = ring.removed.max(next) - ring.removed;
            let before = copied.len();
            copied.extend(ring.entries.iter().skip(skip).take(COPIED_AT_ONCE).cloned());
            let count = copied.len() - before;
            next = ring.removed + skip + count;
            if count < COPIED_AT_ONCE {
                return copied;
            }
        }
    }

    pub(super) fn find(&self, query: &Query) -> Vec<Arc<Trace>> {
        let service = query.service();
        let fits = |entry: &Arc<Entry>| {
            service.as_ref().is_none_or(|text| entry.services.contains(text.as_str()))
                && entry.trace.root.duration_ns() >= query.min_duration_ns()
                && query.error.is_none_or(|error| error == entry.trace.is_error())
        };
        let mut found = self.snapshot();
        found.retain(fits);
        found.sort_by_key(|entry| Reverse(entry.trace.root.start_unix_ns));
        found.iter().take(query.limit).map(|entry| entry.trace.clone()).collect()
    }

    pub(super) fn with_prefix(&self, prefix: &str, limit: usize) -> Vec<Arc<Trace>> {
        let found = self.snapshot();
        let fits =
            found.iter().rev().filter(|entry| entry.trace.trace_id.to_string().starts_with(prefix));
        fits.take(limit).map(|entry| entry.trace.clone()).collect()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.ring().bytes
    }
}

impl Ring {
    fn push(&mut self, entry: Arc<Entry>) {
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
    }

    fn pop(&mut self) -> Option<Arc<Entry>> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.bytes();
        self.removed += 1;
        Some(entry)
    }
}

impl Entry {
    fn new(trace: &Arc<Trace>) -> Arc<Self> {
        Arc::new(Self { services: services(trace), trace: trace.clone() })
    }

    /// An estimate: the root and its calls with 2 kB each.
    fn bytes(&self) -> u64 {
        2_000 * self.trace.root.children.len() as u64 + 2_000 + self.services.len() as u64
    }
}
