//! The UDP header.

use etherparse::UdpHeaderSlice;

use super::Undecoded;
use super::layer::Ports;
use super::span::Span;

/// Length of the header (RFC 768).
const HEADER_LEN: u16 = 8;

/// A UDP header (RFC 768); its length field says where the payload ends, unless it is 0 (RFC 2675,
/// section 4, and TSO).
#[inline]
pub(super) fn datagram(span: Span<'_>) -> Result<(Ports, Span<'_>), Undecoded> {
    let header = UdpHeaderSlice::from_slice(span.bytes).map_err(|_| span.short())?;
    let payload = match header.length() {
        0 => span,
        1..HEADER_LEN => return Err(Undecoded::Malformed),
        len => span.limit(u32::from(len)),
    }
    .skip(HEADER_LEN.into())?;
    Ok((Ports { source: header.source_port(), destination: header.destination_port() }, payload))
}
