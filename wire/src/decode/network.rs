//! The network layer: IPv4, IPv6, extension headers, fragments.

use std::net::IpAddr;

use etherparse::err::{ipv4, ipv6};
use etherparse::{
    IpAuthHeaderSlice, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice,
};

use super::layer::{Datagram, Fragment, Layer, Step};
use super::span::Span;
use super::{Ip, Undecoded};

/// Version nibble of IPv4 (RFC 791, section 3.1) and IPv6 (RFC 8200, section 3).
const IPV4_VERSION: u8 = 4;
const IPV6_VERSION: u8 = 6;
/// Length of the fixed IPv6 header (RFC 8200, section 3).
const IPV6_HEADER_LEN: u16 = 40;
/// Length of the IPv6 fragment header (RFC 8200, section 4.5).
const FRAGMENT_HEADER_LEN: usize = 8;

/// IPv4 or IPv6, by the version nibble.
pub(super) fn by_version(span: Span<'_>) -> Result<Step<'_>, Undecoded> {
    match span.head::<1>()?[0] >> 4 {
        IPV4_VERSION => ipv4(span),
        IPV6_VERSION => ipv6(span),
        _ => Err(Undecoded::Malformed),
    }
}

/// IPv4 with options (RFC 791, section 3.1). A total length of 0 is that of a segment yet to be cut
/// (TSO).
#[inline]
pub(super) fn ipv4(span: Span<'_>) -> Result<Step<'_>, Undecoded> {
    let header = Ipv4HeaderSlice::from_slice(span.bytes).map_err(|e| match e {
        ipv4::HeaderSliceError::Len(_) => span.short(),
        ipv4::HeaderSliceError::Content(_) => Undecoded::Malformed,
    })?;
    let header_len = header.slice().len();
    let len = match header.total_len() {
        0 => span.len,
        len if usize::from(len) < header_len => return Err(Undecoded::Malformed),
        len => u32::from(len),
    };
    let datagram = Datagram {
        source: IpAddr::V4(header.source_addr()),
        destination: IpAddr::V4(header.destination_addr()),
        ip: Ip { len, id: header.identification(), ttl: header.ttl(), ecn: header.ecn().value() },
        protocol: header.protocol().0,
        payload: span.limit(len).skip(header_len)?,
    };
    if header.is_fragmenting_payload() {
        let fragment = Fragment {
            id: u32::from(header.identification()),
            offset: u32::from(header.fragments_offset().byte_offset()),
            more: header.more_fragments(),
        };
        return Ok(Step::Fragment(datagram, fragment));
    }
    Ok(Step::Next(Layer::Transport(datagram)))
}

/// The fixed IPv6 header (RFC 8200, section 3). A payload length of 0 is that of a segment yet to
/// be cut (TSO).
pub(super) fn ipv6(span: Span<'_>) -> Result<Step<'_>, Undecoded> {
    let header = Ipv6HeaderSlice::from_slice(span.bytes).map_err(|e| match e {
        ipv6::HeaderSliceError::Len(_) => span.short(),
        ipv6::HeaderSliceError::Content(_) => Undecoded::Malformed,
    })?;
    let len = match header.payload_length() {
        0 => span.len,
        len => u32::from(len) + u32::from(IPV6_HEADER_LEN),
    };
    Ok(Step::Next(Layer::Transport(Datagram {
        source: IpAddr::V6(header.source_addr()),
        destination: IpAddr::V6(header.destination_addr()),
        ip: Ip { len, id: 0, ttl: header.hop_limit(), ecn: header.ecn().value() },
        protocol: header.next_header().0,
        payload: span.limit(len).skip(IPV6_HEADER_LEN.into())?,
    })))
}

/// Hop-by-hop options, routing header or destination options (RFC 8200, sections 4.3, 4.4, 4.6).
pub(super) fn extension(datagram: Datagram<'_>) -> Result<Step<'_>, Undecoded> {
    let span = datagram.payload;
    let header = Ipv6RawExtHeaderSlice::from_slice(span.bytes).map_err(|_| span.short())?;
    let payload = span.skip(header.slice().len())?;
    Ok(Step::Next(Layer::Transport(Datagram {
        protocol: header.next_header().0,
        payload,
        ..datagram
    })))
}

/// Authentication header (RFC 4302, section 2): it signs and does not hide.
pub(super) fn authentication(datagram: Datagram<'_>) -> Result<Step<'_>, Undecoded> {
    let span = datagram.payload;
    let header = IpAuthHeaderSlice::from_slice(span.bytes).map_err(|_| span.short())?;
    let payload = span.skip(header.slice().len())?;
    Ok(Step::Next(Layer::Transport(Datagram {
        protocol: header.next_header().0,
        payload,
        ..datagram
    })))
}

/// Fragment header (RFC 8200, section 4.5). One that stands for a whole datagram (RFC 6946) is
/// passed over.
pub(super) fn fragment(datagram: Datagram<'_>) -> Result<Step<'_>, Undecoded> {
    let span = datagram.payload;
    let header = Ipv6FragmentHeaderSlice::from_slice(span.bytes).map_err(|_| span.short())?;
    let datagram = Datagram {
        protocol: header.next_header().0,
        payload: span.skip(FRAGMENT_HEADER_LEN)?,
        ..datagram
    };
    let offset = u32::from(header.fragment_offset().byte_offset());
    let more = header.more_fragments();
    if offset == 0 && !more {
        return Ok(Step::Next(Layer::Transport(datagram)));
    }
    Ok(Step::Fragment(datagram, Fragment { id: header.identification(), offset, more }))
}
