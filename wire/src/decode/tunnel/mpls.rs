//! MPLS label stacks (RFC 3032).

use crate::decode::ether_type;
use crate::decode::layer::{Entered, Layer};
use crate::decode::span::Span;
use crate::decode::{TunnelKind, Undecoded};

/// Fields of a label stack entry (RFC 3032, section 2.1).
const BOTTOM_OF_STACK: u32 = 0x100;
const LABEL_SHIFT: u32 = 12;
/// Labels that a stack may hold.
const MAX_LABELS: usize = 16;

/// A label stack (RFC 3032, section 2.1); its id is the label at the bottom, which names the
/// service. The payload has no type: IP by its version nibble, else Ethernet (RFC 4448) with or
/// without a control word (RFC 4385).
pub(in crate::decode) fn mpls(mut span: Span<'_>) -> Result<Entered<'_>, Undecoded> {
    for _ in 0..MAX_LABELS {
        let entry = u32::from_be_bytes(*span.head::<4>()?);
        span = span.skip(4)?;
        if entry & BOTTOM_OF_STACK != 0 {
            let inner = payload(span)?;
            return Ok(Entered {
                kind: TunnelKind::Mpls,
                id: Some(entry >> LABEL_SHIFT),
                is_network: false,
                inner,
            });
        }
    }
    Err(Undecoded::Malformed)
}

fn payload(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let first = span.head::<1>()?[0];
    match first >> 4 {
        4 if looks_like_ipv4(span) => Ok(Layer::Ip(span)),
        6 if looks_like_ipv6(span) => Ok(Layer::Ip(span)),
        0 if has_control_word(span) => Ok(Layer::Ethernet(span.skip(4)?)),
        1 if !is_ethernet(span.bytes) => Err(Undecoded::NotIp),
        _ => Ok(Layer::Ethernet(span)),
    }
}

/// A length that fits exactly is proof; one that leaves padding is not if the bytes could be
/// Ethernet.
fn looks_like_ipv4(span: Span<'_>) -> bool {
    let &[first, _, high, low, ..] = span.bytes else { return true };
    let len = u32::from(u16::from_be_bytes([high, low]));
    let plausible = first & 0x0f >= 5 && len <= span.len;
    plausible && (len == span.len || !is_ethernet(span.bytes))
}

fn looks_like_ipv6(span: Span<'_>) -> bool {
    let &[_, _, _, _, high, low, ..] = span.bytes else { return true };
    let len = u32::from(u16::from_be_bytes([high, low])) + 40;
    len == span.len || (len < span.len && !is_ethernet(span.bytes))
}

/// A MAC address may start with a zero nibble as well: the EtherType behind decides.
fn has_control_word(span: Span<'_>) -> bool {
    let behind = span.bytes.get(4..).unwrap_or_default();
    is_ethernet(behind) || !is_ethernet(span.bytes)
}

fn is_ethernet(bytes: &[u8]) -> bool {
    let Some(&[high, low]) = bytes.get(12..14) else { return false };
    ether_type::is_common(u16::from_be_bytes([high, low]))
}
