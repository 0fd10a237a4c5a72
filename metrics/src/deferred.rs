//! What ended before the names of its two ends were known: a process is named by its system calls,
//! which are read a little later than its packets.

use fact::FlowRecord;

use crate::edge_key::EdgeKey;
use crate::tally::Sample;

/// An exchange or a closed flow that waits for names.
#[derive(Debug)]
pub(crate) enum Deferred {
    Exchange { key: EdgeKey, operation: String, sample: Sample },
    FlowClosed(Box<FlowRecord>),
}

/// What waits for names, for one to two intervals between flushes.
#[derive(Debug, Default)]
pub(crate) struct DeferredQueue {
    /// Since before the last flush.
    old: Vec<Deferred>,
    /// Since the last flush.
    new: Vec<Deferred>,
}

impl DeferredQueue {
    /// Most entries; further ones do not wait and are counted as `unknown`.
    const MAX: usize = 8_192;

    pub(crate) fn is_full(&self) -> bool {
        self.old.len() + self.new.len() >= Self::MAX
    }

    pub(crate) fn push(&mut self, deferred: Deferred) {
        self.new.push(deferred);
    }

    /// Removes what has waited for a whole interval.
    pub(crate) fn take_due(&mut self) -> Vec<Deferred> {
        std::mem::replace(&mut self.old, std::mem::take(&mut self.new))
    }
}
