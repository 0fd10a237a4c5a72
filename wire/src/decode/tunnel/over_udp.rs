//! Which tunnel a UDP datagram carries, by port and shape.

use super::{geneve, gtpu, vxlan, wireguard};
use crate::decode::layer::{Entered, Ports};
use crate::decode::span::Span;

/// What the payload of a UDP datagram looks like.
pub(in crate::decode) enum OverUdp<'r> {
    /// No tunnel.
    Plain,
    /// A tunnel that cannot be read.
    Opaque,
    /// A tunnel.
    Tunnel(Entered<'r>),
}

/// Looks for a tunnel by port, and for its shape: a port alone proves nothing.
#[inline]
pub(in crate::decode) fn over_udp<'r>(
    ports: Ports,
    payload: Span<'r>,
    vxlan_ports: &[u16],
) -> OverUdp<'r> {
    let entered = match ports.destination {
        geneve::PORT => geneve::geneve(payload),
        gtpu::PORT => gtpu::gtpu(payload),
        vxlan::GPE_PORT => vxlan::vxlan(payload),
        port if vxlan_ports.contains(&port) => vxlan::vxlan(payload),
        _ => None,
    };
    if let Some(entered) = entered {
        return OverUdp::Tunnel(entered);
    }
    if (ports.destination == wireguard::PORT || ports.source == wireguard::PORT)
        && wireguard::is_message(payload)
    {
        return OverUdp::Opaque;
    }
    OverUdp::Plain
}
