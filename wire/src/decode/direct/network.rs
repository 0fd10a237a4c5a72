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

/// Offsets in the IPv4 header (RFC 791, section 3.1).
mod ipv4_field {
    pub(super) const VERSION_IHL: usize = 0;
    pub(super) const TYPE_OF_SERVICE: usize = 1;
    pub(super) const TOTAL_LENGTH: usize = 2;
    pub(super) const FLAGS_FRAGMENT_OFFSET: usize = 6;
    pub(super) const TIME_TO_LIVE: usize = 8;
    pub(super) const PROTOCOL: usize = 9;
    pub(super) const SOURCE: usize = 12;
    pub(super) const DESTINATION: usize = 16;
    /// Length without options.
    pub(super) const LEN: usize = 20;
    /// Version 4 and a header of five 4-byte words: no options.
    pub(super) const WITHOUT_OPTIONS: u8 = 0x45;
    /// "More fragments" and the fragment offset.
    pub(super) const FRAGMENT: u16 = 0x3fff;
    /// Explicit congestion notification (RFC 3168, section 5).
    pub(super) const ECN: u8 = 0x03;
}

/// Offsets in the IPv6 header (RFC 8200, section 3).
mod ipv6_field {
    /// Version (4 bits), traffic class (8), flow label (20).
    pub(super) const VERSION_CLASS: usize = 0;
    pub(super) const PAYLOAD_LENGTH: usize = 4;
    pub(super) const NEXT_HEADER: usize = 6;
    pub(super) const HOP_LIMIT: usize = 7;
    pub(super) const SOURCE: usize = 8;
    pub(super) const DESTINATION: usize = 24;
    pub(super) const LEN: usize = 40;
    pub(super) const VERSION: u8 = 6;
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
    use ethernet_field::{ETHER_TYPE, LEN, TAG_CONTROL, TAGGED_ETHER_TYPE, TAGGED_LEN, VLAN_ID};

    let mut number = u16_at(span.bytes, ETHER_TYPE)?;
    let mut header_len = LEN;
    if ether_type::is_vlan(number) {
        enter_vlan(vlans, network, u16_at(span.bytes, TAG_CONTROL)? & VLAN_ID);
        number = u16_at(span.bytes, TAGGED_ETHER_TYPE)?;
        header_len = TAGGED_LEN;
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

    let header = span.bytes.first_chunk::<{ field::LEN }>()?;
    let half = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let address = |at: usize| Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]);
    let protocol = header[field::PROTOCOL];
    if header[field::VERSION_IHL] != field::WITHOUT_OPTIONS
        || half(field::FLAGS_FRAGMENT_OFFSET) & field::FRAGMENT != 0
        || !matches!(protocol, TCP | UDP)
    {
        return None;
    }
    let len = match u32::from(half(field::TOTAL_LENGTH)) {
        0 => span.len,
        len if len < field::LEN as u32 => return None,
        len => len,
    };
    Some(Network {
        addresses: Addresses::V4([address(field::SOURCE), address(field::DESTINATION)]),
        ip: Ip { len, ttl: header[field::TIME_TO_LIVE], ecn: header[field::TYPE_OF_SERVICE] & field::ECN },
        protocol,
        payload: span.limit(len).skip(field::LEN).ok()?,
    })
}

#[inline]
fn ipv6(span: Span<'_>) -> Option<Network<'_>> {
    use ipv6_field as field;

    let header = span.bytes.first_chunk::<{ field::LEN }>()?;
    let half = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let protocol = header[field::NEXT_HEADER];
    let version_class = half(field::VERSION_CLASS);
    if version_class >> 12 != u16::from(field::VERSION) || !matches!(protocol, TCP | UDP) {
        return None;
    }
    let address = |at: usize| header[at..].first_chunk::<16>().map(|octets| Ipv6Addr::from_octets(*octets));
    let (source, destination) = (address(field::SOURCE)?, address(field::DESTINATION)?);
    // IPv4-mapped addresses (RFC 4291, section 2.5.5.2) are left to the walk.
    let is_mapped = |address: Ipv6Addr| address.to_bits() >> 32 == 0xffff;
    if is_mapped(source) || is_mapped(destination) {
        return None;
    }
    let len = match half(field::PAYLOAD_LENGTH) {
        0 => span.len,
        len => u32::from(len) + field::LEN as u32,
    };
    Some(Network {
        addresses: Addresses::V6([source, destination]),
        // The low two bits of the traffic class, which ends 20 bits before the end of its word.
        ip: Ip { len, ttl: header[field::HOP_LIMIT], ecn: (version_class >> 4) as u8 & 0x03 },
        protocol,
        payload: span.limit(len).skip(field::LEN).ok()?,
    })
}

#[inline]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk::<2>()?))
}
