//! GRE (RFC 2784, RFC 2890) and NVGRE (RFC 7637).

use super::erspan::{self, erspan};
use crate::decode::ether_type::{BRIDGED_ETHERNET, IPV4, IPV6, MPLS, NSH};
use crate::decode::layer::{Entered, Layer};
use crate::decode::span::Span;
use crate::decode::{TunnelKind, Undecoded};

/// Flags and version (RFC 2784, section 2; RFC 2890, section 2). The other bits must be ignored.
const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const VERSION: u16 = 0x0007;

/// GRE with checksum, key and sequence number (RFC 2784, RFC 2890), and what rides on it.
///
/// A key is reported and is no part of a flow's identity, not even around bridged Ethernet, unless
/// the configuration says so. What it means is a matter of the two ends (RFC 2890, section 2.1):
/// Linux's `ikey` and `okey` may differ, and switches that mirror ports into GRE use the key to
/// show whether a frame was received or sent, so that the two directions of one connection come
/// with two keys. Nothing on the wire tells these from an NVGRE VSID, which would be the same in
/// both. The price: two NVGRE tenants that use the same addresses and ports at the same time are
/// one flow where the underlay is tapped.
pub(in crate::decode) fn gre(span: Span<'_>) -> Result<Entered<'_>, Undecoded> {
    let [flags_high, flags_low, protocol_high, protocol_low] = *span.head::<4>()?;
    let flags = u16::from_be_bytes([flags_high, flags_low]);
    let protocol = u16::from_be_bytes([protocol_high, protocol_low]);
    if flags & (ROUTING | VERSION) != 0 {
        return Err(Undecoded::OtherTransport);
    }
    let mut rest = span.skip(4)?;
    if flags & CHECKSUM != 0 {
        rest = rest.skip(4)?;
    }
    let mut key = None;
    if flags & KEY != 0 {
        key = Some(u32::from_be_bytes(*rest.head::<4>()?));
        rest = rest.skip(4)?;
    }
    if flags & SEQUENCE != 0 {
        rest = rest.skip(4)?;
    }
    let gre = |inner| Entered { kind: TunnelKind::Gre, id: key, is_network: false, inner };
    match protocol {
        IPV4 | IPV6 | NSH => Ok(gre(Layer::EtherType(protocol, rest))),
        MPLS => Ok(gre(Layer::Mpls(rest))),
        BRIDGED_ETHERNET => Ok(Entered {
            kind: TunnelKind::Nvgre,
            // The low byte of the key is a flow hash (RFC 7637, section 3.2).
            id: key.map(|key| key >> 8),
            is_network: false,
            inner: Layer::Ethernet(rest),
        }),
        erspan::TYPE_II | erspan::TYPE_III => erspan(protocol, flags & SEQUENCE != 0, rest),
        _ => Err(Undecoded::OtherTransport),
    }
}
