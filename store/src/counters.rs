//! Counters of a store.

/// What the store did and what its limits cost, since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Exchanges taken.
    pub exchanges: u64,
    /// Kernel records taken.
    pub records: u64,
    /// Calls for which at least one process was found.
    pub joined: u64,
    /// Calls for which no process was found.
    pub unmatched: u64,
    /// Calls whose cause was one of several possible.
    pub ambiguous: u64,
    /// Calls in finished traces that are roots although their process had requests in hand.
    pub undecided: u64,
    /// Calls in finished traces.
    pub calls: u64,
    /// Finished traces.
    pub traces: u64,
    /// Kept traces removed for age or size.
    pub pruned: u64,
    /// Kernel records that came after their place in time was passed.
    pub late_records: u64,
    /// Observations whose call was in a finished trace already.
    pub late_observations: u64,
    /// Observations of calls that were seen at too many taps.
    pub excess_observations: u64,
    /// Calls whose parent was in a finished trace already, so that they became roots.
    pub late_children: u64,
    /// Calls that waited in vain for their parent, so that they became roots.
    pub orphans: u64,
    /// Entries that had to go before their time.
    pub evictions: Evictions,
}

/// Entries that had to go before their time, by table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evictions {
    /// Kernel records put in place before they were settled.
    pub unordered_records: u64,
    /// Kernel records that no exchange had asked for.
    pub records: u64,
    /// Sockets.
    pub sockets: u64,
    /// Threads.
    pub threads: u64,
    /// Requests that processes had in hand.
    pub requests: u64,
    /// Calls finished before their trace was quiet.
    pub calls: u64,
    /// Complete traces that no tick asked for.
    pub finished: u64,
    /// Calls cut from their trace because it was too large or too deep.
    pub trace_size: u64,
}

impl Evictions {
    /// Table names, as in metric labels, with their counts.
    pub const fn by_table(&self) -> [(&'static str, u64); 8] {
        [
            ("unordered_records", self.unordered_records),
            ("records", self.records),
            ("sockets", self.sockets),
            ("threads", self.threads),
            ("requests", self.requests),
            ("calls", self.calls),
            ("finished", self.finished),
            ("trace_size", self.trace_size),
        ]
    }
}
