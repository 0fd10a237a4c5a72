//! PPPoE sessions (RFC 2516).

use crate::decode::layer::{Entered, Layer};
use crate::decode::span::Span;
use crate::decode::{TunnelKind, Undecoded};

/// A PPPoE session packet (RFC 2516, section 4) with PPP in it (RFC 1661, section 2).
pub(in crate::decode) fn pppoe(span: Span<'_>) -> Result<Entered<'_>, Undecoded> {
    let h = span.head::<6>()?;
    if h[0] != 0x11 {
        return Err(Undecoded::Malformed);
    }
    if h[1] != 0 {
        return Err(Undecoded::NotIp);
    }
    let session = u16::from_be_bytes([h[2], h[3]]);
    let len = u32::from(u16::from_be_bytes([h[4], h[5]]));
    let inner = ppp(span.limit(len + 6).skip(6)?)?;
    Ok(Entered { kind: TunnelKind::Pppoe, id: Some(u32::from(session)), is_network: false, inner })
}

/// PPP by its protocol field, which may be compressed to one byte.
fn ppp(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let first = span.head::<1>()?[0];
    let (protocol, rest) = if first & 1 == 1 {
        (u16::from(first), span.skip(1)?)
    } else {
        (u16::from_be_bytes(*span.head::<2>()?), span.skip(2)?)
    };
    match protocol {
        0x0021 => Ok(Layer::EtherType(0x0800, rest)),
        0x0057 => Ok(Layer::EtherType(0x86dd, rest)),
        0x0281 | 0x0283 => Ok(Layer::Mpls(rest)),
        _ => Err(Undecoded::NotIp),
    }
}
