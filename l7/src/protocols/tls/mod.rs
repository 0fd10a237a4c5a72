//! TLS 1.0 to 1.3 and SSL 3.0 (RFC 8446, RFC 5246, RFC 6101): handshakes as far as they are in the
//! clear. Application data is not read.

mod attributes;
mod certificate;
mod ciphers;
mod codes;
mod fingerprint;
mod hello;
mod parser;
mod probe;
mod reader;
mod record;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use attributes::{push_client_hello, push_server_hello};
pub(crate) use codes::alert_name;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// TLS over TCP.
pub(crate) struct Tls;

impl Protocol for Tls {
    const NAME: fact::Protocol = fact::Protocol::new("tls");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[
        443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 4433, 5061, 5671, 6443, 6697, 8443,
        8883, 9443,
    ];
    const ORDER: Order = Order::InOrder;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        probe::probe(head, direction, clue)
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::new(parser::TlsParser::default())
    }
}
