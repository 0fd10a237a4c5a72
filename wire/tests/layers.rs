//! Link layers, VLANs, IP headers, TCP and UDP.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{ethernet, frame, ipv4, ipv6, join, tcp_v4, tcp_v6, udp_v4};
use wire::decode::{DecodeConfig, Decoder, Layer4, Tcp, Timestamps, Undecoded};
use wire::{LinkType, RawFrame, SeqNum, VlanTag};

fn decoder() -> Decoder {
    Decoder::new(DecodeConfig::default())
}

fn tcp<T>(frame: &RawFrame<'_>, f: impl FnOnce(&Tcp<'_>) -> T) -> T {
    let mut decoder = decoder();
    match decoder.decode(frame).unwrap().layer4 {
        Layer4::Tcp(tcp) => f(&tcp),
        Layer4::Udp(_) => panic!("UDP"),
    }
}

fn refused(link_type: LinkType, bytes: &[u8]) -> Undecoded {
    decoder().decode(&frame(link_type, bytes)).unwrap_err()
}

fn expect_hello(link_type: LinkType, bytes: &[u8]) {
    tcp(&frame(link_type, bytes), |t| assert_eq!(t.payload, b"hello"));
}

#[test]
fn a_segment_with_timestamps() {
    let bytes = ethernet(0x0800, &tcp_v4(b"hello"));
    let mut decoder = decoder();
    let frame = frame(LinkType::Ethernet, &bytes);
    let decoded = decoder.decode(&frame).unwrap();
    assert_eq!(decoded.key.endpoint(decoded.side).to_string(), "10.0.0.1:40000");
    assert_eq!(decoded.key.endpoint(decoded.side.other()).to_string(), "10.0.0.2:80");
    assert_eq!((decoded.network, decoded.ip.len, decoded.ip.ttl), (0, 57, 64));
    let Layer4::Tcp(t) = decoded.layer4 else { panic!("UDP") };
    assert_eq!((t.seq, t.ack, t.window), (SeqNum(1000), SeqNum(7), 501));
    assert!(t.flags.ack() && t.flags.psh() && !t.flags.syn());
    assert_eq!(t.options.timestamps, Some(Timestamps { value: 5, echo: 6 }));
    assert_eq!((t.payload, t.payload_len), (&b"hello"[..], 5));
}

#[test]
fn link_types() {
    let (v4, v6) = (tcp_v4(b"hello"), tcp_v6(b"hello"));
    expect_hello(LinkType::RawIp, &v4);
    expect_hello(LinkType::RawIp, &v6);
    for family in [10_u32, 24, 28, 30] {
        expect_hello(LinkType::Null, &join(&family.to_le_bytes(), &v6));
        expect_hello(LinkType::Null, &join(&family.to_be_bytes(), &v6));
        expect_hello(LinkType::Loop, &join(&family.to_be_bytes(), &v6));
    }
    expect_hello(LinkType::Null, &join(&[0, 0, 0, 2], &v4));
    expect_hello(LinkType::LinuxSll, &join(&[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0], &v4));
    let cooked_v2 = [0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0];
    expect_hello(LinkType::LinuxSll2, &join(&cooked_v2, &v6));
    let snap = join(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &v4);
    expect_hello(LinkType::Ethernet, &ethernet(snap.len() as u16, &snap));
    assert_eq!(refused(LinkType::Ethernet, &ethernet(38, &[0x42; 46])), Undecoded::NotIp);
    assert_eq!(refused(LinkType::Ethernet, &ethernet(0x0806, &[0; 28])), Undecoded::NotIp);
    assert_eq!(refused(LinkType::Unsupported(147), &v4), Undecoded::LinkType);
    assert_eq!(refused(LinkType::RawIp, &[0x10; 40]), Undecoded::Malformed);
}

#[test]
fn vlan_tags_of_kernel_and_frame() {
    let inner = join(&[0, 7, 0x91, 0, 0, 8, 0x08, 0], &tcp_v4(b"hello"));
    let bytes = ethernet(0x88a8, &inner);
    let mut decoder = decoder();
    let mut with_tag = frame(LinkType::Ethernet, &bytes);
    with_tag.vlan = Some(VlanTag { tpid: 0x88a8, tci: 0xe006 });
    let tagged = decoder.decode(&with_tag).unwrap();
    assert_eq!(tagged.vlans.as_slice(), [6, 7, 8]);
    let network = tagged.network;
    with_tag.vlan = None;
    let untagged = decoder.decode(&with_tag).unwrap();
    assert_eq!(untagged.vlans.as_slice(), [7, 8]);
    assert!(untagged.network != network && network != 0);
    let priority = ethernet(0x8100, &join(&[0xe0, 0, 8, 0], &tcp_v4(b"")));
    let priority = frame(LinkType::Ethernet, &priority);
    assert_eq!(decoder.decode(&priority).unwrap().network, 0);
}

#[test]
fn padding_and_cuts() {
    let mut bytes = ethernet(0x0800, &tcp_v4(b""));
    bytes.resize(bytes.len() + 20, 0xee);
    tcp(&frame(LinkType::Ethernet, &bytes), |t| {
        assert_eq!((t.payload_len, t.payload.len()), (0, 0))
    });

    let bytes = ethernet(0x0800, &tcp_v4(&[7; 1000]));
    let mut cut = frame(LinkType::Ethernet, &bytes);
    for captured in [14 + 20 + 20, 14 + 20 + 25] {
        cut.bytes = &bytes[..captured];
        tcp(&cut, |t| {
            assert_eq!((t.payload_len, t.payload.len()), (1000, 0));
            assert_eq!((t.seq, t.options.timestamps), (SeqNum(1000), None));
        });
    }
    cut.bytes = &bytes[..14 + 20 + 32 + 100];
    tcp(&cut, |t| assert_eq!((t.payload_len, t.payload.len()), (1000, 100)));
    cut.bytes = &bytes[..14 + 20 + 19];
    assert_eq!(decoder().decode(&cut).unwrap_err(), Undecoded::Truncated);
}

#[test]
fn a_length_of_zero_is_segmentation_offload() {
    let mut bytes = tcp_v4(b"hello");
    bytes[2..4].fill(0);
    expect_hello(LinkType::RawIp, &bytes);
    let mut bytes = tcp_v6(b"hello");
    bytes[4..6].fill(0);
    expect_hello(LinkType::RawIp, &bytes);
}

#[test]
fn ipv4_options_and_ipv6_extension_headers() {
    let plain = tcp_v4(b"hello");
    let mut bytes = plain[..20].to_vec();
    bytes[0] = 0x46;
    bytes[3] += 4;
    bytes.extend([1, 1, 1, 0]);
    bytes.extend(&plain[20..]);
    expect_hello(LinkType::RawIp, &bytes);

    let segment = &plain[20..];
    let destination = join(&[6, 0, 1, 4, 0, 0, 0, 0], segment);
    let authentication = join(&[&[60, 4, 0, 0][..], &[0; 20]].concat(), &destination);
    let atomic = join(&[51, 0, 0, 0, 0, 0, 0, 1], &authentication);
    let routing = join(&[44, 0, 4, 0, 0, 0, 0, 0], &atomic);
    let hop_by_hop = join(&[43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &routing);
    expect_hello(LinkType::RawIp, &ipv6(0, &hop_by_hop));
    expect_hello(
        LinkType::RawIp,
        &ipv4(51, &join(&[&[6, 4, 0, 0][..], &[0; 20]].concat(), segment)),
    );
}

#[test]
fn what_is_no_packet() {
    assert_eq!(refused(LinkType::RawIp, &ipv4(1, &[0; 64])), Undecoded::Icmp);
    assert_eq!(refused(LinkType::RawIp, &ipv6(58, &[0; 64])), Undecoded::Icmp);
    assert_eq!(refused(LinkType::RawIp, &ipv4(50, &[0; 64])), Undecoded::Opaque);
    assert_eq!(refused(LinkType::RawIp, &ipv4(132, &[0; 64])), Undecoded::OtherTransport);
    let mut bytes = tcp_v4(b"hello");
    bytes[32] = 0x40;
    assert_eq!(refused(LinkType::RawIp, &bytes), Undecoded::Malformed);
}

#[test]
fn udp_ends_where_its_length_says() {
    let mut bytes = udp_v4(5000, 53, b"query and trailer");
    bytes[25] = 8 + 5;
    let mut decoder = decoder();
    let frame = frame(LinkType::RawIp, &bytes);
    let Layer4::Udp(udp) = decoder.decode(&frame).unwrap().layer4 else { panic!("TCP") };
    assert_eq!((udp.payload, udp.payload_len), (&b"query"[..], 5));
}
