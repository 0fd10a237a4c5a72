//! Dubbo 2 (dubbo.apache.org, "Dubbo2 Protocol"): calls with their service, method and status.
//! Heartbeats and other events are no calls and are passed over.

mod body;
mod format;
mod head;
mod hessian;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;
use crate::kit::framed::Framed;
use head::Head;

/// Dubbo 2.
pub(crate) struct Dubbo;

impl Protocol for Dubbo {
    const NAME: fact::Protocol = fact::Protocol::new("dubbo");
    const TRANSPORTS: &'static [Transport] = &[Transport::Tcp];
    const PORTS: &'static [u16] = &[20_880];
    const ORDER: Order = Order::ById;

    /// A call tells who asks; a heartbeat does not, and is taken as the flow has it.
    fn probe(head: &[u8], direction: Direction, _: &Clue) -> Probe {
        let asks = direction == Direction::ToServer;
        match Head::read(head) {
            Some(head) if !head.is_event() && head.is_request() != asks => Probe::No,
            _ => head::begins(head),
        }
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::new(Framed::new(format::DubboFormat::default()))
    }
}
