//! ZooKeeper's client protocol over TCP, with the four-letter words.

mod codes;
mod frame;
mod multi;
mod ops;
mod parser;
mod probe;
mod request;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;
use crate::kit::resync::Resync;

/// ZooKeeper.
pub(crate) struct Zookeeper;

impl Protocol for Zookeeper {
    const NAME: fact::Protocol = fact::Protocol::new("zookeeper");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[2181];
    const ORDER: Order = Order::ById;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        probe::probe(head, direction, clue)
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::<Resync<parser::ZookeeperFrames>>::default()
    }
}
