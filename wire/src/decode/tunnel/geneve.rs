//! GENEVE (RFC 8926).

use crate::decode::TunnelKind;
use crate::decode::ether_type::{self, BRIDGED_ETHERNET};
use crate::decode::layer::{Entered, Layer};
use crate::decode::span::Span;

/// UDP port (RFC 8926, section 3.3).
pub(super) const PORT: u16 = 6081;

/// The header (RFC 8926, section 3.4).
mod field {
    /// Version (2 bits), length of the options in units of 4 bytes (6).
    pub(super) const VERSION_OPTIONS: usize = 0;
    pub(super) const PROTOCOL_TYPE: usize = 2;
    /// Three bytes.
    pub(super) const VNI: usize = 4;
    pub(super) const RESERVED: usize = 7;
    pub(super) const LEN: usize = 8;
    pub(super) const VERSION_SHIFT: u8 = 6;
    pub(super) const OPTIONS_LENGTH: u8 = 0x3f;
}

/// GENEVE with its options skipped (RFC 8926, section 3.4).
pub(super) fn geneve(span: Span<'_>) -> Option<Entered<'_>> {
    let header = span.head::<{ field::LEN }>().ok()?;
    let version_options = header[field::VERSION_OPTIONS];
    if version_options >> field::VERSION_SHIFT != 0 {
        return None;
    }
    let number =
        u16::from_be_bytes([header[field::PROTOCOL_TYPE], header[field::PROTOCOL_TYPE + 1]]);
    // The last byte must be ignored, and nearly always is 0. Where it is not, a common protocol
    // type is asked for: the port alone proves nothing.
    let is_common = number == BRIDGED_ETHERNET || ether_type::is_common(number);
    if header[field::RESERVED] != 0 && !is_common {
        return None;
    }
    let inner =
        span.skip(field::LEN + usize::from(version_options & field::OPTIONS_LENGTH) * 4).ok()?;
    let inner = match number {
        BRIDGED_ETHERNET => Layer::Ethernet(inner),
        0..=ether_type::MAX_LENGTH => return None,
        number => Layer::EtherType(number, inner),
    };
    Some(Entered {
        kind: TunnelKind::Geneve,
        id: Some(u32::from_be_bytes([
            0,
            header[field::VNI],
            header[field::VNI + 1],
            header[field::VNI + 2],
        ])),
        is_network: true,
        inner,
    })
}
