//! FastCGI 1.0 (FastCGI Specification), the protocol between a web server and its applications.

mod attributes;
mod parameters;
mod parser;
mod probe;
mod record;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// FastCGI over TCP.
pub(crate) struct Fastcgi;

impl Protocol for Fastcgi {
    const NAME: fact::Protocol = fact::Protocol::new("fastcgi");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[9000];
    const ORDER: Order = Order::ById;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        probe::of_connection(head, direction, clue)
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::<parser::FastcgiParser>::default()
    }
}
