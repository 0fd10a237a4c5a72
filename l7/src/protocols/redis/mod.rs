//! RESP2 and RESP3, the protocol of Redis and of what speaks like it (Valkey, KeyDB, Dragonfly); also inline commands.

mod answers;
mod commands;
mod header;
mod inline;
mod parser;
mod probe;
mod requests;
mod shared;
mod tell;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// RESP over TCP.
pub(crate) struct Redis;

impl Protocol for Redis {
    const NAME: fact::Protocol = fact::Protocol::Redis;
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[6379, 6380, 26379, 7000, 7001];
    const ORDER: Order = Order::InOrder;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        match direction {
            Direction::ToServer => probe::command(head, clue.usual),
            Direction::ToClient => probe::answer(head, clue.usual),
        }
    }

    fn parser(clue: &Clue) -> Box<dyn Parser> {
        Box::new(parser::RedisParser::new(clue.literals))
    }
}
