use std::time::Duration;

/// Longest value of a header field that is kept, in bytes.
pub(super) const LONGEST_VALUE: usize = 1024;

/// Bounds of one conversation. What each costs is counted where it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of one direction kept until a head is whole; counted as `Table::MessageHeads`.
    pub(crate) head_bytes: u32,
    /// Requests that wait for a response; counted as `Table::PendingRequests`.
    pub(crate) pending_requests: u32,
    /// Bytes that no protocol recognises before the conversation is left alone.
    pub(crate) undecided_bytes: u32,
    /// Parse errors before the conversation is left alone.
    pub(crate) failures: u32,
    /// Servers of which it is remembered what they speak; counted as `Table::KnownServers`.
    pub(crate) known_servers: u32,
    /// Literal values in statements and keys are kept instead of masked.
    pub(crate) literals: bool,
    /// Wait for a response on TCP.
    pub(crate) stream_wait: Duration,
    /// Wait for a response on UDP.
    pub(crate) datagram_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 64 * 1024,
            pending_requests: 1024,
            undecided_bytes: 1024 * 1024,
            failures: 16,
            known_servers: 4096,
            literals: false,
            stream_wait: Duration::from_secs(120),
            datagram_wait: Duration::from_secs(15),
        }
    }
}
