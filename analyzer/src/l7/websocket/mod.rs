//! WebSocket (RFC 6455), behind the Upgrade of HTTP/1.1 that it begins with. Without having seen that, nobody can tell it: its frames
//! have no mark.

mod parser;
#[cfg(test)]
pub(super) mod tests;

use wire::{Direction, Transport};

use super::messages::Order;
use super::protocol::{Clue, Parser, Probe, Protocol};
use crate::fact;

/// WebSocket over TCP.
pub(super) struct WebSocket;

impl Protocol for WebSocket {
    const NAME: fact::Protocol = fact::Protocol::WebSocket;
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[];
    const ORDER: Order = Order::ById;

    fn probe(_: &[u8], _: Direction, _: &Clue) -> Probe {
        Probe::No
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::<parser::WebSocketParser>::default()
    }
}
