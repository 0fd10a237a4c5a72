//! ERSPAN: mirrored Ethernet frames in GRE.

use crate::decode::layer::{Entered, Layer};
use crate::decode::span::Span;
use crate::decode::{TunnelKind, Undecoded};

/// GRE protocol type of ERSPAN types I and II (draft-foschiano-erspan, sections 4.1 and 4.2).
pub(super) const TYPE_II: u16 = 0x88be;
/// GRE protocol type of ERSPAN type III (draft-foschiano-erspan, section 4.3).
pub(super) const TYPE_III: u16 = 0x22eb;

/// The headers of type II (section 4.2) and type III (section 4.3).
mod field {
    /// In the low ten bits.
    pub(super) const SESSION_ID: usize = 2;
    pub(super) const SESSION_ID_MASK: u16 = 0x03ff;
    pub(super) const TYPE_II_LEN: usize = 8;
    /// Frame type in bits 2 to 6.
    pub(super) const FRAME_TYPE: usize = 10;
    pub(super) const FRAME_TYPE_IP: u8 = 2;
    /// The O bit announces a subheader.
    pub(super) const FLAGS: usize = 11;
    pub(super) const FLAG_O: u8 = 0x01;
    pub(super) const TYPE_III_LEN: usize = 12;
    pub(super) const SUBHEADER_LEN: usize = 8;
}

/// Mirrored Ethernet frames: type I has no header of its own and no GRE sequence number.
///
/// Session and VLAN of the ERSPAN header are the mirror's, and may differ between the directions of
/// one connection (one session for each port or direction): neither is part of a flow's identity.
/// Tags of the mirrored frame are.
pub(super) fn erspan(
    protocol: u16,
    sequence: bool,
    span: Span<'_>,
) -> Result<Entered<'_>, Undecoded> {
    if protocol == TYPE_II && !sequence {
        return Ok(Entered {
            kind: TunnelKind::Erspan,
            id: None,
            is_network: false,
            inner: Layer::Ethernet(span),
        });
    }
    let header = span.head::<{ field::TYPE_II_LEN }>()?;
    let session = u16::from_be_bytes([header[field::SESSION_ID], header[field::SESSION_ID + 1]]);
    let session = u32::from(session & field::SESSION_ID_MASK);
    let inner = if protocol == TYPE_III {
        type_iii(span)?
    } else {
        Layer::Ethernet(span.skip(field::TYPE_II_LEN)?)
    };
    Ok(Entered { kind: TunnelKind::Erspan, id: Some(session), is_network: false, inner })
}

fn type_iii(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let header = span.head::<{ field::TYPE_III_LEN }>()?;
    let rest = span.skip(field::TYPE_III_LEN)?;
    let has_subheader = header[field::FLAGS] & field::FLAG_O != 0;
    let rest = if has_subheader { rest.skip(field::SUBHEADER_LEN)? } else { rest };
    match (header[field::FRAME_TYPE] >> 2) & 0x1f {
        field::FRAME_TYPE_IP => Ok(Layer::Ip(rest)),
        _ => Ok(Layer::Ethernet(rest)),
    }
}
