use wire::{Direction, Transport};

use super::dns::Dns;
use super::http::Http;
use super::messages::Order;
use super::protocol::{Clue, Parser, Probe, Protocol};
use crate::fact;

/// A protocol as inference sees it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: fact::Protocol,
    pub(super) order: Order,
    transports: &'static [Transport],
    ports: &'static [u16],
    pub(super) probe: fn(&[u8], Direction, &Clue) -> Probe,
    pub(super) parser: fn(&Clue) -> Box<dyn Parser>,
}

/// Every protocol. Where two recognise the same bytes the earlier wins.
pub(super) static REGISTRY: [Entry; 2] = [entry::<Http>(), entry::<Dns>()];

const fn entry<P: Protocol>() -> Entry {
    Entry {
        name: P::NAME,
        order: P::ORDER,
        transports: P::TRANSPORTS,
        ports: P::PORTS,
        probe: P::probe,
        parser: P::parser,
    }
}

impl Entry {
    pub(super) fn on(&self, transport: Transport) -> bool {
        self.transports.contains(&transport)
    }

    pub(super) fn usual_port(&self, clue: &Clue) -> bool {
        self.ports.contains(&clue.server_port)
    }
}
