//! HTTP/2 in clear text (RFC 9113): by prior knowledge, by Upgrade of HTTP/1.1, or joined in the
//! middle. The gRPC calls on it are [`grpc`](super::grpc)'s.

mod block;
#[cfg(test)]
mod call_tests;
mod exchanges;
mod frame;
mod head;
mod hpack;
mod parser;
mod probe;
mod streams;
#[cfg(test)]
mod testing;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// HTTP/2 over TCP without TLS.
pub(crate) struct Http2;

impl Protocol for Http2 {
    const NAME: fact::Protocol = fact::Protocol::new("http2");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[50051, 50052, 2379, 2380, 4317];
    const ORDER: Order = Order::ById;
    const GREETS: bool = true;
    // Frames look the same from both sides: header fields and the preface tell who the client is.
    const EITHER_ASKS: bool = true;

    fn probe(head: &[u8], _: Direction, clue: &Clue) -> Probe {
        probe::probe(head, clue.usual)
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::<parser::Http2Parser>::default()
    }
}
