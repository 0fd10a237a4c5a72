//! Configuration of a store.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of a [`Store`](crate::Store). Every limit is finite; what it costs is counted in
/// [`Counters`](crate::Counters).
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// SQLite file to keep traces in; none keeps them in memory.
    pub path: Option<PathBuf>,
    /// Name of this node, as hops carry it.
    pub node: String,
    /// Largest size of the file in bytes; the oldest traces go first.
    pub max_bytes: u64,
    /// Largest age of a kept trace.
    pub max_age: Duration,
    /// Traces kept where there is no file.
    pub max_memory_traces: usize,
    /// Whether trace headers on the wire may join calls.
    pub use_headers: bool,
    /// How late a kernel record or an observation at another tap may come and still be put in its
    /// place.
    pub settle: Duration,
    /// How long nothing must have been added to a trace before it counts as complete.
    pub quiet: Duration,
    /// How long a call waits for the call that caused it.
    pub max_wait: Duration,
    /// Largest difference of the start of one exchange at two taps.
    pub merge_window: Duration,
    /// The same for datagrams, which have no sequence numbers.
    pub datagram_window: Duration,
    /// Kernel records that wait to be put in order of time.
    pub max_unordered_records: usize,
    /// Kernel records of all sockets that wait for their exchange.
    pub max_records: usize,
    /// Kernel records of one socket and direction that wait for their exchange.
    pub max_records_per_socket: usize,
    /// Sockets remembered.
    pub max_sockets: usize,
    /// Threads whose received messages are remembered, and processes whose courses are.
    pub max_threads: usize,
    /// Calls of traces that are not complete yet; of requests that processes have in hand, twice
    /// as many are remembered.
    pub max_calls: usize,
    /// Calls in one trace.
    pub max_calls_per_trace: usize,
    /// Levels of calls in one trace, at most 48.
    pub max_depth: usize,
    /// Names of control groups remembered.
    pub max_cgroups: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            path: None,
            node: String::new(),
            max_bytes: 256 << 20,
            max_age: Duration::from_secs(24 * 3600),
            max_memory_traces: 4_000,
            use_headers: true,
            settle: Duration::from_millis(300),
            quiet: Duration::from_secs(2),
            max_wait: Duration::from_secs(60),
            merge_window: Duration::from_secs(5),
            datagram_window: Duration::from_secs(2),
            max_unordered_records: 1 << 16,
            max_records: 1 << 16,
            max_records_per_socket: 1024,
            max_sockets: 1 << 16,
            max_threads: 1 << 16,
            max_calls: 20_000,
            max_calls_per_trace: 10_000,
            max_depth: 32,
            max_cgroups: 1 << 16,
        }
    }
}
