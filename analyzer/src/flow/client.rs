//! Decides which side of a flow is the client.

use wire::decode::{Layer4, TcpFlags};
use wire::{FlowKey, Side};

use fact::ClientBy;
use l7::is_service_port;

/// Which end of a flow asks, by its first packet, and how that was told.
pub(crate) fn client_of(key: &FlowKey, side: Side, layer4: &Layer4<'_>) -> (Side, ClientBy) {
    if let Layer4::Tcp(tcp) = layer4
        && let Some(told) = by_flags(side, tcp.flags)
    {
        return told;
    }
    let (sender, receiver) = (key.endpoint(side).port, key.endpoint(side.other()).port);
    match (is_service_port(sender), is_service_port(receiver)) {
        (true, false) => (side.other(), ClientBy::Port),
        (false, true) => (side, ClientBy::Port),
        (true, true) if sender < receiver => (side.other(), ClientBy::Port),
        (true, true) if sender > receiver => (side, ClientBy::Port),
        _ => (side, ClientBy::FirstPacket),
    }
}

/// Which end asks, if the flags of a packet from `side` tell it.
pub(crate) fn by_flags(side: Side, flags: TcpFlags) -> Option<(Side, ClientBy)> {
    match (flags.syn(), flags.ack()) {
        (true, false) => Some((side, ClientBy::Syn)),
        (true, true) => Some((side.other(), ClientBy::SynAck)),
        _ => None,
    }
}
