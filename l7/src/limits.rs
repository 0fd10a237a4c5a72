//! Limits of conversations.

use std::time::Duration;

/// Longest value of a header field that is kept, in bytes.
pub(crate) const LONGEST_VALUE: usize = 1024;

/// Limits of one conversation: what is kept until a message is understood, and until a
/// request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// Bytes of one direction kept until a message head is whole; counted as `Table::MessageHeads`.
    pub head_bytes: u32,
    /// Requests that wait for a response; counted as `Table::PendingRequests`.
    pub pending: u32,
    /// Bytes that no protocol recognises before the conversation is left alone.
    pub undecided_bytes: u32,
    /// Parse errors before the conversation is left alone.
    pub failures: u32,
    /// Servers of which it is remembered what they speak, as a hint for their next connections;
    /// counted as `Table::KnownServers`. With 0, each connection is looked at by
    /// itself, whatever came before.
    pub known_servers: u32,
    /// Whether literal values in SQL statements and keys of caches are kept; otherwise they are
    /// masked. Credentials never are.
    pub literals: bool,
    /// Wait for a response on TCP.
    pub stream_wait: Duration,
    /// Wait for a response on UDP.
    pub datagram_wait: Duration,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            head_bytes: 64 * 1024,
            pending: 1024,
            undecided_bytes: 1024 * 1024,
            failures: 16,
            known_servers: 4096,
            literals: false,
            stream_wait: Duration::from_secs(120),
            datagram_wait: Duration::from_secs(15),
        }
    }
}
