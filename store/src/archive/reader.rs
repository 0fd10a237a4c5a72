//! The reading side of the archive.

use std::path::Path;
use std::sync::Arc;

use super::file_reader::FileReader;
use super::memory::Memory;
use super::query::Query;
use crate::error::Error;
use crate::model::{Trace, TraceId};
use crate::services::{ServiceEdge, ServiceMap};

/// Reads kept traces, in any thread and for any time: whoever writes them never waits for it.
///
/// In a file each query reads with a connection of its own what had been committed when the query
/// began; in memory it reads a snapshot of that moment. Clones read the same traces.
#[derive(Clone, Debug)]
pub struct Reader(Source);

#[derive(Clone, Debug)]
enum Source {
    Memory(Arc<Memory>),
    File(Arc<FileReader>),
}

impl Reader {
    /// Opens the file of a store for reading, also while this or another process writes to it.
    ///
    /// # Errors
    /// If there is no such file, or it is no trace store of a known layout.
    pub fn open(path: &Path) -> Result<Self, Error> {
        FileReader::open(path).map(|file| Self(Source::File(Arc::new(file))))
    }

    pub(super) const fn of_memory(memory: Arc<Memory>) -> Self {
        Self(Source::Memory(memory))
    }

    /// Hands the traces that fit `query` to `each`, the newest first. While it runs, a file cannot
    /// shrink its write-ahead log, so `each` should not wait for long.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn for_each(&self, query: &Query, mut each: impl FnMut(Arc<Trace>)) -> Result<(), Error> {
        match &self.0 {
            Source::Memory(memory) => memory.find(query).into_iter().for_each(each),
            Source::File(file) => file.find(query, &mut each)?,
        }
        Ok(())
    }

    /// Traces that fit `query`, the newest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn traces(&self, query: &Query) -> Result<Vec<Arc<Trace>>, Error> {
        let mut traces = Vec::new();
        self.for_each(query, |trace| traces.push(trace))?;
        Ok(traces)
    }

    /// The trace of this id.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn trace(&self, id: &TraceId) -> Result<Option<Arc<Trace>>, Error> {
        Ok(self.with_prefix(&id.to_string(), 1)?.pop())
    }

    /// The trace whose id starts with `prefix` (hexadecimal digits).
    ///
    /// # Errors
    /// If several do, or the file cannot be read.
    pub fn trace_by_prefix(&self, prefix: &str) -> Result<Option<Arc<Trace>>, Error> {
        let prefix = prefix.to_ascii_lowercase();
        if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let mut found = self.with_prefix(&prefix, 2)?;
        // Several roots that carried the same `traceparent` are one id: the newest is meant.
        if found.len() > 1 && found.first().map(|t| t.trace_id) != found.last().map(|t| t.trace_id)
        {
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
        let mut map = ServiceMap::default();
        self.for_each(query, |trace| map.add(&trace))?;
        Ok(map.into_edges())
    }

    /// The newest traces whose id starts with `prefix`, which has lower-case digits only.
    fn with_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<Arc<Trace>>, Error> {
        match &self.0 {
            Source::Memory(memory) => Ok(memory.with_prefix(prefix, limit)),
            Source::File(file) => file.with_prefix(prefix, limit),
        }
    }
}
