//! ERSPAN: mirrored Ethernet frames in GRE.

use crate::decode::layer::{Entered, Layer};
use crate::decode::span::Span;
use crate::decode::{TunnelKind, Undecoded};

/// GRE protocol type of ERSPAN types I and II (draft-foschiano-erspan, sections 4.1 and 4.2).
pub(super) const TYPE_II: u16 = 0x88be;
/// GRE protocol type of ERSPAN type III (draft-foschiano-erspan, section 4.3).
pub(super) const TYPE_III: u16 = 0x22eb;

/// Mirrored Ethernet frames: type I has no header of its own and no GRE sequence number.
///
/// Session and VLAN of the ERSPAN header are the mirror's, and may differ between the directions of
/// one connection (one session for each port or direction): neither is part of a flow's identity.
/// Tags of the mirrored frame are.
pub(super) fn erspan(protocol: u16, sequence: bool, span: Span<'_>) -> Result<Entered<'_>, Undecoded> {
    if protocol == TYPE_II && !sequence {
        return Ok(Entered {
            kind: TunnelKind::Erspan,
            id: None,
            is_network: false,
            inner: Layer::Ethernet(span),
        });
    }
    let h = span.head::<8>()?;
    let session = u32::from(u16::from_be_bytes([h[2], h[3]]) & 0x03ff);
    let inner = if protocol == TYPE_III { type_iii(span)? } else { Layer::Ethernet(span.skip(8)?) };
    Ok(Entered { kind: TunnelKind::Erspan, id: Some(session), is_network: false, inner })
}

fn type_iii(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let h = span.head::<12>()?;
    let rest = span.skip(12)?;
    let rest = if h[11] & 0x01 != 0 { rest.skip(8)? } else { rest };
    match (h[10] >> 2) & 0x1f {
        2 => Ok(Layer::Ip(rest)),
        _ => Ok(Layer::Ethernet(rest)),
    }
}
