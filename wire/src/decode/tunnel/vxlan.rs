//! VXLAN (RFC 7348).

use crate::decode::TunnelKind;
use crate::decode::layer::{Entered, Layer};
use crate::decode::span::Span;

/// The header (RFC 7348, section 5).
mod field {
    pub(super) const FLAGS: usize = 0;
    /// Three bytes.
    pub(super) const VNI: usize = 4;
    pub(super) const RESERVED: usize = 7;
    pub(super) const LEN: usize = 8;
    /// The network identifier is valid.
    pub(super) const FLAG_I: u8 = 0x08;
}

/// Length of the Ethernet header inside.
const ETHERNET_LEN: u32 = 14;

/// VXLAN (RFC 7348, section 5): the I flag, a network identifier, an Ethernet frame.
pub(super) fn vxlan(span: Span<'_>) -> Option<Entered<'_>> {
    let header = span.head::<{ field::LEN }>().ok()?;
    let inner = span.skip(field::LEN).ok()?;
    // Byte 7 is reserved; bytes 1 to 3 hold the group of the group policy extension.
    if header[field::FLAGS] & field::FLAG_I == 0
        || header[field::RESERVED] != 0
        || inner.len < ETHERNET_LEN
    {
        return None;
    }
    Some(Entered {
        kind: TunnelKind::Vxlan,
        id: Some(u32::from_be_bytes([
            0,
            header[field::VNI],
            header[field::VNI + 1],
            header[field::VNI + 2],
        ])),
        is_network: true,
        inner: Layer::Ethernet(inner),
    })
}
