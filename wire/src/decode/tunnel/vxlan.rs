//! VXLAN (RFC 7348).

use crate::decode::TunnelKind;
use crate::decode::layer::{Entered, Layer};
use crate::decode::span::Span;

/// VXLAN (RFC 7348, section 5): the I flag, a network identifier, an Ethernet frame.
pub(super) fn vxlan(span: Span<'_>) -> Option<Entered<'_>> {
    let h = span.head::<8>().ok()?;
    let inner = span.skip(8).ok()?;
    // Byte 7 is reserved; bytes 1 to 3 hold the group of the group policy extension.
    if h[0] & 0x08 == 0 || h[7] != 0 || inner.len < 14 {
        return None;
    }
    Some(Entered {
        kind: TunnelKind::Vxlan,
        id: Some(u32::from_be_bytes([0, h[4], h[5], h[6]])),
        is_network: true,
        inner: Layer::Ethernet(inner),
    })
}
