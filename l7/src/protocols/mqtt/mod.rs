//! MQTT 3.1, 3.1.1 and 5 over TCP.

mod aliases;
mod codes;
mod connect;
mod packet;
mod parser;
mod probe;
mod properties;
mod publish;
mod subscribe;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;
use crate::kit::resync::Resync;

/// MQTT.
pub(crate) struct Mqtt;

impl Protocol for Mqtt {
    const NAME: fact::Protocol = fact::Protocol::new("mqtt");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[1883];
    const ORDER: Order = Order::ById;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        probe::probe(head, direction, clue)
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::<Resync<parser::MqttFrames>>::default()
    }
}
