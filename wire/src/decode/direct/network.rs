//! IP headers of the direct decoding: those of fixed length, and TCP or UDP after them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::decode::layer::Ports;
use crate::decode::path::enter_vlan;
use crate::decode::span::Span;
use crate::decode::{Ip, Vlans, link};
use crate::{Endpoint, FlowKey, Side, Spread, TapId, Transport};

/// IP protocol number of TCP.
pub(super) const TCP: u8 = 6;
/// IP protocol number of UDP.
pub(super) const UDP: u8 = 17;

/// An IP header without options or extension headers, and its TCP or UDP payload.
pub(super) struct Network<'r> {
    pub(super) addresses: Addresses,
    pub(super) ip: Ip,
    pub(super) protocol: u8,
    pub(super) payload: Span<'r>,
}

/// Source and destination; IPv6 ones are none that stand for IPv4.
#[derive(Clone, Copy)]
pub(super) enum Addresses {
    V4([Ipv4Addr; 2]),
    V6([Ipv6Addr; 2]),
}

impl Addresses {
    #[inline]
    pub(super) const fn pair(self) -> (IpAddr, IpAddr) {
        match self {
            Self::V4([a, b]) => (IpAddr::V4(a), IpAddr::V4(b)),
            Self::V6([a, b]) => (IpAddr::V6(a), IpAddr::V6(b)),
        }
    }

    /// What [`FlowKey::spread`] gives for a flow between these addresses.
    #[inline]
    pub(super) const fn spread(self, ports: Ports) -> u64 {
        match self {
            Self::V4([a, b]) => {
                Spread::v4(a.to_bits(), ports.source).with(Spread::v4(b.to_bits(), ports.destination))
            }
            Self::V6([a, b]) => {
                Spread::v6(a.to_bits(), ports.source).with(Spread::v6(b.to_bits(), ports.destination))
            }
        }
    }

    /// What [`FlowKey::new`] gives, with addresses compared as numbers.
    #[inline]
    pub(super) fn key(self, tap: TapId, transport: Transport, network: u64, ports: Ports) -> (FlowKey, Side) {
        let ordered = match self {
            Self::V4([a, b]) => (a.to_bits(), ports.source) <= (b.to_bits(), ports.destination),
            Self::V6([a, b]) => (a.to_bits(), ports.source) <= (b.to_bits(), ports.destination),
        };
        let (source, destination) = self.pair();
        let source = Endpoint { address: source, port: ports.source };
        let destination = Endpoint { address: destination, port: ports.destination };
        let (low, high, side) =
            if ordered { (source, destination, Side::Low) } else { (destination, source, Side::High) };
        (FlowKey { low, high, network, tap, transport }, side)
    }
}

/// An Ethernet frame with at most one VLAN tag.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a part of the plain way, which every packet takes")]
pub(super) fn ethernet<'r>(span: Span<'r>, vlans: &mut Vlans, network: &mut u64) -> Option<Network<'r>> {
    let mut ether_type = u16_at(span.bytes, 12)?;
    let mut header = 14;
    if link::is_vlan(ether_type) {
        enter_vlan(vlans, network, u16_at(span.bytes, 14)? & 0x0fff);
        ether_type = u16_at(span.bytes, 16)?;
        header = 18;
    }
    let span = span.skip(header).ok()?;
    match ether_type {
        link::IPV4 => ipv4(span),
        link::IPV6 => ipv6(span),
        _ => None,
    }
}

#[inline]
fn ipv4(span: Span<'_>) -> Option<Network<'_>> {
    let h = span.bytes.first_chunk::<20>()?;
    let fragment = u16::from_be_bytes([h[6], h[7]]) & 0x3fff;
    if h[0] != 0x45 || fragment != 0 || !matches!(h[9], TCP | UDP) {
        return None;
    }
    let len = match u16::from_be_bytes([h[2], h[3]]) {
        0 => span.len,
        1..20 => return None,
        len => u32::from(len),
    };
    Some(Network {
        addresses: Addresses::V4([
            Ipv4Addr::new(h[12], h[13], h[14], h[15]),
            Ipv4Addr::new(h[16], h[17], h[18], h[19]),
        ]),
        ip: Ip { len, ttl: h[8], ecn: h[1] & 3 },
        protocol: h[9],
        payload: span.limit(len).skip(20).ok()?,
    })
}

#[inline]
fn ipv6(span: Span<'_>) -> Option<Network<'_>> {
    let h = span.bytes.first_chunk::<40>()?;
    if h[0] >> 4 != 6 || !matches!(h[6], TCP | UDP) {
        return None;
    }
    let address = |at: usize| h[at..].first_chunk::<16>().map(|octets| Ipv6Addr::from_octets(*octets));
    let (source, destination) = (address(8)?, address(24)?);
    let stands_for_ipv4 = |address: Ipv6Addr| address.to_bits() >> 32 == 0xffff;
    if stands_for_ipv4(source) || stands_for_ipv4(destination) {
        return None;
    }
    let len = match u16::from_be_bytes([h[4], h[5]]) {
        0 => span.len,
        len => u32::from(len) + 40,
    };
    Some(Network {
        addresses: Addresses::V6([source, destination]),
        ip: Ip { len, ttl: h[7], ecn: h[1] >> 4 & 3 },
        protocol: h[6],
        payload: span.limit(len).skip(40).ok()?,
    })
}

#[inline]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk::<2>()?))
}
