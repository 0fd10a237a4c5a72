//! What went wrong with a TCP connection.

/// What went wrong with a TCP connection, in the one name that explains most. Names are those of
/// flow records and metric labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trouble {
    /// Nothing answered the SYN.
    SynUnanswered,
    /// Nothing answered the SYN/ACK.
    SynAckUnanswered,
    /// RST answered the SYN.
    Refused,
    /// RST of either side between SYN/ACK and the end of the handshake.
    HandshakeAborted,
    /// The server answered the SYN with an ACK of a connection that it still has on these ports.
    StalePeer,
    /// The client completed the handshake and the server did not take it: SYN/ACK came again, or
    /// data was ignored.
    AcceptQueueFull,
    /// Both sides answer each other's ACKs with ACKs.
    AckStorm,
    /// RST after the handshake, before any payload.
    ResetBeforeData,
    /// RST when only one side had sent payload.
    ResetUnanswered,
    /// RST when both sides had sent payload.
    ResetMidway,
    /// RST after one side had sent FIN.
    ResetAfterFin,
    /// One side repeated what it sent, and the other never acknowledged it.
    PeerSilent,
    /// A receive window was closed at the end.
    WindowShut,
    /// One side sent FIN, the other never did.
    HalfClosed,
    /// Nothing but keep-alives was sent.
    KeepAliveOnly,
    /// Nothing at all for the idle time.
    Idle,
    /// Another connection took the ports of this one, which was open.
    PortReused,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Self; 17] = [
        Self::SynUnanswered,
        Self::SynAckUnanswered,
        Self::Refused,
        Self::HandshakeAborted,
        Self::StalePeer,
        Self::AcceptQueueFull,
        Self::AckStorm,
        Self::ResetBeforeData,
        Self::ResetUnanswered,
        Self::ResetMidway,
        Self::ResetAfterFin,
        Self::PeerSilent,
        Self::WindowShut,
        Self::HalfClosed,
        Self::KeepAliveOnly,
        Self::Idle,
        Self::PortReused,
    ];

    /// Name in records and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SynUnanswered => "syn_unanswered",
            Self::SynAckUnanswered => "syn_ack_unanswered",
            Self::Refused => "refused",
            Self::HandshakeAborted => "handshake_aborted",
            Self::StalePeer => "stale_peer",
            Self::AcceptQueueFull => "accept_queue_full",
            Self::AckStorm => "ack_storm",
            Self::ResetBeforeData => "reset_before_data",
            Self::ResetUnanswered => "reset_unanswered",
            Self::ResetMidway => "reset_midway",
            Self::ResetAfterFin => "reset_after_fin",
            Self::PeerSilent => "peer_silent",
            Self::WindowShut => "window_shut",
            Self::HalfClosed => "half_closed",
            Self::KeepAliveOnly => "keep_alive_only",
            Self::Idle => "idle",
            Self::PortReused => "port_reused",
        }
    }
}

/// Uncommon things that a TCP connection did, none of which is a fault by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes(u8);

impl Notes {
    /// Both sides sent a SYN and answered the other's with SYN/ACK (RFC 9293, section 3.5).
    pub const SIMULTANEOUS_OPEN: Self = Self(1);
    /// The server sent its SYN apart from its ACK, and the client answered it with SYN/ACK.
    pub const SPLIT_HANDSHAKE: Self = Self(1 << 1);
    /// The SYN carried data and the server took it (RFC 7413).
    pub const FAST_OPEN: Self = Self(1 << 2);
    /// The SYN carried data and the server acknowledged the SYN only.
    pub const FAST_OPEN_REFUSED: Self = Self(1 << 3);
    /// The connection before on the same ports had ended with FINs a moment ago.
    pub const TIME_WAIT_REUSE: Self = Self(1 << 4);
    /// A RST carried data: an error text, by RFC 9293.
    pub const RESET_WITH_DATA: Self = Self(1 << 5);
    /// Both sides went on after a RST: it was ignored, or not the sender's.
    pub const RESET_IGNORED: Self = Self(1 << 6);
    /// Ten ACKs or more, each of which answers the other side's.
    pub const ACK_STORM: Self = Self(1 << 7);

    const NAMES: [&str; 8] = [
        "simultaneous_open",
        "split_handshake",
        "fast_open",
        "fast_open_refused",
        "time_wait_reuse",
        "reset_with_data",
        "reset_ignored",
        "ack_storm",
    ];

    /// Adds those of `other`.
    pub const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether any of `other` is among them.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Their names in records.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .enumerate()
            .filter(move |(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, name)| name)
    }
}
