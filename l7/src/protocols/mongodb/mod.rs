//! The MongoDB wire protocol (MongoDB manual, "Wire Protocol"): `OP_MSG`, `OP_COMPRESSED` and the
//! legacy opcodes.

mod body;
mod bson;
mod compressed;
mod errors;
mod format;
mod header;
mod message_fields;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;
use crate::kit::framed::Framed;

/// MongoDB, and other servers with its protocol.
pub(crate) struct Mongodb;

impl Protocol for Mongodb {
    const NAME: fact::Protocol = fact::Protocol::new("mongodb");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[27_017, 27_018, 27_019];
    const ORDER: Order = Order::ById;

    fn probe(header: &[u8], direction: Direction, _: &Clue) -> Probe {
        header::is_message(header, direction)
    }

    fn parser(clue: &Clue) -> Box<dyn Parser> {
        Box::new(Framed::new(format::MongoFormat::new(clue)))
    }
}
