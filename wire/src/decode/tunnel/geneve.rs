//! GENEVE (RFC 8926).

use crate::decode::TunnelKind;
use crate::decode::layer::{Entered, Layer};
use crate::decode::span::Span;

/// UDP port (RFC 8926, section 3.3).
pub(super) const PORT: u16 = 6081;
/// Protocol type of a bridged Ethernet frame.
const ETHERNET: u16 = 0x6558;

/// GENEVE with its options skipped (RFC 8926, section 3.4).
pub(super) fn geneve(span: Span<'_>) -> Option<Entered<'_>> {
    let h = span.head::<8>().ok()?;
    if h[0] >> 6 != 0 || h[7] != 0 {
        return None;
    }
    let inner = span.skip(8 + usize::from(h[0] & 0x3f) * 4).ok()?;
    let inner = match u16::from_be_bytes([h[2], h[3]]) {
        ETHERNET => Layer::Ethernet(inner),
        0..=1500 => return None,
        ether_type => Layer::EtherType(ether_type, inner),
    };
    Some(Entered {
        kind: TunnelKind::Geneve,
        id: Some(u32::from_be_bytes([0, h[4], h[5], h[6]])),
        is_network: true,
        inner,
    })
}
