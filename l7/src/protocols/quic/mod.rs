//! QUIC 1 and 2 (RFC 9000, RFC 9369) and the last drafts: handshakes, as far as Initial packets
//! show them. Their keys can be derived from what is on the wire (RFC 9001 section 5.2). Everything
//! behind them is not read.

mod crypto;
mod frames;
mod keys;
mod packet;
mod parser;
#[cfg(test)]
pub(crate) mod tests;

use wire::{Direction, Transport};

use crate::contract::{Clue, Parser, Probe, Protocol};
use crate::correlate::Order;
use keys::Keys;
use packet::{Kind, Packet};

/// QUIC over UDP.
pub(crate) struct Quic;

impl Protocol for Quic {
    const NAME: fact::Protocol = fact::Protocol::new("quic");
    const TRANSPORTS: &'static [Transport] = &[Transport::Udp];
    const PORTS: &'static [u16] = &[443, 784, 853, 4433, 8443, 8853];
    const ORDER: Order = Order::InOrder;

    fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
        let Some(packet) = Packet::read(head) else { return Probe::No };
        let proven = match packet.kind {
            // Who can read it with the keys of its own connection id is what the client sent first.
            Kind::Initial if direction == Direction::ToServer => {
                let keys = Keys::new(packet.version, packet.to, direction);
                clue.usual
                    || keys.is_some_and(|keys| keys.open(head, &packet, &mut Vec::new()).is_some())
            }
            Kind::VersionNegotiation => {
                let listed = head.get(packet.body..).unwrap_or_default().as_chunks::<4>().0;
                direction == Direction::ToClient
                    && listed.iter().any(|version| packet::is_known(u32::from_be_bytes(*version)))
            }
            Kind::Initial | Kind::Handshake | Kind::Retry => {
                clue.usual && direction == Direction::ToClient
            }
            Kind::ZeroRtt | Kind::Short | Kind::Unknown => false,
        };
        if proven { Probe::Yes } else { Probe::No }
    }

    fn parser(_: &Clue) -> Box<dyn Parser> {
        Box::new(parser::QuicParser::default())
    }
}
