//! The TCP header.

use super::layer::Ports;
use super::options;
use super::span::Span;
use super::{Tcp, TcpFlags, TcpOptions, Undecoded};
use crate::SeqNum;

/// A TCP segment (RFC 9293, section 3.1), of which only the fixed header must have been captured.
#[inline(always)]
#[expect(clippy::inline_always, reason = "what is decoded is large, and every packet pays for moving it")]
pub(super) fn segment(span: Span<'_>) -> Result<(Ports, Tcp<'_>), Undecoded> {
    let h = span.head::<20>()?;
    let header_len = u32::from(h[12] >> 4) * 4;
    if header_len < 20 {
        return Err(Undecoded::Malformed);
    }
    let options = match span.bytes.get(20..header_len as usize) {
        Some(bytes) if header_len <= span.len => options::read(bytes),
        _ => TcpOptions::default(),
    };
    let payload = span.skip_cut(header_len);
    let tcp = Tcp {
        seq: SeqNum(u32::from_be_bytes([h[4], h[5], h[6], h[7]])),
        ack: SeqNum(u32::from_be_bytes([h[8], h[9], h[10], h[11]])),
        flags: TcpFlags(h[13]),
        window: u16::from_be_bytes([h[14], h[15]]),
        options,
        short: header_len > span.len,
        payload_len: payload.len,
        payload: payload.bytes,
    };
    let ports =
        Ports { source: u16::from_be_bytes([h[0], h[1]]), destination: u16::from_be_bytes([h[2], h[3]]) };
    Ok((ports, tcp))
}
