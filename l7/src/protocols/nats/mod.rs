//! The client protocol of NATS (docs.nats.io, "Client Protocol").

mod attributes;
mod line;
mod parser;
mod probe;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// NATS over TCP.
pub(crate) struct Nats;

impl Protocol for Nats {
    const NAME: fact::Protocol = fact::Protocol::new("nats");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[4222];
    // Requests are paired by what they are (an inbox, a PING, a command in verbose mode), not by an
    // id on the wire.
    const ORDER: Order = Order::ById;
    const GREETS: bool = true;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        probe::probe(head, direction, clue.usual)
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::<parser::NatsParser>::default()
    }
}
