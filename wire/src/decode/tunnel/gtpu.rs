//! GTP-U, the user plane of mobile networks (3GPP TS 29.281).

use crate::decode::TunnelKind;
use crate::decode::layer::{Entered, Layer};
use crate::decode::span::Span;

/// UDP port (3GPP TS 29.281, section 4.4.2).
pub(super) const PORT: u16 = 2152;
/// Message type of a user packet (3GPP TS 29.281, section 6.1).
const G_PDU: u8 = 255;

/// GTP-U version 1 with a user packet in it (3GPP TS 29.281, section 5.1); other messages are no
/// tunnel.
pub(super) fn gtpu(span: Span<'_>) -> Option<Entered<'_>> {
    let h = span.head::<8>().ok()?;
    let (flags, kind) = (h[0], h[1]);
    if flags >> 5 != 1 || flags & 0x10 == 0 || kind != G_PDU {
        return None;
    }
    let len = u32::from(u16::from_be_bytes([h[2], h[3]]));
    let mut inner = span.limit(len + 8).skip(8).ok()?;
    if flags & 0x07 != 0 {
        let mut extension = inner.head::<4>().ok()?[3];
        inner = inner.skip(4).ok()?;
        if flags & 0x04 == 0 {
            extension = 0;
        }
        while extension != 0 {
            // Extension headers count their length in 4 bytes and end with the type of the next
            // (section 5.2.1).
            let len = usize::from(inner.head::<1>().ok()?[0]) * 4;
            extension = *inner.bytes.get(len.checked_sub(1)?)?;
            inner = inner.skip(len).ok()?;
        }
    }
    if !matches!(inner.head::<1>().ok()?[0] >> 4, 4 | 6) {
        return None;
    }
    let id = u32::from_be_bytes([h[4], h[5], h[6], h[7]]);
    Some(Entered { kind: TunnelKind::Gtpu, id: Some(id), is_network: false, inner: Layer::Ip(inner) })
}
