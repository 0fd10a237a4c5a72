//! What the first bytes of a connection are, and how what they tell is named.

/// Keys of what a preamble tells, as OpenTelemetry names them: the address of a client behind a
/// proxy, and of the server that it asked for.
pub(super) mod key {
    pub(in super::super) const CLIENT_ADDRESS: &str = "client.address";
    pub(in super::super) const CLIENT_PORT: &str = "client.port";
    pub(in super::super) const SERVER_ADDRESS: &str = "server.address";
    pub(in super::super) const SERVER_PORT: &str = "server.port";
    pub(in super::super) const KIND: &str = "wirespan.preamble";
}

/// What the first bytes of a direction are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PreambleStep {
    /// So many are of a preamble. What follows is shown here again.
    Consumed(usize),
    /// So many are of a preamble, and the `skip` that come next.
    Skip { consumed: usize, skip: u64 },
    /// They may be of one. They are shown again with more behind them, or when the other direction
    /// told.
    Wait,
    /// The other direction waited for these, of which so many are of the preamble.
    Release(usize),
    /// They are of the connection's own protocol.
    None,
}
