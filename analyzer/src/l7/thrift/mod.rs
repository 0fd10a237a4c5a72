//! Apache Thrift: binary protocol (strict and old) and compact protocol, framed, unframed, and in the header transport
//! (doc/specs of Thrift: thrift-binary-protocol, thrift-compact-protocol, HeaderFormat).

mod head;
mod parser;
mod probe;
#[cfg(test)]
pub(super) mod tests;
mod varint;
mod walk;

use wire::{Direction, Transport};

use super::messages::Order;
use super::protocol::{Clue, Parser, Probe, Protocol};
use crate::fact;

/// Thrift over TCP.
pub(super) struct Thrift;

impl Protocol for Thrift {
    const NAME: fact::Protocol = fact::Protocol::Thrift;
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[9090, 9083, 10_000];
    const ORDER: Order = Order::ById;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        probe::probe(head, direction, clue)
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::new(parser::ThriftParser::default())
    }
}
