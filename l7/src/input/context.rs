//! What a conversation knows of its connection.

use wire::{Direction, Endpoint, PerDirection, SeqNum, TapId, Transport};

use crate::input::Health;
use fact::{Connected, FlowId, Unanswered};

/// What every call of a conversation is given; the flow owns it.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The connection.
    pub flow: FlowId,
    /// Where it is seen.
    pub tap: TapId,
    /// What carries it.
    pub transport: Transport,
    /// The end that is taken for the client.
    pub client: Endpoint,
    /// The other end.
    pub server: Endpoint,
    /// The handshake told which end is the client. Otherwise that is a guess, which the first
    /// messages may turn round.
    pub roles_known: bool,
    /// TCP: sequence number of stream offset 0 of each direction.
    pub base: PerDirection<SeqNum>,
    /// What the client waited for the connection, in nanoseconds: first SYN to the ACK that ends
    /// the handshake, repeats included. None for UDP, and where the handshake was not seen whole.
    pub connect_ns: Option<u64>,
    /// How the handshake ended; known where [`Self::connect_ns`] is.
    pub connected: Option<Connected>,
    /// Running totals of the flow; an exchange reports what was added during it.
    pub health: Health,
}

/// How the transport ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// This direction sent FIN: read-until-close bodies end here; the other direction may go on.
    Fin(Direction),
    /// The flow is over. Requests that wait are unanswered, because of this.
    Over(Unanswered),
}
