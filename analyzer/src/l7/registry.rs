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
    pub(super) either_asks: bool,
    transports: &'static [Transport],
    ports: &'static [u16],
    pub(super) probe: fn(&[u8], Direction, &Clue) -> Probe,
    pub(super) parser: fn(&Clue) -> Box<dyn Parser>,
}

/// Every protocol. Where two recognise the same bytes the earlier wins.
pub(super) static REGISTRY: &[Entry] = &[entry::<Http>(), entry::<Dns>()];

const _: () = assert!(REGISTRY.len() <= 64, "a conversation marks wrong guesses in 64 bits");

const fn entry<P: Protocol>() -> Entry {
    Entry {
        name: P::NAME,
        order: P::ORDER,
        either_asks: P::EITHER_ASKS,
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

    pub(super) fn usual_port(&self, server_port: u16) -> bool {
        self.ports.contains(&server_port)
    }
}
