//! IP headers of the direct decoding: those of fixed length, and TCP or UDP after them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::decode::ip_number::{TCP, UDP};
use crate::decode::layer::Ports;
use crate::decode::path::enter_vlan;
use crate::decode::span::Span;
use crate::decode::{Ip, Vlans, ether_type};
use crate::{Endpoint, FlowKey, Side, Spread, TapId, Transport};

/// Ethernet header (IEEE 802.3, section 3.1.1) with and without a tag (IEEE 802.1Q, section 9.3).
mod ethernet_field {
    pub(super) const ETHER_TYPE: usize = 12;
    pub(super) const LEN: usize = 14;
    pub(super) const TAG_CONTROL: usize = 14;
    pub(super) const TAGGED_ETHER_TYPE: usize = 16;
    pub(super) const TAGGED_LEN: usize = 18;
    /// The VLAN id in the tag control information.
    pub(super) const VLAN_ID: u16 = 0x0fff;
}

/// Offsets in the IPv4 header (RFC 791, section 3.1), of each byte where a field has several.
mod ipv4_field {
    pub(super) const VERSION_IHL: usize = 0;
    pub(super) const TYPE_OF_SERVICE: usize = 1;
    pub(super) const TOTAL_LENGTH: [usize; 2] = [2, 3];
    pub(super) const IDENTIFICATION: [usize; 2] = [4, 5];
    pub(super) const FLAGS_FRAGMENT_OFFSET: [usize; 2] = [6, 7];
    pub(super) const TIME_TO_LIVE: usize = 8;
    pub(super) const PROTOCOL: usize = 9;
    pub(super) const SOURCE: [usize; 4] = [12, 13, 14, 15];
    pub(super) const DESTINATION: [usize; 4] = [16, 17, 18, 19];
    /// Length without options, as a number of bytes and as a value of the total length.
    pub(super) const LEN: usize = 20;
    pub(super) const LEN_FIELD: u16 = LEN as u16;
    /// Version 4 and a header of five 4-byte words: no options.
    pub(super) const WITHOUT_OPTIONS: u8 = 0x45;
    /// "More fragments" and the fragment offset.
    pub(super) const FRAGMENT: u16 = 0x3fff;
    /// Explicit congestion notification (RFC 3168, section 5).
    pub(super) const ECN: u8 = 0x03;
}

/// Offsets in the IPv6 header (RFC 8200, section 3).
mod ipv6_field {
    /// Version in the upper four bits, the upper half of the traffic class in the lower.
    pub(super) const VERSION: usize = 0;
    /// The lower half of the traffic class in the upper four bits, then the flow label.
    pub(super) const TRAFFIC_CLASS_LOW: usize = 1;
    pub(super) const PAYLOAD_LENGTH: [usize; 2] = [4, 5];
    pub(super) const NEXT_HEADER: usize = 6;
    pub(super) const HOP_LIMIT: usize = 7;
    pub(super) const SOURCE: usize = 8;
    pub(super) const DESTINATION: usize = 24;
    pub(super) const LEN: usize = 40;
    pub(super) const VERSION_6: u8 = 6;
    /// Explicit congestion notification in the traffic class (RFC 3168, section 5).
    pub(super) const ECN: u8 = 0x03;
}

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
            Self::V4([a, b]) => Spread::v4(a.to_bits(), ports.source)
                .with(Spread::v4(b.to_bits(), ports.destination)),
            Self::V6([a, b]) => Spread::v6(a.to_bits(), ports.source)
                .with(Spread::v6(b.to_bits(), ports.destination)),
        }
    }

    /// What [`FlowKey::new`] gives, with addresses compared as numbers.
    #[inline]
    pub(super) fn key(self, tap: TapId, transport: Transport, ports: Ports) -> (FlowKey, Side) {
        let ordered = match self {
            Self::V4([a, b]) => (a.to_bits(), ports.source) <= (b.to_bits(), ports.destination),
            Self::V6([a, b]) => (a.to_bits(), ports.source) <= (b.to_bits(), ports.destination),
        };
        let (source, destination) = self.pair();
        let source = Endpoint { address: source, port: ports.source };
        let destination = Endpoint { address: destination, port: ports.destination };
        let (low, high, side) = if ordered {
            (source, destination, Side::Low)
        } else {
            (destination, source, Side::High)
        };
        (FlowKey { low, high, tap, transport }, side)
    }
}

/// An Ethernet frame with at most one VLAN tag.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a part of the plain way, which every packet takes")]
pub(super) fn ethernet<'r>(
    span: Span<'r>,
    vlans: &mut Vlans,
    network: &mut u64,
) -> Option<Network<'r>> {
    let mut number = u16_at(span.bytes, ethernet_field::ETHER_TYPE)?;
    let mut header_len = ethernet_field::LEN;
    if ether_type::is_vlan(number) {
        enter_vlan(
            vlans,
            network,
            u16_at(span.bytes, ethernet_field::TAG_CONTROL)? & ethernet_field::VLAN_ID,
        );
        number = u16_at(span.bytes, ethernet_field::TAGGED_ETHER_TYPE)?;
        header_len = ethernet_field::TAGGED_LEN;
    }
    let span = span.skip(header_len).ok()?;
    match number {
        ether_type::IPV4 => ipv4(span),
        ether_type::IPV6 => ipv6(span),
        _ => None,
    }
}

#[inline]
fn ipv4(span: Span<'_>) -> Option<Network<'_>> {
    use ipv4_field as field;

    let h = span.bytes.first_chunk::<{ field::LEN }>()?;
    let fragment =
        u16::from_be_bytes(field::FLAGS_FRAGMENT_OFFSET.map(|at| h[at])) & field::FRAGMENT;
    if h[field::VERSION_IHL] != field::WITHOUT_OPTIONS
        || fragment != 0
        || !matches!(h[field::PROTOCOL], TCP | UDP)
    {
        return None;
    }
    let len = match u16::from_be_bytes(field::TOTAL_LENGTH.map(|at| h[at])) {
        0 => span.len,
        1..field::LEN_FIELD => return None,
        len => u32::from(len),
    };
    Some(Network {
        addresses: Addresses::V4([
            Ipv4Addr::from_octets(field::SOURCE.map(|at| h[at])),
            Ipv4Addr::from_octets(field::DESTINATION.map(|at| h[at])),
        ]),
        ip: Ip {
            len,
            id: u16::from_be_bytes(field::IDENTIFICATION.map(|at| h[at])),
            ttl: h[field::TIME_TO_LIVE],
            ecn: h[field::TYPE_OF_SERVICE] & field::ECN,
        },
        protocol: h[field::PROTOCOL],
        payload: span.limit(len).skip(field::LEN).ok()?,
    })
}

#[inline]
fn ipv6(span: Span<'_>) -> Option<Network<'_>> {
    use ipv6_field as field;

    let h = span.bytes.first_chunk::<{ field::LEN }>()?;
    if h[field::VERSION] >> 4 != field::VERSION_6 || !matches!(h[field::NEXT_HEADER], TCP | UDP) {
        return None;
    }
    let address =
        |at: usize| h[at..].first_chunk::<16>().map(|octets| Ipv6Addr::from_octets(*octets));
    let (source, destination) = (address(field::SOURCE)?, address(field::DESTINATION)?);
    // IPv4-mapped addresses (RFC 4291, section 2.5.5.2) are left to the walk.
    let is_mapped = |address: Ipv6Addr| address.to_bits() >> 32 == 0xffff;
    if is_mapped(source) || is_mapped(destination) {
        return None;
    }
    let len = match u16::from_be_bytes(field::PAYLOAD_LENGTH.map(|at| h[at])) {
        0 => span.len,
        len => u32::from(len) + field::LEN as u32,
    };
    Some(Network {
        addresses: Addresses::V6([source, destination]),
        ip: Ip {
            len,
            id: 0,
            ttl: h[field::HOP_LIMIT],
            ecn: h[field::TRAFFIC_CLASS_LOW] >> 4 & field::ECN,
        },
        protocol: h[field::NEXT_HEADER],
        payload: span.limit(len).skip(field::LEN).ok()?,
    })
}

#[inline]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk::<2>()?))
}
