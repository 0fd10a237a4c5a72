//! Memory and counters of an analyzer.

/// What an [`Analyzer`](crate::Analyzer) holds at the moment. Bytes are estimates: allocated
/// capacity without the allocator's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Flows in the table.
    pub flows: usize,
    /// Bytes that wait for holes in streams, with what each waiting segment is counted for.
    pub reassembly_bytes: usize,
    /// Requests that wait for a response.
    pub pending_requests: u64,
    /// Bytes of all flows: figures, unacknowledged segments, histograms, conversations with the
    /// heads, requests and parsers that they keep.
    pub flow_bytes: usize,
    /// Bytes of datagrams that wait for fragments, with the table that holds them.
    pub fragment_bytes: usize,
    /// Bytes of the table that finds them.
    pub table_bytes: usize,
}
