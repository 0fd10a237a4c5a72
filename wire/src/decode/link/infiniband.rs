//! IP over InfiniBand (RFC 4391), with and without the headers of InfiniBand.

use crate::decode::layer::Layer;
use crate::decode::span::Span;
use crate::decode::{Undecoded, ether_type};

/// Headers of InfiniBand (InfiniBand Architecture Specification, volume 1, chapters 7 to 9).
mod field {
    pub(super) const LOCAL_ROUTE_LEN: usize = 8;
    /// What follows the local routing header, in the low two bits.
    pub(super) const NEXT_HEADER: usize = 1;
    pub(super) const NEXT_HEADER_MASK: u8 = 0x03;
    pub(super) const LOCAL: u8 = 2;
    pub(super) const GLOBAL: u8 = 3;
    pub(super) const GLOBAL_ROUTE_LEN: usize = 40;
    pub(super) const TRANSPORT_LEN: usize = 12;
    /// First byte of the transport header: a message that is one packet, connected or not.
    pub(super) const CONNECTED_SEND: u8 = 0x04;
    pub(super) const DATAGRAM_SEND: u8 = 0x64;
    pub(super) const DATAGRAM_LEN: usize = 8;
    /// EtherType, then two reserved bytes (RFC 4391, section 6).
    pub(super) const ENCAPSULATION_LEN: usize = 4;
}

/// The global routing header, then the packet.
pub(super) fn ipoib(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    packet(span.skip(field::GLOBAL_ROUTE_LEN)?)
}

/// A frame of InfiniBand whose message is one packet; others are no IP, or a part of it.
pub(super) fn infiniband(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let header = span.head::<{ field::LOCAL_ROUTE_LEN }>()?;
    let rest = span.skip(field::LOCAL_ROUTE_LEN)?;
    let transport = match header[field::NEXT_HEADER] & field::NEXT_HEADER_MASK {
        field::LOCAL => rest,
        field::GLOBAL => rest.skip(field::GLOBAL_ROUTE_LEN)?,
        _ => return Err(Undecoded::NotIp),
    };
    let message = transport.skip(field::TRANSPORT_LEN)?;
    let packet_at = match transport.head::<1>()?[0] {
        field::CONNECTED_SEND => message,
        field::DATAGRAM_SEND => message.skip(field::DATAGRAM_LEN)?,
        _ => return Err(Undecoded::NotIp),
    };
    packet(packet_at)
}

/// Other messages than those of IP are sent in the same way: the version must fit the EtherType.
fn packet(span: Span<'_>) -> Result<Layer<'_>, Undecoded> {
    let [high, low, ..] = *span.head::<{ field::ENCAPSULATION_LEN }>()?;
    let number = u16::from_be_bytes([high, low]);
    let packet = span.skip(field::ENCAPSULATION_LEN)?;
    match (number, packet.head::<1>()?[0] >> 4) {
        (ether_type::IPV4, 4) | (ether_type::IPV6, 6) => Ok(Layer::EtherType(number, packet)),
        _ => Err(Undecoded::NotIp),
    }
}
