//! Decides which side of a flow is the client.

use wire::decode::{Layer4, TcpFlags};
use wire::{FlowKey, Side};

use fact::ClientBy;

/// Ports of services, sorted: where exactly one end of a flow has one of these, that end is the
/// server.
const SERVICES: [u16; 75] = [
    21, 22, 23, 25, 53, 80, 88, 110, 111, 119, 123, 135, 139, 143, 161, 179, 389, 443, 445, 465, 514, 515,
    548, 554, 587, 631, 636, 853, 873, 989, 990, 993, 995, 1080, 1433, 1521, 1883, 2049, 2181, 2375, 2376,
    2379, 2380, 3000, 3128, 3260, 3306, 3389, 4222, 5000, 5060, 5222, 5353, 5355, 5432, 5671, 5672, 5900,
    5984, 6379, 6443, 7000, 8000, 8080, 8081, 8443, 8888, 9042, 9090, 9092, 9200, 11211, 20880, 27017, 50051,
];

/// Which end of a flow asks, by its first packet, and how that was told.
pub(crate) fn client_of(key: &FlowKey, side: Side, layer4: &Layer4<'_>) -> (Side, ClientBy) {
    if let Layer4::Tcp(tcp) = layer4
        && let Some(told) = by_flags(side, tcp.flags)
    {
        return told;
    }
    let (sender, receiver) = (key.endpoint(side).port, key.endpoint(side.other()).port);
    let known = |port: u16| SERVICES.binary_search(&port).is_ok();
    match (known(sender), known(receiver)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_can_be_searched() {
        assert!(SERVICES.is_sorted());
    }
}
