//! HTTP/1.0 and HTTP/1.1 (RFC 9110, RFC 9112): where messages begin and end, and their attributes.
//! Calls of gRPC-Web in their bodies are [`grpc`](super::grpc)'s.

pub(crate) mod attributes;
mod body;
#[cfg(test)]
mod call_tests;
mod lines;
mod message_head;
mod parser;
mod probe;
mod start_line;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod url;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// HTTP/1.x over TCP.
pub(crate) struct Http;

impl Protocol for Http {
    const NAME: fact::Protocol = fact::Protocol::new("http");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[80, 8000, 8008, 8080, 8081, 8888, 3000, 3128, 5000, 9090, 2375];
    const ORDER: Order = Order::InOrder;
    const GREETS: bool = true;

    fn probe(head: &[u8], direction: Direction, _: &Clue) -> Probe {
        match direction {
            Direction::ToServer => probe::request(head),
            Direction::ToClient => probe::response(head),
        }
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::<parser::HttpParser>::default()
    }
}
