//! The link layer: Ethernet, VLAN tags, Linux cooked, loopback, raw IP.

use etherparse::SingleVlanHeaderSlice;

use super::layer::{Layer, Step};
use super::span::Span;
use super::{Undecoded, ether_type};
use crate::{LinkType, RawFrame};

/// Header lengths and fields.
mod field {
    /// Destination and source address precede the EtherType (IEEE 802.3, section 3.1.1).
    pub(super) const ETHERNET_LEN: usize = 14;
    /// Tag control information and the next EtherType (IEEE 802.1Q, section 9.3).
    pub(super) const VLAN_TAG_LEN: usize = 4;
    /// LLC with an OUI of zero (RFC 1042), then the EtherType.
    pub(super) const SNAP: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0];
    pub(super) const SNAP_LEN: usize = 8;
    /// The address family of LINKTYPE_NULL and LINKTYPE_LOOP.
    pub(super) const FAMILY_LEN: usize = 4;
    /// LINKTYPE_LINUX_SLL ends with the EtherType.
    pub(super) const SLL_LEN: usize = 16;
    /// LINKTYPE_LINUX_SLL2 begins with the EtherType.
    pub(super) const SLL2_LEN: usize = 20;
}

/// Address families of capturing hosts: IPv4 is the same everywhere.
mod family {
    pub(super) const INET: u32 = 2;
    pub(super) const INET6_LINUX: u32 = 10;
    pub(super) const INET6_NETBSD: u32 = 24;
    pub(super) const INET6_FREEBSD: u32 = 28;
    pub(super) const INET6_DARWIN: u32 = 30;
}

/// First layer of a frame, by the link type of its tap.
#[inline]
pub(super) fn first<'r>(frame: &RawFrame<'r>) -> Result<Layer<'r>, Undecoded> {
    let span = Span::new(frame.bytes, frame.wire_len);
    match frame.link_type {
        LinkType::Ethernet => Ok(Layer::Ethernet(span)),
        LinkType::RawIp => Ok(Layer::Ip(span)),
        LinkType::Null | LinkType::Loop => loopback(span),
        LinkType::LinuxSll => cooked_v1(span),
        LinkType::LinuxSll2 => cooked_v2(span),
        LinkType::Unsupported(_) => Err(Undecoded::LinkType),
    }
}

/// Ethernet II, or IEEE 802.3 with LLC and SNAP.
#[inline]
pub(super) fn ethernet(span: Span<'_>) -> Result<Step<'_>, Undecoded> {
    let [.., high, low] = *span.head::<{ field::ETHERNET_LEN }>()?;
    let number = u16::from_be_bytes([high, low]);
    let rest = span.skip(field::ETHERNET_LEN)?;
    if number > ether_type::MAX_LENGTH {
        Ok(Step::Next(Layer::EtherType(number, rest)))
    } else {
        llc(rest)
    }
}

/// IEEE 802.2: only SNAP with an EtherType (RFC 1042) can carry IP.
#[cold]
fn llc(span: Span<'_>) -> Result<Step<'_>, Undecoded> {
    match span.bytes.strip_prefix(&field::SNAP) {
        Some(&[high, low, ..]) => {
            let number = u16::from_be_bytes([high, low]);
            Ok(Step::Next(Layer::EtherType(number, span.skip(field::SNAP_LEN)?)))
        }
        _ => Err(Undecoded::NotIp),
    }
}

/// One IEEE 802.1Q or 802.1ad tag.
pub(super) fn vlan(span: Span<'_>) -> Result<Step<'_>, Undecoded> {
    let tag = SingleVlanHeaderSlice::from_slice(span.bytes).map_err(|_| span.short())?;
    let number = tag.ether_type().0;
    let rest = span.skip(field::VLAN_TAG_LEN)?;
    let next = if number > ether_type::MAX_LENGTH {
        Layer::EtherType(number, rest)
    } else {
        match llc(rest)? {
            Step::Next(layer) => layer,
            _ => return Err(Undecoded::NotIp),
        }
    };
    Ok(Step::Vlan(tag.vlan_identifier().value(), next))
}

/// Address family in the byte order of some host: small either way round.
fn loopback(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let head = *span.head::<{ field::FAMILY_LEN }>()?;
    let little = u32::from_le_bytes(head);
    let family = if little <= 0xffff { little } else { u32::from_be_bytes(head) };
    let rest = span.skip(field::FAMILY_LEN)?;
    match family {
        family::INET => Ok(Layer::EtherType(ether_type::IPV4, rest)),
        family::INET6_LINUX
        | family::INET6_NETBSD
        | family::INET6_FREEBSD
        | family::INET6_DARWIN => Ok(Layer::EtherType(ether_type::IPV6, rest)),
        _ => Err(Undecoded::NotIp),
    }
}

fn cooked_v1(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let [.., high, low] = *span.head::<{ field::SLL_LEN }>()?;
    Ok(Layer::EtherType(u16::from_be_bytes([high, low]), span.skip(field::SLL_LEN)?))
}

fn cooked_v2(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let [high, low, ..] = *span.head::<{ field::SLL2_LEN }>()?;
    Ok(Layer::EtherType(u16::from_be_bytes([high, low]), span.skip(field::SLL2_LEN)?))
}
