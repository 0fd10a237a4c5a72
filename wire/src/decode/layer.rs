//! Layers of a frame: what comes next, and what was removed.

use std::net::IpAddr;

use super::span::Span;
use super::{Ip, Tcp, TunnelKind, Udp};

/// What the bytes that come next are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layer<'r> {
    /// An Ethernet frame.
    Ethernet(Span<'r>),
    /// Whatever an EtherType names.
    EtherType(u16, Span<'r>),
    /// IPv4 or IPv6, by the version nibble.
    Ip(Span<'r>),
    /// An MPLS label stack.
    Mpls(Span<'r>),
    /// The payload of an IP header.
    Transport(Datagram<'r>),
}

/// An IP header and what it carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'r> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ip: Ip,
    /// IP protocol number of `payload` (IPv6: of the next header).
    pub(super) protocol: u8,
    pub(super) payload: Span<'r>,
}

/// The place of a fragment in its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    /// Identification, 16 bits in IPv4 and 32 in IPv6.
    pub(super) id: u32,
    /// Offset in bytes.
    pub(super) offset: u32,
    /// Whether others follow.
    pub(super) more: bool,
}

/// A tunnel header taken off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entered<'r> {
    pub(super) kind: TunnelKind,
    pub(super) id: Option<u32>,
    /// Whether `id` names a virtual network, the same in both directions.
    pub(super) is_network: bool,
    pub(super) inner: Layer<'r>,
}

/// What one layer came to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'r> {
    /// A header that leaves no trace.
    Next(Layer<'r>),
    /// A VLAN tag.
    Vlan(u16, Layer<'r>),
    /// A tunnel, with the addresses that carry it.
    Tunnel(Entered<'r>, Option<(IpAddr, IpAddr)>),
    /// A fragment of a datagram.
    Fragment(Datagram<'r>, Fragment),
    /// The end: TCP.
    Tcp(Datagram<'r>, Ports, Tcp<'r>),
    /// The end: UDP.
    Udp(Datagram<'r>, Ports, Udp<'r>),
}

/// Source and destination port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) source: u16,
    pub(super) destination: u16,
}
