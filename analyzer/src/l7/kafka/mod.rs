//! The Kafka protocol (kafka.apache.org, "Kafka protocol guide"): every API, versions before and after flexible ones.

mod api;
mod batch;
mod bytes;
mod errors;
mod format;
mod head;
mod layout;
#[cfg(test)]
pub(super) mod tests;
mod told;
mod topics;
mod walk;

use wire::{Direction, Transport};

use super::framed::Framed;
use super::messages::Order;
use super::protocol::{Clue, Parser, Probe, Protocol};
use crate::fact;

/// Kafka, and what speaks its protocol.
pub(super) struct Kafka;

impl Protocol for Kafka {
    const NAME: fact::Protocol = fact::Protocol::Kafka;
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[9092, 9093, 9094];
    const ORDER: Order = Order::ById;

    /// Responses have no mark: a conversation begins with a request.
    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        match direction {
            Direction::ToServer => head::is_request(head, clue.usual),
            Direction::ToClient => Probe::No,
        }
    }

    fn parser(clue: &Clue) -> Box<dyn Parser> {
        Box::new(Framed::new(format::KafkaFormat::new(clue)))
    }
}
