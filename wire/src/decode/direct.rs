use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::path::enter_vlan;
use super::span::Span;
use super::{Decoded, Ip, Layer4, Vlans, link, tcp};
use crate::{Endpoint, FlowKey, LinkType, RawFrame, Side, TapId, Transport};

/// The straight way through what nearly all frames are: Ethernet with at most one VLAN tag of its own, IPv4 without options
/// or IPv6 without extension headers, TCP. None where the frame is anything else, or not in order: the walk through the
/// layers, which gives the same result for these frames, then says what it is.
#[inline]
pub(super) fn decode<'r>(frame: &RawFrame<'r>) -> Option<Decoded<'r>> {
    let Network { vlans, network, layer } = network(frame)?;
    let (ports, segment) = tcp::segment(layer.payload).ok()?;
    let (key, side) = layer.addresses.key(frame.tap, network, ports.source, ports.destination);
    Some(Decoded {
        time: frame.time,
        wire_len: frame.wire_len,
        key,
        side,
        ip: layer.ip,
        vlans,
        tunnels: &[],
        layer4: Layer4::Tcp(segment),
    })
}

/// Source and destination of the same frames.
#[inline]
pub(super) fn addresses(frame: &RawFrame<'_>) -> Option<(IpAddr, IpAddr)> {
    Some(match network(frame)?.layer.addresses {
        Addresses::V4([source, destination]) => (source.into(), destination.into()),
        Addresses::V6([source, destination]) => (source.into(), destination.into()),
    })
}

struct Network<'r> {
    vlans: Vlans,
    network: u64,
    layer: NetworkLayer<'r>,
}

#[inline]
fn network<'r>(frame: &RawFrame<'r>) -> Option<Network<'r>> {
    if frame.link_type != LinkType::Ethernet {
        return None;
    }
    let (mut vlans, mut network) = (Vlans::default(), 0);
    if let Some(tag) = frame.vlan {
        enter_vlan(&mut vlans, &mut network, tag.id());
    }
    let mut ether_type = u16_at(frame.bytes, 12)?;
    let mut header = 14;
    if link::is_vlan(ether_type) {
        enter_vlan(&mut vlans, &mut network, u16_at(frame.bytes, 14)? & 0x0fff);
        ether_type = u16_at(frame.bytes, 16)?;
        header = 18;
    }
    let span = Span::new(frame.bytes, frame.wire_len).skip(header).ok()?;
    let layer = match ether_type {
        link::IPV4 => ipv4(span)?,
        link::IPV6 => ipv6(span)?,
        _ => return None,
    };
    Some(Network { vlans, network, layer })
}

struct NetworkLayer<'r> {
    addresses: Addresses,
    ip: Ip,
    payload: Span<'r>,
}

/// Source and destination; IPv6 ones are none that stand for IPv4.
enum Addresses {
    V4([Ipv4Addr; 2]),
    V6([Ipv6Addr; 2]),
}

impl Addresses {
    /// What [`FlowKey::new`] gives, with addresses compared as numbers.
    #[inline]
    fn key(&self, tap: TapId, network: u64, source_port: u16, destination_port: u16) -> (FlowKey, Side) {
        let (source, destination, ordered) = match *self {
            Self::V4([a, b]) => {
                let ordered = (a.to_bits(), source_port) <= (b.to_bits(), destination_port);
                (IpAddr::V4(a), IpAddr::V4(b), ordered)
            }
            Self::V6([a, b]) => {
                let ordered = (a.to_bits(), source_port) <= (b.to_bits(), destination_port);
                (IpAddr::V6(a), IpAddr::V6(b), ordered)
            }
        };
        let source = Endpoint { address: source, port: source_port };
        let destination = Endpoint { address: destination, port: destination_port };
        let (low, high, side) =
            if ordered { (source, destination, Side::Low) } else { (destination, source, Side::High) };
        (FlowKey { low, high, network, tap, transport: Transport::Tcp }, side)
    }
}

#[inline]
fn ipv4(span: Span<'_>) -> Option<NetworkLayer<'_>> {
    let h = span.bytes.first_chunk::<20>()?;
    let fragment = u16::from_be_bytes([h[6], h[7]]) & 0x3fff;
    if h[0] != 0x45 || fragment != 0 || h[9] != TCP {
        return None;
    }
    let len = match u16::from_be_bytes([h[2], h[3]]) {
        0 => span.len,
        1..20 => return None,
        len => u32::from(len),
    };
    Some(NetworkLayer {
        addresses: Addresses::V4([
            Ipv4Addr::new(h[12], h[13], h[14], h[15]),
            Ipv4Addr::new(h[16], h[17], h[18], h[19]),
        ]),
        ip: Ip { len, ttl: h[8], ecn: h[1] & 3 },
        payload: span.limit(len).skip(20).ok()?,
    })
}

#[inline]
fn ipv6(span: Span<'_>) -> Option<NetworkLayer<'_>> {
    let h = span.bytes.first_chunk::<40>()?;
    if h[0] >> 4 != 6 || h[6] != TCP {
        return None;
    }
    let address = |at: usize| h[at..].first_chunk::<16>().map(|octets| Ipv6Addr::from_octets(*octets));
    let (source, destination) = (address(8)?, address(24)?);
    let stands_for_ipv4 = |address: Ipv6Addr| address.to_bits() >> 32 == 0xffff;
    if stands_for_ipv4(source) || stands_for_ipv4(destination) {
        return None;
    }
    let len = match u16::from_be_bytes([h[4], h[5]]) {
        0 => span.len,
        len => u32::from(len) + 40,
    };
    Some(NetworkLayer {
        addresses: Addresses::V6([source, destination]),
        ip: Ip { len, ttl: h[7], ecn: h[1] >> 4 & 3 },
        payload: span.limit(len).skip(40).ok()?,
    })
}

/// IP protocol number of TCP.
const TCP: u8 = 6;

#[inline]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk::<2>()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decode::{DecodeConfig, Decoder, shard, shard_hash};
    use crate::{Timestamp, VlanTag};

    fn tcp(options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x9c, 0x40, 0, 80, 0, 0, 0, 9, 0, 0, 0, 8, 0x50, 0x18, 1, 0, 0, 0, 0, 0];
        bytes[12] = 0x50 + ((options.len() / 4) as u8) * 16;
        bytes.extend(options);
        bytes.extend(b"some payload");
        bytes
    }

    fn frames() -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for options in [&[][..], &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2], &[2, 4, 5, 180, 1, 3, 3, 7]] {
            let tcp = tcp(options);
            let mut v4 = vec![0x45, 0, 0, 20 + tcp.len() as u8, 0, 1, 0x40, 0, 64, 6, 0, 0];
            v4.extend([10, 0, 0, 1, 10, 0, 0, 2]);
            v4.extend(&tcp);
            let mut v6 = vec![0x60, 0, 0, 0, 0, tcp.len() as u8, 6, 64];
            v6.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
            v6.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
            v6.extend(&tcp);
            for (ether_type, packet) in [([8, 0], &v4), ([0x86, 0xdd], &v6)] {
                for tag in
                    [&[][..], &[0x81, 0, 0x20, 5], &[0x88, 0xa8, 0, 0], &[0x81, 0, 0, 7, 0x81, 0, 0, 8]]
                {
                    all.push([&[2; 12], tag, &ether_type, packet, &[0xee; 3]].concat());
                }
            }
        }
        all
    }

    /// Whether the straight way was taken; it must lead where the walk leads.
    fn compare(frame: &RawFrame<'_>) -> bool {
        let mut decoder = Decoder::new(DecodeConfig::default());
        let walked = decoder.walk(frame);
        match decode(frame) {
            Some(direct) => {
                assert_eq!(format!("{:?}", Ok::<_, ()>(direct)), format!("{walked:?}"));
                assert_eq!(shard_hash(frame), shard::walk(frame, &[4789]));
                true
            }
            None => false,
        }
    }

    fn frame(bytes: &[u8], wire_len: u32, vlan: Option<VlanTag>) -> RawFrame<'_> {
        RawFrame {
            time: Timestamp::from_nanos(7),
            tap: TapId(3),
            link_type: LinkType::Ethernet,
            wire_len,
            vlan,
            bytes,
        }
    }

    #[test]
    fn ordinary_frames_go_straight() {
        for bytes in frames() {
            let tags = bytes
                .windows(2)
                .skip(12)
                .step_by(4)
                .take_while(|t| link::is_vlan(u16::from_be_bytes([t[0], t[1]])));
            assert_eq!(compare(&frame(&bytes, bytes.len() as u32, None)), tags.count() < 2, "{bytes:02x?}");
        }
    }

    #[test]
    fn addresses_that_stand_for_ipv4_become_ipv4() {
        let mut bytes = frames()[4].clone();
        bytes[14 + 8..14 + 24].copy_from_slice(&Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped().octets());
        assert!(!compare(&frame(&bytes, 200, None)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn both_ways_lead_to_the_same(
            which: prop::sample::Index,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in prop::option::of(any::<prop::sample::Index>()),
            extra in 0_u32..2000,
            tci in prop::option::of(any::<u16>()),
        ) {
            let all = frames();
            let mut bytes = which.get(&all).clone();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            let vlan = tci.map(|tci| VlanTag { tpid: 0x8100, tci });
            compare(&frame(&bytes, extra, vlan));
        }
    }
}
