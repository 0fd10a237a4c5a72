//! AMQP 0-9-1 over TCP, as RabbitMQ speaks it.
//!
//! A `basic.publish` is one-way, unless its channel confirms: then the broker's `basic.ack` or
//! `basic.nack` is its response. A `basic.deliver` asks the consumer for `basic.ack`,
//! `basic.nack` or `basic.reject`, so that its duration is the time of processing; where the
//! consumer does not acknowledge, or its `basic.consume` was not seen, it asks for nothing.

mod attributes;
mod channels;
mod codes;
mod content;
mod frame;
mod ids;
mod methods;
mod parser;
mod probe;
mod settle;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;
use crate::kit::resync::Resync;

/// AMQP 0-9-1.
pub(crate) struct Amqp;

impl Protocol for Amqp {
    const NAME: fact::Protocol = fact::Protocol::new("amqp");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[5672];
    const ORDER: Order = Order::ById;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        probe::probe(head, direction, clue)
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::<Resync<parser::AmqpFrames>>::default()
    }
}
