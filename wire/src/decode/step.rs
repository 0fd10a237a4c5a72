//! One step of the walk: removes one header.

use super::layer::{Datagram, Entered, Layer, Step};
use super::span::Span;
use super::tunnel::{OverUdp, gre, mpls, over_udp, pppoe};
use super::{TunnelKind, Udp, Undecoded, ether_type, ip_number, link, network, tag, tcp, udp};

/// Removes one header. Keeps no state: the caller notes VLANs and tunnels.
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
fn by_ether_type(number: u16, span: Span<'_>) -> Result<Step<'_>, Undecoded> {
    match number {
        ether_type::IPV4 => network::ipv4(span),
        ether_type::IPV6 => network::ipv6(span),
        tag if ether_type::is_vlan(tag) => link::vlan(span),
        ether_type::MPLS | ether_type::MPLS_UPSTREAM => Ok(Step::Tunnel(mpls(span)?, None)),
        ether_type::PPPOE_SESSION => Ok(Step::Tunnel(pppoe(span)?, None)),
        other => tag::by_ether_type(other, span),
    }
}

#[inline]
fn transport<'r>(datagram: Datagram<'r>, vxlan_ports: &[u16]) -> Result<Step<'r>, Undecoded> {
    match datagram.protocol {
        ip_number::TCP => {
            let (ports, tcp) = tcp::segment(datagram.payload)?;
            Ok(Step::Tcp(datagram, ports, tcp))
        }
        ip_number::UDP => {
            let (ports, payload) = udp::datagram(datagram.payload)?;
            match over_udp(ports, payload, vxlan_ports) {
                OverUdp::Plain => Ok(Step::Udp(
                    datagram,
                    ports,
                    Udp { payload_len: payload.len, payload: payload.bytes },
                )),
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
        ip_number::ICMP | ip_number::ICMPV6 => Err(Undecoded::Icmp),
        ip_number::IPV4 => {
            Ok(tunnel(&datagram, ip_in_ip(Layer::EtherType(ether_type::IPV4, span))))
        }
        ip_number::IPV6 => {
            Ok(tunnel(&datagram, ip_in_ip(Layer::EtherType(ether_type::IPV6, span))))
        }
        ip_number::GRE => Ok(tunnel(&datagram, gre(span)?)),
        ip_number::MPLS => Ok(tunnel(&datagram, mpls(span)?)),
        ip_number::ESP => Err(Undecoded::Opaque),
        ip_number::AUTHENTICATION => network::authentication(datagram),
        ip_number::HOP_BY_HOP | ip_number::ROUTING | ip_number::DESTINATION_OPTIONS if is_v6 => {
            network::extension(datagram)
        }
        ip_number::FRAGMENT if is_v6 => network::fragment(datagram),
        _ => Err(Undecoded::OtherTransport),
    }
}

fn ip_in_ip(inner: Layer<'_>) -> Entered<'_> {
    Entered { kind: TunnelKind::IpInIp, id: None, is_network: false, inner }
}

fn tunnel<'r>(outer: &Datagram<'r>, entered: Entered<'r>) -> Step<'r> {
    Step::Tunnel(entered, Some((outer.source, outer.destination)))
}
