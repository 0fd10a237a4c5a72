//! The writing side of the archive.

use std::sync::Arc;

use super::file_writer::FileWriter;
use super::memory::Memory;
use super::reader::Reader;
use crate::config::StoreConfig;
use crate::error::Error;
use crate::model::Trace;

/// Where finished traces are kept.
#[derive(Debug)]
pub(crate) enum Archive {
    Memory(Arc<Memory>),
    File(FileWriter),
}

impl Archive {
    pub(crate) fn open(config: &StoreConfig) -> Result<Self, Error> {
        // SQLite's own name of a database in memory has no file that a reader could open.
        Ok(match &config.path {
            Some(path) if path.as_os_str() != ":memory:" => Self::File(FileWriter::create(path)?),
            _ => Self::Memory(Arc::new(Memory::new(config.max_memory_traces))),
        })
    }

    /// Keeps `traces`; returns how many older ones were removed for age or size.
    pub(crate) fn insert(
        &mut self,
        traces: &[Arc<Trace>],
        now_ns: u64,
        config: &StoreConfig,
    ) -> Result<u64, Error> {
        match self {
            Self::Memory(memory) => Ok(memory.insert(traces, now_ns, config.max_age)),
            Self::File(file) => file.insert(traces, now_ns, config.max_age, config.max_bytes),
        }
    }

    /// A reader of what is kept here.
    pub(crate) fn reader(&self) -> Result<Reader, Error> {
        match self {
            Self::Memory(memory) => Ok(Reader::of_memory(memory.clone())),
            Self::File(file) => Reader::open(file.path()),
        }
    }

    /// Memory that it uses, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Memory(memory) => memory.bytes(),
            Self::File(file) => file.bytes().unwrap_or(0),
        }
    }
}
