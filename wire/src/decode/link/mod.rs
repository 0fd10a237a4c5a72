//! The link layer: Ethernet, VLAN tags, and what other link types have before IP.

mod infiniband;
mod llc;
mod nflog;
mod ppp;
mod wireless;

use etherparse::SingleVlanHeaderSlice;

use self::llc::llc;
pub(super) use self::ppp::ppp;
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
    /// The address family of LINKTYPE_NULL and LINKTYPE_LOOP.
    pub(super) const FAMILY_LEN: usize = 4;
    /// LINKTYPE_LINUX_SLL ends with the EtherType.
    pub(super) const SLL_LEN: usize = 16;
    /// LINKTYPE_LINUX_SLL2 begins with the EtherType.
    pub(super) const SLL2_LEN: usize = 20;
    /// LINKTYPE_ENC: address family, security parameter index, flags.
    pub(super) const ENC_LEN: usize = 12;
    /// LINKTYPE_PFLOG begins with its own length, without padding to 4 bytes, and the family.
    pub(super) const PFLOG_LEN: usize = 0;
    pub(super) const PFLOG_FAMILY: usize = 1;
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
        LinkType::Null | LinkType::Loop => family_first(span, field::FAMILY_LEN),
        LinkType::LinuxSll => cooked_v1(span),
        LinkType::LinuxSll2 => cooked_v2(span),
        other => rare(other, span),
    }
}

#[cold]
fn rare(link_type: LinkType, span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    match link_type {
        LinkType::Ppp => ppp::ppp_framed(span),
        LinkType::PppHdlc => ppp::hdlc(span),
        LinkType::PppWithDirection => ppp::ppp_with_direction(span),
        LinkType::CiscoHdlc => ppp::cisco_hdlc(span),
        LinkType::Pppoe => Ok(Layer::EtherType(ether_type::PPPOE_SESSION, span)),
        LinkType::Llc => llc(span),
        LinkType::Mpls => Ok(Layer::Mpls(span)),
        LinkType::Enc => family_first(span, field::ENC_LEN),
        LinkType::Pflog => pflog(span),
        LinkType::Nflog => nflog::nflog(span),
        LinkType::Ieee80211 => wireless::frame(span, false),
        LinkType::Radiotap => wireless::radiotap(span),
        LinkType::Ipoib => infiniband::ipoib(span),
        LinkType::Infiniband => infiniband::infiniband(span),
        _ => Err(Undecoded::LinkType),
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
        Ok(Step::Next(llc(rest)?))
    }
}

/// One IEEE 802.1Q or 802.1ad tag.
pub(super) fn vlan(span: Span<'_>) -> Result<Step<'_>, Undecoded> {
    let tag = SingleVlanHeaderSlice::from_slice(span.bytes).map_err(|_| span.short())?;
    let number = tag.ether_type().0;
    let rest = span.skip(field::VLAN_TAG_LEN)?;
    let next =
        if number > ether_type::MAX_LENGTH { Layer::EtherType(number, rest) } else { llc(rest)? };
    Ok(Step::Vlan(tag.vlan_identifier().value(), next))
}

/// A header of `len` bytes that begins with the address family, in the byte order of some host:
/// small either way round.
fn family_first(span: Span<'_>, len: usize) -> Result<Layer<'_>, Undecoded> {
    let head = *span.head::<{ field::FAMILY_LEN }>()?;
    let little = u32::from_le_bytes(head);
    let family = if little <= 0xffff { little } else { u32::from_be_bytes(head) };
    by_family(family, span.skip(len)?)
}

fn by_family(family: u32, packet: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    match family {
        family::INET => Ok(Layer::EtherType(ether_type::IPV4, packet)),
        family::INET6_LINUX
        | family::INET6_NETBSD
        | family::INET6_FREEBSD
        | family::INET6_DARWIN => Ok(Layer::EtherType(ether_type::IPV6, packet)),
        _ => Err(Undecoded::NotIp),
    }
}

fn pflog(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let header = span.head::<2>()?;
    let len = usize::from(header[field::PFLOG_LEN]).next_multiple_of(4);
    by_family(u32::from(header[field::PFLOG_FAMILY]), span.skip(len)?)
}

fn cooked_v1(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let [.., high, low] = *span.head::<{ field::SLL_LEN }>()?;
    Ok(Layer::EtherType(u16::from_be_bytes([high, low]), span.skip(field::SLL_LEN)?))
}

fn cooked_v2(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let [high, low, ..] = *span.head::<{ field::SLL2_LEN }>()?;
    Ok(Layer::EtherType(u16::from_be_bytes([high, low]), span.skip(field::SLL2_LEN)?))
}
