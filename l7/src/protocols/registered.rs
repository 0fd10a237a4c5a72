//! A protocol as inference uses it: what its type says, as values.

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// One protocol of the registry.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) name: fact::Protocol,
    pub(crate) order: Order,
    pub(crate) either_asks: bool,
    pub(crate) greets: bool,
    pub(crate) transports: &'static [Transport],
    pub(crate) ports: &'static [u16],
    pub(crate) probe: fn(&[u8], Direction, &Clue) -> Probe,
    pub(crate) parser: fn(&Clue) -> Box<dyn Parser>,
}

impl Registered {
    pub(crate) const fn of<P: Protocol>() -> Self {
        Self {
            name: P::NAME,
            order: P::ORDER,
            either_asks: P::EITHER_ASKS,
            greets: P::GREETS,
            transports: P::TRANSPORTS,
            ports: P::PORTS,
            probe: P::probe,
            parser: P::parser,
        }
    }
}
