//! PostgreSQL's frontend/backend protocol 3 (PostgreSQL documentation, chapter "Frontend/Backend
//! Protocol").
//!
//! A simple query is an exchange, up to `ReadyForQuery`. In the extended protocol every `Execute`
//! is one. Its request begins with the first message of its own (`Parse`, `Bind`…) and ends with
//! the `Execute`. Its response ends with `CommandComplete`, or with `ReadyForQuery` if `Sync`
//! follows. What executes nothing (a log-in, a statement that is only prepared) is recorded if it
//! fails.

mod backend;
mod error;
mod frontend;
mod header;
mod parser;
mod probe;
mod session;
mod steps;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// PostgreSQL.
pub(crate) struct Postgresql;

impl Protocol for Postgresql {
    const NAME: fact::Protocol = fact::Protocol::new("postgresql");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[5432, 5433, 6432];
    const ORDER: Order = Order::InOrder;

    fn probe(header: &[u8], direction: Direction, clue: &Clue) -> Probe {
        probe::probe(header, direction, clue)
    }

    fn parser(clue: &Clue) -> Box<dyn Parser> {
        Box::new(parser::PostgresqlParser::new(clue))
    }
}
