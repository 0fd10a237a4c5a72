//! IEEE 802.2: what may stand before IP where there is no EtherType.

use crate::decode::layer::Layer;
use crate::decode::span::Span;
use crate::decode::{Undecoded, ether_type};

/// Service access points and control of SNAP and of IP (RFC 1042), and the length of each header.
const SNAP: [u8; 3] = [0xaa, 0xaa, 0x03];
const SNAP_LEN: usize = 8;
const IP: [u8; 3] = [0x06, 0x06, 0x03];
/// Organisations whose protocol numbers are EtherTypes (RFC 1042; IEEE 802.1H).
const RFC_1042: [u8; 3] = [0, 0, 0];
const BRIDGE_TUNNEL: [u8; 3] = [0, 0, 0xf8];

/// LLC with SNAP and an EtherType, or with the service access point of IP.
pub(in crate::decode) fn llc(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    if span.bytes.starts_with(&IP) {
        return Ok(Layer::EtherType(ether_type::IPV4, span.skip(IP.len())?));
    }
    match *span.bytes {
        [a, b, c, d, e, f, high, low, ..]
            if [a, b, c] == SNAP && matches!([d, e, f], RFC_1042 | BRIDGE_TUNNEL) =>
        {
            let number = u16::from_be_bytes([high, low]);
            Ok(Layer::EtherType(number, span.skip(SNAP_LEN)?))
        }
        _ => Err(Undecoded::NotIp),
    }
}
