//! Tests that the direct decoding gives what the walk through the layers gives.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::direct::{over_datagram, plain};
use super::path::Path;
use super::{DecodeConfig, Decoder, Route};
use crate::{LinkType, RawFrame, TapId, Timestamp, VlanTag};

fn tcp(options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x9c, 0x40, 0, 80, 0, 0, 0, 9, 0, 0, 0, 8, 0x50, 0x18, 1, 0, 0, 0, 0, 0];
    bytes[12] = 0x50 + ((options.len() / 4) as u8) * 16;
    bytes.extend(options);
    bytes.extend(b"some payload");
    bytes
}

fn udp(port: u16, content: &[u8]) -> Vec<u8> {
    let len = (8 + content.len() as u16).to_be_bytes();
    [&[0xc0, 1], &port.to_be_bytes()[..], &len, &[0, 0], content].concat()
}

fn ipv4(protocol: u8, content: &[u8]) -> Vec<u8> {
    let len = (20 + content.len() as u16).to_be_bytes();
    let mut packet = vec![0x45, 0, len[0], len[1], 0, 1, 0x40, 0, 64, protocol, 0, 0];
    packet.extend([10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend(content);
    packet
}

fn ipv6(protocol: u8, content: &[u8]) -> Vec<u8> {
    let len = (content.len() as u16).to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, len[0], len[1], protocol, 64];
    packet.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    packet.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    packet.extend(content);
    packet
}

/// Ethernet frames, and whether the straight way is for them.
fn frames() -> Vec<(Vec<u8>, bool)> {
    let mut all = Vec::new();
    let segments = [&[][..], &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2], &[2, 4, 5, 180, 1, 3, 3, 7]]
        .map(|o| (6, tcp(o)));
    for (protocol, content) in segments.into_iter().chain([(17, udp(53, b"a datagram"))]) {
        let (v4, v6) = (ipv4(protocol, &content), ipv6(protocol, &content));
        for (ether_type, packet) in [([8, 0], &v4), ([0x86, 0xdd], &v6)] {
            for tag in
                [&[][..], &[0x81, 0, 0x20, 5], &[0x88, 0xa8, 0, 0], &[0x81, 0, 0, 7, 0x81, 0, 0, 8]]
            {
                all.push((
                    [&[2; 12], tag, &ether_type, packet, &[0xee; 3]].concat(),
                    tag.len() < 8,
                ));
            }
        }
    }
    let single = all.clone();
    for (inner, straight) in &single {
        let vxlan = udp(4789, &[&[8, 0, 0, 0, 0, 0, 9, 0], &inner[..]].concat());
        let geneve = udp(6081, &[&[1, 0, 0x65, 0x58, 0, 0, 9, 0, 1, 2, 3, 0], &inner[..]].concat());
        let once = [&[4; 12], &[8, 0][..], &ipv4(17, &vxlan)].concat();
        let twice = udp(4789, &[&[8, 0, 0, 0, 0, 0, 7, 0], &once[..]].concat());
        all.push((once, *straight));
        all.push((
            [&[4; 12], &[0x81, 0, 0, 6, 0x86, 0xdd][..], &ipv6(17, &geneve)].concat(),
            *straight,
        ));
        all.push(([&[6; 12], &[8, 0][..], &ipv4(17, &twice)].concat(), false));
    }
    all.push(([&[4; 12], &[8, 0][..], &ipv4(17, &udp(4789, &[0; 40]))].concat(), true));
    all
}

/// Whether the straight way was taken; it must lead where the walk leads.
fn compare(frame: &RawFrame<'_>) -> bool {
    let config = DecodeConfig::default();
    let (mut straight, mut walked) = (Decoder::new(config.clone()), Decoder::new(config));
    let taken = plain(frame).is_some()
        || over_datagram(frame, straight.vxlan_ports(), &mut Path::new(4, false)).is_some();
    let direct = straight.decode(frame);
    let packet = walked.walk(frame);
    assert_eq!(format!("{direct:?}"), format!("{packet:?}"));
    if let Ok(packet) = packet {
        let hash = packet.key.spread();
        for route in [straight.route(frame), walked.route_by_walk(frame)] {
            assert!(matches!(route, Route::Frame(h) if h == hash), "{route:?}");
        }
    }
    taken
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
    for (bytes, straight) in frames() {
        assert_eq!(compare(&frame(&bytes, bytes.len() as u32, None)), straight, "{bytes:02x?}");
    }
}

#[test]
fn addresses_that_stand_for_ipv4_become_ipv4() {
    let mut bytes = frames()[4].0.clone();
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
        let mut bytes = which.get(&all).0.clone();
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
