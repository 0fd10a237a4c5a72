//! Dubbo 2 (dubbo.apache.org, "Dubbo2 Protocol"): calls with their service, method and status.
//! Heartbeats and other events are skipped.

mod body;
mod format;
mod header;
mod hessian;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;
use crate::kit::framed::Framed;
use header::Header;

/// Dubbo 2.
pub(crate) struct Dubbo;

impl Protocol for Dubbo {
    const NAME: fact::Protocol = fact::Protocol::new("dubbo");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[20_880];
    const ORDER: Order = Order::ById;

    /// A call shows which side is the client. A heartbeat does not, and is taken in the direction
    /// that the flow has.
    fn probe(header: &[u8], direction: Direction, _: &Clue) -> Probe {
        let asks = direction == Direction::ToServer;
        match Header::read(header) {
            Some(header) if !header.is_event() && header.is_request() != asks => Probe::No,
            _ => header::begins(header),
        }
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::new(Framed::new(format::DubboFormat::default()))
    }
}
