//! The TCP header.

use super::layer::Ports;
use super::options;
use super::span::Span;
use super::{Tcp, TcpFlags, TcpOptions, Undecoded};
use crate::SeqNum;

/// Offsets in the header (RFC 9293, section 3.1).
mod field {
    pub(super) const SOURCE_PORT: usize = 0;
    pub(super) const DESTINATION_PORT: usize = 2;
    pub(super) const SEQUENCE_NUMBER: usize = 4;
    pub(super) const ACKNOWLEDGMENT_NUMBER: usize = 8;
    /// In the upper four bits, in units of 4 bytes.
    pub(super) const DATA_OFFSET: usize = 12;
    pub(super) const FLAGS: usize = 13;
    pub(super) const WINDOW: usize = 14;
    /// Length of the fixed header; options follow.
    pub(super) const FIXED_LEN: usize = 20;
}

type FixedHeader = [u8; field::FIXED_LEN];

#[inline]
const fn u16_at(header: &FixedHeader, at: usize) -> u16 {
    u16::from_be_bytes([header[at], header[at + 1]])
}

#[inline]
const fn u32_at(header: &FixedHeader, at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

/// A TCP segment (RFC 9293, section 3.1), of which only the fixed header must have been captured.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "what is decoded is large, and every packet pays for moving it"
)]
pub(super) fn segment(span: Span<'_>) -> Result<(Ports, Tcp<'_>), Undecoded> {
    let header: &FixedHeader = span.head()?;
    let header_len = u32::from(header[field::DATA_OFFSET] >> 4) * 4;
    if header_len < field::FIXED_LEN as u32 {
        return Err(Undecoded::Malformed);
    }
    let options = match span.bytes.get(field::FIXED_LEN..header_len as usize) {
        Some(bytes) if header_len <= span.len => options::read(bytes),
        _ => TcpOptions::default(),
    };
    let payload = span.skip_cut(header_len);
    let tcp = Tcp {
        seq: SeqNum(u32_at(header, field::SEQUENCE_NUMBER)),
        ack: SeqNum(u32_at(header, field::ACKNOWLEDGMENT_NUMBER)),
        flags: TcpFlags(header[field::FLAGS]),
        window: u16_at(header, field::WINDOW),
        options,
        short: header_len > span.len,
        payload_len: payload.len,
        payload: payload.bytes,
    };
    let ports = Ports {
        source: u16_at(header, field::SOURCE_PORT),
        destination: u16_at(header, field::DESTINATION_PORT),
    };
    Ok((ports, tcp))
}
