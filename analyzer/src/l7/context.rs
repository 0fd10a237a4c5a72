use wire::{Direction, Endpoint, PerDirection, SeqNum, TapId, Transport};

use crate::fact::{FlowId, Unanswered};
use crate::tcp::Health;

/// What a conversation is told with every call; owned by the flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub(crate) flow: FlowId,
    pub(crate) tap: TapId,
    pub(crate) transport: Transport,
    pub(crate) client: Endpoint,
    pub(crate) server: Endpoint,
    /// TCP: sequence number of stream offset 0 of each direction.
    pub(crate) base: PerDirection<SeqNum>,
    /// Running totals of the flow; an exchange reports what was added during it.
    pub(crate) health: Health,
}

/// How the transport ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// This direction sent FIN: read-until-close bodies end here; the other direction may go on.
    Fin(Direction),
    /// The flow is over. Requests that wait are unanswered, because of this.
    Over(Unanswered),
}
