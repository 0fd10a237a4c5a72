//! MySQL's client/server protocol, as MySQL and MariaDB use it (MySQL source documentation, page
//! "Client/Server Protocol"; MariaDB documentation, chapter "Client/Server Protocol").
//!
//! Every command is an exchange, or a one-way message if the server does not respond to it. A login
//! is recorded if it fails.

mod commands;
mod compression;
#[cfg(test)]
mod compression_tests;
mod decompress_error;
mod handshake;
mod parser;
mod probe;
mod requests;
mod response_packets;
mod responses;
mod session;
#[cfg(test)]
pub(crate) mod tests;
mod values;
mod zstd;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// MySQL and MariaDB.
pub(crate) struct Mysql;

impl Protocol for Mysql {
    const NAME: fact::Protocol = fact::Protocol::new("mysql");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[3306, 3307, 4000, 6033];
    const ORDER: Order = Order::InOrder;
    const GREETS: bool = true;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        probe::probe(head, direction, clue)
    }

    fn parser(clue: &Clue) -> Box<dyn Parser> {
        Box::new(parser::MysqlParser::new(clue))
    }
}
