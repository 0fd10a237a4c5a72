//! VXLAN (RFC 7348) and its generic protocol extension (draft-ietf-nvo3-vxlan-gpe).

use crate::decode::layer::{Entered, Layer};
use crate::decode::span::Span;
use crate::decode::{TunnelKind, ether_type};

/// UDP port of the generic protocol extension (draft-ietf-nvo3-vxlan-gpe, section 3).
pub(super) const GPE_PORT: u16 = 4790;

/// The header (RFC 7348, section 5; draft-ietf-nvo3-vxlan-gpe, section 3).
mod field {
    pub(super) const FLAGS: usize = 0;
    /// Reserved in VXLAN; with its group policy extension, the group.
    pub(super) const GPE_RESERVED: [usize; 2] = [1, 2];
    pub(super) const GPE_NEXT_PROTOCOL: usize = 3;
    /// Three bytes.
    pub(super) const VNI: usize = 4;
    pub(super) const RESERVED: usize = 7;
    pub(super) const LEN: usize = 8;
    /// The network identifier is valid.
    pub(super) const FLAG_I: u8 = 0x08;
    /// The next protocol is valid: the generic protocol extension.
    pub(super) const GPE_FLAG_P: u8 = 0x04;
    pub(super) const GPE_VERSION: u8 = 0x30;
}

/// Next protocols (draft-ietf-nvo3-vxlan-gpe, section 3.2).
mod next_protocol {
    pub(super) const IPV4: u8 = 1;
    pub(super) const IPV6: u8 = 2;
    pub(super) const ETHERNET: u8 = 3;
    pub(super) const NSH: u8 = 4;
    pub(super) const MPLS: u8 = 5;
}

/// Ethernet header inside.
const ETHERNET_LEN: u32 = 14;
const ETHER_TYPE: std::ops::Range<usize> = 12..14;

/// VXLAN (RFC 7348, section 5): the I flag, a network identifier, an Ethernet frame; or what the
/// next protocol of the generic protocol extension says. All other bits must be ignored.
pub(super) fn vxlan(span: Span<'_>) -> Option<Entered<'_>> {
    let header = span.head::<{ field::LEN }>().ok()?;
    let content = span.skip(field::LEN).ok()?;
    if header[field::FLAGS] & field::FLAG_I == 0 {
        return None;
    }
    let (kind, inner) = match extended(header, content) {
        Some(layer) => (TunnelKind::VxlanGpe, layer),
        None => (TunnelKind::Vxlan, ethernet(header, content)?),
    };
    Some(Entered {
        kind,
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

/// The Ethernet frame. Reserved bits nearly always are 0; where byte 7 is not, the frame must have
/// a common EtherType: the port alone proves nothing.
fn ethernet<'r>(header: &[u8; field::LEN], content: Span<'r>) -> Option<Layer<'r>> {
    let is_common = || {
        let number = content.bytes.get(ETHER_TYPE).and_then(|bytes| bytes.first_chunk::<2>());
        number.is_some_and(|number| ether_type::is_common(u16::from_be_bytes(*number)))
    };
    let is_frame = content.len >= ETHERNET_LEN && (header[field::RESERVED] == 0 || is_common());
    is_frame.then_some(Layer::Ethernet(content))
}

/// What the generic protocol extension carries. To VXLAN its bits are reserved ones, so they count
/// only where the content is what they say.
fn extended<'r>(header: &[u8; field::LEN], content: Span<'r>) -> Option<Layer<'r>> {
    let flags = header[field::FLAGS];
    if flags & field::GPE_FLAG_P == 0
        || flags & field::GPE_VERSION != 0
        || field::GPE_RESERVED.map(|at| header[at]) != [0, 0]
    {
        return None;
    }
    let version = content.bytes.first()? >> 4;
    match (header[field::GPE_NEXT_PROTOCOL], version) {
        (next_protocol::IPV4, 4) => Some(Layer::EtherType(ether_type::IPV4, content)),
        (next_protocol::IPV6, 6) => Some(Layer::EtherType(ether_type::IPV6, content)),
        (next_protocol::ETHERNET, _) => ethernet(header, content),
        // Version 0, with or without the bit for operations and management.
        (next_protocol::NSH, 0 | 2) => Some(Layer::EtherType(ether_type::NSH, content)),
        (next_protocol::MPLS, _) => Some(Layer::Mpls(content)),
        _ => None,
    }
}
