//! DNS over UDP and TCP (RFC 1035), multicast DNS (RFC 6762) and LLMNR (RFC 4795).

mod answers;
mod attributes;
mod codes;
mod edns;
mod message;
mod name;
mod parser;
mod probe;
#[cfg(test)]
pub(crate) mod tests;
mod transfer;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;

/// DNS and its link-local relatives, which differ in port and name only.
pub(crate) struct Dns;

impl Protocol for Dns {
    const NAME: fact::Protocol = fact::Protocol::new("dns");
    const TRANSPORTS: &'static [Transport] = &[Transport::Udp, Transport::Tcp];
    const PORTS: &'static [u16] = &[53, 5353, 5355];
    const ORDER: Order = Order::ById;
    const EITHER_ASKS: bool = true;

    fn probe(head: &[u8], _: Direction, clue: &Clue) -> Probe {
        probe::probe(head, clue)
    }

    fn parser(clue: &Clue) -> Box<dyn Parser> {
        Box::new(parser::DnsParser::new(clue))
    }
}
