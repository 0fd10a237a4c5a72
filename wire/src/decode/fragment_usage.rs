//! Counters of IP fragments.

/// What the table of fragments holds, and what became of datagrams since the decoder was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FragmentUsage {
    /// Datagrams that wait for fragments (those given up because of an overlap included, until they
    /// time out).
    pub datagrams: usize,
    /// Bytes allocated for their fragments.
    pub bytes: usize,
    /// Datagrams put together.
    pub reassembled: u64,
    /// Datagrams given up for a limit.
    pub evicted: u64,
    /// Datagrams given up because fragments did not come in time.
    pub timed_out: u64,
    /// Fragments refused: overlaps, contradictions, repetitions.
    pub refused: u64,
}

impl FragmentUsage {
    /// Bytes that a waiting datagram takes besides its fragments: its entries in two tables.
    const ENTRY: usize = 320;

    /// Memory of all that waits, in bytes.
    pub const fn memory(&self) -> usize {
        self.bytes + self.datagrams * Self::ENTRY
    }

    /// Datagrams given up, for whichever reason.
    pub const fn given_up(&self) -> u64 {
        self.evicted + self.timed_out
    }
}
