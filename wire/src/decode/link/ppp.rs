//! PPP in its framings, and Cisco's HDLC.

use crate::decode::layer::Layer;
use crate::decode::span::Span;
use crate::decode::{Undecoded, ether_type};

/// Address and control of PPP in HDLC framing (RFC 1662, section 3.1).
const ADDRESS: u8 = 0xff;
const CONTROL: u8 = 0x03;
/// Addresses of Cisco's HDLC, unicast and multicast; a control byte and an EtherType follow.
const CISCO_UNICAST: u8 = 0x0f;
const CISCO_MULTICAST: u8 = 0x8f;
const CISCO_LEN: usize = 4;

/// Numbers of PPP protocols (IANA, "PPP DLL Protocol Numbers").
mod protocol {
    pub(super) const IPV4: u16 = 0x0021;
    pub(super) const IPV6: u16 = 0x0057;
    pub(super) const MPLS: u16 = 0x0281;
    pub(super) const MPLS_UPSTREAM: u16 = 0x0283;
}

/// PPP (RFC 1661, section 2) by its protocol field, which may be compressed to one byte.
pub(in crate::decode) fn ppp(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let first = span.head::<1>()?[0];
    let (number, rest) = if first & 1 == 1 {
        (u16::from(first), span.skip(1)?)
    } else {
        (u16::from_be_bytes(*span.head::<2>()?), span.skip(2)?)
    };
    match number {
        protocol::IPV4 => Ok(Layer::EtherType(ether_type::IPV4, rest)),
        protocol::IPV6 => Ok(Layer::EtherType(ether_type::IPV6, rest)),
        protocol::MPLS | protocol::MPLS_UPSTREAM => Ok(Layer::Mpls(rest)),
        _ => Err(Undecoded::NotIp),
    }
}

/// PPP with or without address and control, which a peer may leave out (RFC 1661, section 6.6).
pub(super) fn ppp_framed(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    ppp(if span.bytes.starts_with(&[ADDRESS, CONTROL]) { span.skip(2)? } else { span })
}

/// A byte for the direction, 0 or 1, which stands before the address or in its place.
pub(super) fn ppp_with_direction(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let rest = span.skip(1)?;
    ppp_framed(if rest.bytes.first() == Some(&CONTROL) { rest.skip(1)? } else { rest })
}

/// Cisco's HDLC, or PPP.
pub(super) fn hdlc(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    match span.head::<1>()?[0] {
        CISCO_UNICAST | CISCO_MULTICAST => cisco_hdlc(span),
        _ => ppp_framed(span),
    }
}

/// Cisco's HDLC (RFC 1547, section 4.3.1).
pub(super) fn cisco_hdlc(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let [_address, _control, high, low] = *span.head::<CISCO_LEN>()?;
    Ok(Layer::EtherType(u16::from_be_bytes([high, low]), span.skip(CISCO_LEN)?))
}
