//! The straight way through what nearly all frames are: Ethernet with at most one VLAN tag of its
//! own, IPv4 without options or IPv6 without extension headers, TCP or UDP; or the same once more
//! inside VXLAN or GENEVE. None where the frame is anything else, or not in order: the walk through
//! the layers, which gives the same result for these frames, then decides what it is.

mod network;

use self::network::{Network, ethernet};
use super::ip_number::TCP;
use super::layer::{Entered, Layer, Ports};
use super::path::{Path, enter_vlan};
use super::span::Span;
use super::tunnel::{OverUdp, over_udp};
use super::{Decoded, Layer4, Udp, Vlans, tcp, udp};
use crate::{LinkType, RawFrame, Transport};

/// Decodes `frame` if it is TCP without a tunnel.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "what is decoded is large, and every packet pays for moving it"
)]
pub(super) fn plain<'r>(frame: &RawFrame<'r>) -> Option<Decoded<'r>> {
    let (outer, vlans, network) = outermost(frame)?;
    if outer.protocol == TCP { segment(frame, vlans, network, &outer) } else { None }
}

/// Decodes `frame` if it is UDP; its tunnel, if it has one, is left in `path`, and in what is
/// returned to be put in.
#[inline(never)]
pub(super) fn over_datagram<'r>(
    frame: &RawFrame<'r>,
    vxlan_ports: &[u16],
    path: &mut Path,
) -> Option<Decoded<'r>> {
    path.clear();
    let (outer, vlans, network) = outermost(frame)?;
    if outer.protocol == TCP {
        return None;
    }
    let (ports, payload) = udp::datagram(outer.payload).ok()?;
    match over_udp(ports, payload, vxlan_ports) {
        OverUdp::Plain => Some(datagram(frame, vlans, network, &outer, ports, payload)),
        OverUdp::Opaque => None,
        OverUdp::Tunnel(entered) => {
            inside(frame, vlans, network, &outer, &entered, vxlan_ports, path)
        }
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a part of plain")]
fn outermost<'r>(frame: &RawFrame<'r>) -> Option<(Network<'r>, Vlans, u64)> {
    if frame.link_type != LinkType::Ethernet {
        return None;
    }
    let (mut vlans, mut network) = (Vlans::default(), 0);
    if let Some(tag) = frame.vlan {
        enter_vlan(&mut vlans, &mut network, tag.id());
    }
    let outer = ethernet(Span::new(frame.bytes, frame.wire_len), &mut vlans, &mut network)?;
    Some((outer, vlans, network))
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a part of plain")]
fn segment<'r>(
    frame: &RawFrame<'r>,
    vlans: Vlans,
    network: u64,
    layer: &Network<'r>,
) -> Option<Decoded<'r>> {
    let (ports, segment) = tcp::segment(layer.payload).ok()?;
    let (key, side) = layer.addresses.key(frame.tap, Transport::Tcp, ports);
    let (time, wire_len, ip) = (frame.time, frame.whole_wire_len(), layer.ip);
    let layer4 = Layer4::Tcp(segment);
    Some(Decoded { time, wire_len, key, side, network, ip, vlans, tunnels: &[], layer4 })
}

#[inline]
fn datagram<'r>(
    frame: &RawFrame<'r>,
    vlans: Vlans,
    network: u64,
    layer: &Network<'r>,
    ports: Ports,
    payload: Span<'r>,
) -> Decoded<'r> {
    let (key, side) = layer.addresses.key(frame.tap, Transport::Udp, ports);
    let (time, wire_len, ip) = (frame.time, frame.whole_wire_len(), layer.ip);
    let layer4 = Layer4::Udp(Udp { payload_len: payload.len, payload: payload.bytes });
    Decoded { time, wire_len, key, side, network, ip, vlans, tunnels: &[], layer4 }
}

/// What is inside of one tunnel that carries Ethernet, unless it is another.
#[inline]
fn inside<'r>(
    frame: &RawFrame<'r>,
    vlans: Vlans,
    network: u64,
    outer: &Network<'r>,
    entered: &Entered<'r>,
    vxlan_ports: &[u16],
    path: &mut Path,
) -> Option<Decoded<'r>> {
    let Layer::Ethernet(span) = entered.inner else { return None };
    (path.vlans, path.network) = (vlans, network);
    path.tunnel(entered, Some(outer.addresses.pair())).ok()?;
    let inner = ethernet(span, &mut path.vlans, &mut path.network)?;
    if inner.protocol == TCP {
        return segment(frame, path.vlans, path.network, &inner);
    }
    let (ports, payload) = udp::datagram(inner.payload).ok()?;
    let OverUdp::Plain = over_udp(ports, payload, vxlan_ports) else { return None };
    Some(datagram(frame, path.vlans, path.network, &inner, ports, payload))
}

/// Hash of the flow of the same frames, as [`FlowKey::spread`](crate::FlowKey::spread) gives it.
#[inline]
pub(super) fn spread(frame: &RawFrame<'_>, vxlan_ports: &[u16]) -> Option<u64> {
    if frame.link_type != LinkType::Ethernet {
        return None;
    }
    let (mut vlans, mut network) = (Vlans::default(), 0);
    let mut layer = ethernet(Span::new(frame.bytes, frame.wire_len), &mut vlans, &mut network)?;
    if layer.protocol != TCP {
        let (ports, payload) = udp::datagram(layer.payload).ok()?;
        match over_udp(ports, payload, vxlan_ports) {
            OverUdp::Plain => return Some(layer.addresses.spread(ports)),
            OverUdp::Tunnel(Entered { inner: Layer::Ethernet(span), .. }) => {
                layer = ethernet(span, &mut vlans, &mut network)?;
            }
            OverUdp::Tunnel(_) | OverUdp::Opaque => return None,
        }
        if layer.protocol != TCP {
            let (ports, payload) = udp::datagram(layer.payload).ok()?;
            let OverUdp::Plain = over_udp(ports, payload, vxlan_ports) else { return None };
            return Some(layer.addresses.spread(ports));
        }
    }
    let h = layer.payload.head::<4>().ok()?;
    let ports = Ports {
        source: u16::from_be_bytes([h[0], h[1]]),
        destination: u16::from_be_bytes([h[2], h[3]]),
    };
    Some(layer.addresses.spread(ports))
}
