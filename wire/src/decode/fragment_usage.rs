/// What the table of fragments holds, and what became of datagrams since the decoder was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FragmentUsage {
    /// Datagrams that wait for fragments (those given up because of an overlap included, until they time out).
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
