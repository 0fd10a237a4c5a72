//! PPPoE sessions (RFC 2516).

use crate::decode::layer::Entered;
use crate::decode::link::ppp;
use crate::decode::span::Span;
use crate::decode::{TunnelKind, Undecoded};

/// The session header (RFC 2516, section 4).
mod field {
    pub(super) const VERSION_TYPE: usize = 0;
    pub(super) const CODE: usize = 1;
    pub(super) const SESSION_ID: usize = 2;
    pub(super) const LENGTH: usize = 4;
    pub(super) const LEN: usize = 6;
    /// Version 1 and type 1.
    pub(super) const VERSION_1_TYPE_1: u8 = 0x11;
    /// Code of session data; others are of the discovery.
    pub(super) const SESSION_DATA: u8 = 0;
}

/// A PPPoE session packet (RFC 2516, section 4) with PPP in it (RFC 1661, section 2).
pub(in crate::decode) fn pppoe(span: Span<'_>) -> Result<Entered<'_>, Undecoded> {
    let header = span.head::<{ field::LEN }>()?;
    let half = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    if header[field::VERSION_TYPE] != field::VERSION_1_TYPE_1 {
        return Err(Undecoded::Malformed);
    }
    if header[field::CODE] != field::SESSION_DATA {
        return Err(Undecoded::NotIp);
    }
    let session = half(field::SESSION_ID);
    let len = u32::from(half(field::LENGTH));
    let inner = ppp(span.limit(len + field::LEN as u32).skip(field::LEN)?)?;
    Ok(Entered { kind: TunnelKind::Pppoe, id: Some(u32::from(session)), is_network: false, inner })
}
