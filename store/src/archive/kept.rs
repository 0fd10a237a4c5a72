//! Finished traces, in memory or in a file.

use std::path::Path;

use super::database::Database;
use super::memory::Memory;
use super::query::Query;
use crate::config::StoreConfig;
use crate::error::Error;
use crate::model::{Trace, TraceId};
use crate::services::{ServiceEdge, service_map};

/// Finished traces.
#[derive(Debug)]
pub struct Archive(Kept);

#[derive(Debug)]
enum Kept {
    Memory(Memory),
    Database(Database),
}

impl Archive {
    /// Opens the file of a store for reading, also while another process writes to it.
    ///
    /// # Errors
    /// If there is no such file, or it is no trace store of a known layout.
    pub fn read_only(path: &Path) -> Result<Self, Error> {
        Database::read_only(path).map(|database| Self(Kept::Database(database)))
    }

    pub(crate) fn open(config: &StoreConfig) -> Result<Self, Error> {
        Ok(Self(match &config.path {
            Some(path) => Kept::Database(Database::create(path)?),
            None => Kept::Memory(Memory::new(config.max_memory_traces)),
        }))
    }

    pub(crate) fn keep(&mut self, traces: &[Trace], now_ns: u64, config: &StoreConfig) -> Result<u64, Error> {
        match &mut self.0 {
            Kept::Memory(memory) => Ok(memory.keep(traces, now_ns, config.max_age)),
            Kept::Database(database) => database.keep(traces, now_ns, config.max_age, config.max_bytes),
        }
    }

    /// Traces that fit `query`, the newest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn traces(&self, query: &Query) -> Result<Vec<Trace>, Error> {
        match &self.0 {
            Kept::Memory(memory) => Ok(memory.find(query)),
            Kept::Database(database) => database.find(query),
        }
    }

    /// The trace of this id.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn trace(&self, id: &TraceId) -> Result<Option<Trace>, Error> {
        Ok(self.with_prefix(&id.to_string(), 1)?.pop())
    }

    /// The trace whose id starts with `prefix` (hexadecimal digits).
    ///
    /// # Errors
    /// If several do, or the file cannot be read.
    pub fn trace_by_prefix(&self, prefix: &str) -> Result<Option<Trace>, Error> {
        let prefix = prefix.to_ascii_lowercase();
        if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let mut found = self.with_prefix(&prefix, 2)?;
        // Several roots that carried the same `traceparent` are one id: the newest is meant.
        if found.len() > 1 && found.first().map(|t| t.trace_id) != found.last().map(|t| t.trace_id) {
            return Err(Error::AmbiguousPrefix(prefix));
        }
        found.truncate(1);
        Ok(found.pop())
    }

    /// Who calls whom, over the traces that fit `query`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn services(&self, query: &Query) -> Result<Vec<ServiceEdge>, Error> {
        Ok(service_map(&self.traces(query)?))
    }

    fn with_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<Trace>, Error> {
        match &self.0 {
            Kept::Memory(memory) => Ok(memory.with_prefix(prefix, limit)),
            Kept::Database(database) => database.with_prefix(prefix, limit),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match &self.0 {
            Kept::Memory(memory) => memory.bytes(),
            Kept::Database(database) => database.bytes().unwrap_or(0),
        }
    }
}
