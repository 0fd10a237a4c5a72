//! The Kafka protocol (kafka.apache.org, "Kafka protocol guide"): every API, in versions before and
//! after flexible ones (KIP-482).

mod api;
mod batch;
mod bytes;
mod errors;
mod format;
mod header;
mod layout;
mod message_fields;
#[cfg(test)]
pub(crate) mod tests;
mod topics;
mod walk;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;
use crate::kit::framed::Framed;

/// Kafka, and other brokers with its protocol.
pub(crate) struct Kafka;

impl Protocol for Kafka {
    const NAME: fact::Protocol = fact::Protocol::new("kafka");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[9092, 9093, 9094];
    const ORDER: Order = Order::ById;

    /// Responses have no mark: a conversation begins with a request.
    fn probe(header: &[u8], direction: Direction, clue: &Clue) -> Probe {
        match direction {
            Direction::ToServer => header::is_request(header, clue.usual),
            Direction::ToClient => Probe::No,
        }
    }

    fn parser(clue: &Clue) -> Box<dyn Parser> {
        Box::new(Framed::new(format::KafkaFormat::new(clue)))
    }
}
