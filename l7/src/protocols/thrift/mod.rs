//! Apache Thrift (Thrift `doc/specs`: thrift-binary-protocol, thrift-compact-protocol,
//! HeaderFormat): binary protocol (strict and old) and compact protocol, framed, unframed and in
//! the header transport.

mod header;
mod parser;
mod probe;
#[cfg(test)]
pub(crate) mod tests;
mod varint;
mod walk;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// Thrift over TCP.
pub(crate) struct Thrift;

impl Protocol for Thrift {
    const NAME: fact::Protocol = fact::Protocol::new("thrift");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[9090, 9083, 10_000];
    const ORDER: Order = Order::ById;

    fn probe(header: &[u8], direction: Direction, clue: &Clue) -> Probe {
        probe::probe(header, direction, clue)
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::new(parser::ThriftParser::default())
    }
}
