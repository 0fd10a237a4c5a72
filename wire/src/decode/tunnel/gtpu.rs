//! GTP-U, the user plane of mobile networks (3GPP TS 29.281).

use crate::decode::TunnelKind;
use crate::decode::layer::{Entered, Layer};
use crate::decode::span::Span;

/// UDP port (3GPP TS 29.281, section 4.4.2).
pub(super) const PORT: u16 = 2152;
/// Message type of a user packet (3GPP TS 29.281, section 6.1).
const G_PDU: u8 = 255;

/// The header (3GPP TS 29.281, section 5.1).
mod field {
    /// Version (3 bits), protocol type, reserved, E, S, PN.
    pub(super) const FLAGS: usize = 0;
    pub(super) const MESSAGE_TYPE: usize = 1;
    pub(super) const LENGTH: usize = 2;
    pub(super) const TEID: usize = 4;
    pub(super) const LEN: usize = 8;
    /// Sequence number, N-PDU number and type of the first extension header.
    pub(super) const OPTIONAL_LEN: usize = 4;
    pub(super) const VERSION_SHIFT: u8 = 5;
    /// GTP, not GTP'.
    pub(super) const PROTOCOL_TYPE: u8 = 0x10;
    /// E, S or PN: the optional fields are there.
    pub(super) const HAS_OPTIONAL: u8 = 0x07;
    /// E: an extension header follows.
    pub(super) const HAS_EXTENSION: u8 = 0x04;
}

/// GTP-U version 1 with a user packet in it (3GPP TS 29.281, section 5.1); other messages are no
/// tunnel.
pub(super) fn gtpu(span: Span<'_>) -> Option<Entered<'_>> {
    let header = span.head::<{ field::LEN }>().ok()?;
    let flags = header[field::FLAGS];
    let is_gtp1 = flags >> field::VERSION_SHIFT == 1 && flags & field::PROTOCOL_TYPE != 0;
    if !is_gtp1 || header[field::MESSAGE_TYPE] != G_PDU {
        return None;
    }
    let len = u32::from(u16::from_be_bytes([header[field::LENGTH], header[field::LENGTH + 1]]));
    let mut inner = span.limit(len + field::LEN as u32).skip(field::LEN).ok()?;
    if flags & field::HAS_OPTIONAL != 0 {
        let [.., mut extension] = *inner.head::<{ field::OPTIONAL_LEN }>().ok()?;
        inner = inner.skip(field::OPTIONAL_LEN).ok()?;
        if flags & field::HAS_EXTENSION == 0 {
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
    let id = header[field::TEID..].first_chunk().map(|id| u32::from_be_bytes(*id));
    Some(Entered { kind: TunnelKind::Gtpu, id, is_network: false, inner: Layer::Ip(inner) })
}
