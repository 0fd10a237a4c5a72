//! RocketMQ's remoting protocol (rocketmq.apache.org, "Remoting") between clients, brokers and name
//! servers: commands with headers in JSON or in RocketMQ's binary form.

mod attributes;
mod codes;
mod format;
mod header;
mod json;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;
use crate::kit::framed::Framed;

/// RocketMQ 4 and 5, not its gRPC proxy.
pub(crate) struct Rocketmq;

impl Protocol for Rocketmq {
    const NAME: fact::Protocol = fact::Protocol::new("rocketmq");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[10_911, 10_909, 10_912, 9876];
    const ORDER: Order = Order::ById;

    fn probe(head: &[u8], direction: Direction, _: &Clue) -> Probe {
        match header::begins(head) {
            (Probe::Yes, answers) if answers == (direction == Direction::ToServer) => Probe::No,
            (found, _) => found,
        }
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::new(Framed::new(format::RocketmqFormat::default()))
    }
}
