//! The link layer: Ethernet, VLAN tags, Linux cooked, loopback, raw IP.

use etherparse::SingleVlanHeaderSlice;

use super::Undecoded;
use super::layer::{Layer, Step};
use super::span::Span;
use crate::{LinkType, RawFrame};

/// EtherType of IPv4.
pub(super) const IPV4: u16 = 0x0800;
/// EtherType of IPv6.
pub(super) const IPV6: u16 = 0x86dd;
/// Whether an EtherType announces an IEEE 802.1Q or 802.1ad tag.
#[inline]
pub(super) const fn is_vlan(ether_type: u16) -> bool {
    matches!(ether_type, 0x8100 | 0x88a8 | 0x9100)
}

/// Values up to this one are lengths of IEEE 802.3 frames.
const MAX_LENGTH_FIELD: u16 = 1500;

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
    let head = span.head::<14>()?;
    let ether_type = u16::from_be_bytes([head[12], head[13]]);
    let rest = span.skip(14)?;
    if ether_type > MAX_LENGTH_FIELD { Ok(Step::Next(Layer::EtherType(ether_type, rest))) } else { llc(rest) }
}

/// IEEE 802.2: only SNAP with an EtherType (RFC 1042) can carry IP.
#[cold]
fn llc(span: Span<'_>) -> Result<Step<'_>, Undecoded> {
    match span.bytes {
        [0xaa, 0xaa, 0x03, 0, 0, 0, high, low, ..] => {
            Ok(Step::Next(Layer::EtherType(u16::from_be_bytes([*high, *low]), span.skip(8)?)))
        }
        _ => Err(Undecoded::NotIp),
    }
}

/// One IEEE 802.1Q or 802.1ad tag.
pub(super) fn vlan(span: Span<'_>) -> Result<Step<'_>, Undecoded> {
    let tag = SingleVlanHeaderSlice::from_slice(span.bytes).map_err(|_| span.short())?;
    let ether_type = tag.ether_type().0;
    let rest = span.skip(4)?;
    let next = if ether_type > MAX_LENGTH_FIELD {
        Layer::EtherType(ether_type, rest)
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
    let head = *span.head::<4>()?;
    let little = u32::from_le_bytes(head);
    let family = if little <= 0xffff { little } else { u32::from_be_bytes(head) };
    let rest = span.skip(4)?;
    match family {
        2 => Ok(Layer::EtherType(IPV4, rest)),
        10 | 24 | 28 | 30 => Ok(Layer::EtherType(IPV6, rest)),
        _ => Err(Undecoded::NotIp),
    }
}

fn cooked_v1(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let head = span.head::<16>()?;
    Ok(Layer::EtherType(u16::from_be_bytes([head[14], head[15]]), span.skip(16)?))
}

fn cooked_v2(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let head = span.head::<20>()?;
    Ok(Layer::EtherType(u16::from_be_bytes([head[0], head[1]]), span.skip(20)?))
}
