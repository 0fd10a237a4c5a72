//! AMQP 1.0 (ISO/IEC 19464) over TCP, with its SASL layer.
//!
//! `open`, `begin`, `attach`, `detach`, `end` and `close` are answered by the same performative of
//! the other side. A `transfer` that is not settled is answered by the receiver's `disposition`;
//! one that is settled is one-way.

mod conditions;
mod frame;
mod message;
mod parser;
mod performatives;
mod probe;
mod sessions;
#[cfg(test)]
pub(crate) mod tests;
mod types;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;
use crate::kit::resync::Resync;

/// AMQP 1.0.
pub(crate) struct Amqp1;

impl Protocol for Amqp1 {
    const NAME: fact::Protocol = fact::Protocol::new("amqp1");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[5672];
    const ORDER: Order = Order::ById;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        probe::probe(head, direction, clue)
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::<Resync<parser::Amqp1Frames>>::default()
    }
}
