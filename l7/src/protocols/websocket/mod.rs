//! WebSocket (RFC 6455), behind the Upgrade of HTTP/1.1 that it begins with. Without that it cannot
//! be recognised: its frames have no mark.

mod parser;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// WebSocket over TCP.
pub(crate) struct WebSocket;

impl Protocol for WebSocket {
    const NAME: fact::Protocol = fact::Protocol::new("websocket");
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
