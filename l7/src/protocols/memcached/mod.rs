//! Memcached (memcached `doc/protocol.txt`): the text protocol with its meta commands, and the
//! binary protocol.

mod attributes;
mod binary;
mod parser;
mod probe;
mod quiet;
mod requests;
mod responses;
#[cfg(test)]
pub(crate) mod tests;
mod text;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// Memcached over TCP.
pub(crate) struct Memcached;

impl Protocol for Memcached {
    const NAME: fact::Protocol = fact::Protocol::new("memcached");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[11211];
    const ORDER: Order = Order::InOrder;
    const GREETS: bool = true;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        match direction {
            Direction::ToServer => probe::request(head, clue.usual),
            Direction::ToClient => probe::response(head, clue),
        }
    }

    fn parser(clue: &Clue) -> Box<dyn Parser> {
        Box::new(parser::MemcachedParser::new(clue.literals))
    }
}
