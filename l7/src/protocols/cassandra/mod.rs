//! CQL native protocol of Cassandra, versions 3, 4 and 5, over TCP.

mod batch;
mod compressed;
mod consistency;
mod envelope;
mod errors;
mod opcodes;
mod parser;
mod probe;
mod request;
mod response;
mod segment;
mod session;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;
use crate::kit::resync::Resync;

/// Cassandra's native protocol.
pub(crate) struct Cassandra;

impl Protocol for Cassandra {
    const NAME: fact::Protocol = fact::Protocol::new("cassandra");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[9042];
    const ORDER: Order = Order::ById;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        probe::probe(head, direction, clue)
    }

    fn parser(clue: &Clue) -> Box<dyn Parser> {
        Box::new(Resync::new(parser::CqlFrames::new(clue.literals)))
    }
}
