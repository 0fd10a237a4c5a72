//! RESP2 and RESP3 (redis.io, "Redis serialization protocol specification"): the protocol of Redis
//! and of compatible servers (Valkey, KeyDB, Dragonfly). Inline commands as well.

mod attributes;
mod commands;
mod header;
mod inline;
mod parser;
mod probe;
mod requests;
mod responses;
mod session;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// RESP over TCP.
pub(crate) struct Redis;

impl Protocol for Redis {
    const NAME: fact::Protocol = fact::Protocol::new("redis");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[6379, 6380, 26379, 7000, 7001];
    const ORDER: Order = Order::InOrder;
    const GREETS: bool = true;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        match direction {
            Direction::ToServer => probe::command(head, clue.usual),
            Direction::ToClient => probe::reply(head, clue),
        }
    }

    fn parser(clue: &Clue) -> Box<dyn Parser> {
        Box::new(parser::RedisParser::new(clue.literals))
    }
}
