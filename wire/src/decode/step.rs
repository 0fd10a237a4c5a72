//! One step of the walk: removes one header.

use super::layer::{Datagram, Entered, Layer, Step};
use super::span::Span;
use super::tunnel::{OverUdp, gre, mpls, over_udp, pppoe};
use super::{TunnelKind, Udp, Undecoded, link, network, tcp, udp};

/// Takes one header off. Pure: what to remember of it is the caller's.
#[inline]
pub(super) fn step<'r>(layer: Layer<'r>, vxlan_ports: &[u16]) -> Result<Step<'r>, Undecoded> {
    match layer {
        Layer::Ethernet(span) => link::ethernet(span),
        Layer::EtherType(ether_type, span) => by_ether_type(ether_type, span),
        Layer::Ip(span) => network::by_version(span),
        Layer::Mpls(span) => Ok(Step::Tunnel(mpls(span)?, None)),
        Layer::Transport(datagram) => transport(datagram, vxlan_ports),
    }
}

#[inline]
fn by_ether_type(ether_type: u16, span: Span<'_>) -> Result<Step<'_>, Undecoded> {
    match ether_type {
        link::IPV4 => network::ipv4(span),
        link::IPV6 => network::ipv6(span),
        tag if link::is_vlan(tag) => link::vlan(span),
        0x8847 | 0x8848 => Ok(Step::Tunnel(mpls(span)?, None)),
        0x8864 => Ok(Step::Tunnel(pppoe(span)?, None)),
        _ => Err(Undecoded::NotIp),
    }
}

#[inline]
fn transport<'r>(datagram: Datagram<'r>, vxlan_ports: &[u16]) -> Result<Step<'r>, Undecoded> {
    match datagram.protocol {
        6 => {
            let (ports, tcp) = tcp::segment(datagram.payload)?;
            Ok(Step::Tcp(datagram, ports, tcp))
        }
        17 => {
            let (ports, payload) = udp::datagram(datagram.payload)?;
            match over_udp(ports, payload, vxlan_ports) {
                OverUdp::Plain => {
                    Ok(Step::Udp(datagram, ports, Udp { payload_len: payload.len, payload: payload.bytes }))
                }
                OverUdp::Opaque => Err(Undecoded::Opaque),
                OverUdp::Tunnel(entered) => Ok(tunnel(&datagram, entered)),
            }
        }
        _ => other_protocol(datagram),
    }
}

fn other_protocol(datagram: Datagram<'_>) -> Result<Step<'_>, Undecoded> {
    let span = datagram.payload;
    let is_v6 = datagram.source.is_ipv6();
    match datagram.protocol {
        1 | 58 => Err(Undecoded::Icmp),
        4 => Ok(tunnel(&datagram, ip_in_ip(Layer::EtherType(link::IPV4, span)))),
        41 => Ok(tunnel(&datagram, ip_in_ip(Layer::EtherType(link::IPV6, span)))),
        47 => Ok(tunnel(&datagram, gre(span)?)),
        137 => Ok(tunnel(&datagram, mpls(span)?)),
        50 => Err(Undecoded::Opaque),
        51 => network::authentication(datagram),
        0 | 43 | 60 if is_v6 => network::extension(datagram),
        44 if is_v6 => network::fragment(datagram),
        _ => Err(Undecoded::OtherTransport),
    }
}

fn ip_in_ip(inner: Layer<'_>) -> Entered<'_> {
    Entered { kind: TunnelKind::IpInIp, id: None, is_network: false, inner }
}

fn tunnel<'r>(outer: &Datagram<'r>, entered: Entered<'r>) -> Step<'r> {
    Step::Tunnel(entered, Some((outer.source, outer.destination)))
}
