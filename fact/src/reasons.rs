//! States of flows and reasons for their end, with their names in records.

/// State of a flow at the time of its record. Names are those of flow records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FlowState {
    /// Still open when the record was made.
    Open,
    /// Both sides sent FIN and had it acknowledged.
    Closed,
    /// Ended by RST.
    Reset,
    /// One side sent FIN, the other did not.
    HalfClosed,
    /// Never established.
    HandshakeFailed,
    /// Nothing seen for the idle time.
    TimedOut,
}

impl FlowState {
    /// Name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Reset => "reset",
            Self::HalfClosed => "half_closed",
            Self::HandshakeFailed => "handshake_failed",
            Self::TimedOut => "timed_out",
        }
    }
}

/// Why a flow's record was closed. Names are those of flow records and metric labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// FIN from both sides.
    Fin,
    /// RST from the client.
    ClientReset,
    /// RST from the server, after the handshake.
    ServerReset,
    /// RST in answer to the SYN.
    ServerRefused,
    /// SYN without an answer.
    SynUnanswered,
    /// SYN/ACK without an answer.
    SynAckUnanswered,
    /// Nothing seen for the idle time.
    Idle,
    /// The input ended first.
    InputEnd,
    /// A new connection took the same addresses and ports.
    PortReused,
    /// The flow table was full.
    Evicted,
}

impl CloseReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Fin,
        Self::ClientReset,
        Self::ServerReset,
        Self::ServerRefused,
        Self::SynUnanswered,
        Self::SynAckUnanswered,
        Self::Idle,
        Self::InputEnd,
        Self::PortReused,
        Self::Evicted,
    ];

    /// Name in records and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::ClientReset => "client_reset",
            Self::ServerReset => "server_reset",
            Self::ServerRefused => "server_refused",
            Self::SynUnanswered => "syn_unanswered",
            Self::SynAckUnanswered => "syn_ack_unanswered",
            Self::Idle => "idle",
            Self::InputEnd => "input_end",
            Self::PortReused => "port_reused",
            Self::Evicted => "evicted",
        }
    }
}

/// Why a request has no response. Kept as attribute [`Unanswered::KEY`] of its exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unanswered {
    /// The side that should have answered closed the connection, or both did.
    Closed,
    /// The connection was reset.
    Reset,
    /// The wait was over, or no packet came for too long.
    TimedOut,
    /// The input ended, or the program did.
    InputEnd,
    /// Too many requests waited, or too many flows were open: the oldest had to go.
    Displaced,
    /// What follows cannot be read (encrypted, another protocol, or no protocol that is known).
    Unreadable,
    /// The server passed over it, since something before it in the same batch had failed.
    Skipped,
}

impl Unanswered {
    /// Key of the attribute.
    pub const KEY: &'static str = "wirespan.unanswered";

    /// Value of the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Reset => "reset",
            Self::TimedOut => "timed_out",
            Self::InputEnd => "input_end",
            Self::Displaced => "displaced",
            Self::Unreadable => "unreadable",
            Self::Skipped => "skipped",
        }
    }
}

/// What finding out the protocol of a conversation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Inference {
    /// A protocol was recognised by the first bytes.
    Guess,
    /// It was another one: what followed was not of the recognised one.
    Revision,
    /// The conversation is left alone: no protocol recognised enough of its bytes, or they were too
    /// often not what its protocol allows.
    GaveUp,
}

impl Inference {
    /// Every result.
    pub const ALL: [Self; 3] = [Self::Guess, Self::Revision, Self::GaveUp];

    /// Name in metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guess => "guess",
            Self::Revision => "revision",
            Self::GaveUp => "gave_up",
        }
    }
}

/// Bounded tables, for counting what their limits cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Table {
    /// Open flows.
    Flows,
    /// Bytes that wait for a hole in a stream to be filled.
    ReassemblyBytes,
    /// Datagrams that wait for fragments.
    Fragments,
    /// Requests that wait for a response.
    PendingRequests,
    /// Heads of messages larger than the limit.
    MessageHeads,
    /// Servers of which it is remembered what they speak.
    KnownServers,
    /// Networks that a flow came in.
    FlowNetworks,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 7] = [
        Self::Flows,
        Self::ReassemblyBytes,
        Self::Fragments,
        Self::PendingRequests,
        Self::MessageHeads,
        Self::KnownServers,
        Self::FlowNetworks,
    ];

    /// Name in metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flows => "flows",
            Self::ReassemblyBytes => "reassembly_bytes",
            Self::Fragments => "fragments",
            Self::PendingRequests => "pending_requests",
            Self::MessageHeads => "message_heads",
            Self::KnownServers => "known_servers",
            Self::FlowNetworks => "flow_networks",
        }
    }
}
