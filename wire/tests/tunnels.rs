//! Encapsulations, alone and inside each other.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{ethernet, frame, ipv4, ipv6, join, tcp_v4, tcp_v6, udp_v4};
use wire::LinkType;
use wire::decode::{DecodeConfig, Decoder, Layer4, TunnelKind, Undecoded};

type Seen = Vec<(TunnelKind, Option<u32>)>;

fn decode(link_type: LinkType, bytes: &[u8]) -> Result<(Seen, u64), Undecoded> {
    let mut decoder = Decoder::new(DecodeConfig::default());
    let frame = frame(link_type, bytes);
    let decoded = decoder.decode(&frame)?;
    let Layer4::Tcp(tcp) = decoded.layer4 else { return Ok((Vec::new(), 0)) };
    assert_eq!(tcp.payload, b"hello");
    Ok((decoded.tunnels.iter().map(|t| (t.kind, t.id)).collect(), decoded.network))
}

fn expect(link_type: LinkType, bytes: &[u8], kind: TunnelKind, id: Option<u32>) -> u64 {
    let (tunnels, network) = decode(link_type, bytes).unwrap();
    assert_eq!(tunnels, [(kind, id)]);
    network
}

fn inner_frame() -> Vec<u8> {
    ethernet(0x0800, &tcp_v4(b"hello"))
}

fn vxlan(vni: u8, inner: &[u8]) -> Vec<u8> {
    udp_v4(55_555, 4789, &join(&[8, 0, 0, 0, 0, 0, vni, 0], inner))
}

#[test]
fn over_udp() {
    let network = expect(LinkType::RawIp, &vxlan(42, &inner_frame()), TunnelKind::Vxlan, Some(42));
    let other = expect(LinkType::RawIp, &vxlan(43, &inner_frame()), TunnelKind::Vxlan, Some(43));
    assert!(network != other && network != 0);

    let options = [2, 0, 0x65, 0x58, 0, 0, 9, 0, 1, 2, 3, 1, 5, 5, 5, 5];
    let geneve = udp_v4(1, 6081, &join(&options, &inner_frame()));
    expect(LinkType::RawIp, &geneve, TunnelKind::Geneve, Some(9));
    let geneve = udp_v4(1, 6081, &join(&[0, 0, 0x86, 0xdd, 0, 0, 9, 0], &tcp_v6(b"hello")));
    expect(LinkType::RawIp, &geneve, TunnelKind::Geneve, Some(9));

    let inner = tcp_v4(b"hello");
    let mut gtp = vec![0x34, 255, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0x85, 1, 0x10, 0, 0];
    gtp[2..4].copy_from_slice(&((8 + inner.len()) as u16).to_be_bytes());
    let network = expect(
        LinkType::RawIp,
        &udp_v4(2152, 2152, &join(&gtp, &inner)),
        TunnelKind::Gtpu,
        Some(257),
    );
    assert_eq!(network, 0);
}

#[test]
fn a_port_alone_makes_no_tunnel() {
    for port in [4789, 4790, 8472, 6081, 2152, 51820] {
        let (tunnels, _) = decode(LinkType::RawIp, &udp_v4(9, port, &[0xff; 40])).unwrap();
        assert!(tunnels.is_empty());
    }
    let mut message = vec![4, 0, 0, 0];
    message.resize(48, 1);
    assert_eq!(decode(LinkType::RawIp, &udp_v4(9, 51820, &message)), Err(Undecoded::Opaque));
    message.resize(47, 1);
    assert!(decode(LinkType::RawIp, &udp_v4(9, 51820, &message)).is_ok());
}

/// RFC 7348, section 5, and RFC 8926, section 3.4: reserved bits must be ignored on receipt.
#[test]
fn reserved_bits_are_ignored() {
    let inner = inner_frame();
    let tunnel = |port: u16, head: &[u8], inner: &[u8]| {
        let bytes = udp_v4(55_555, port, &join(head, inner));
        decode(LinkType::RawIp, &bytes).map(|(tunnels, _)| tunnels)
    };
    let vxlan = Ok(vec![(TunnelKind::Vxlan, Some(42))]);
    for head in [
        [8, 0, 0, 0, 0, 0, 42, 1],
        [0xff, 1, 2, 3, 0, 0, 42, 0xff],
        [0x88, 0, 0, 7, 0, 0, 42, 0],
        [0x0c, 0, 0, 1, 0, 0, 42, 0],
    ] {
        assert_eq!(tunnel(4789, &head, &inner), vxlan, "{head:02x?}");
    }
    let geneve = Ok(vec![(TunnelKind::Geneve, Some(9))]);
    for head in [[0, 0, 0x65, 0x58, 0, 0, 9, 1], [0, 0x3f, 0x65, 0x58, 0, 0, 9, 0xff]] {
        assert_eq!(tunnel(6081, &head, &inner), geneve, "{head:02x?}");
    }
    let gre = ipv4(47, &join(&[0x0f, 0xf8, 8, 0], &tcp_v4(b"hello")));
    expect(LinkType::RawIp, &gre, TunnelKind::Gre, None);
    let spare = [0x38, 255, 0, 57, 0, 0, 1, 1];
    let gtpu = udp_v4(2152, 2152, &join(&spare, &tcp_v4(b"hello")));
    expect(LinkType::RawIp, &gtpu, TunnelKind::Gtpu, Some(257));
}

#[test]
fn vxlan_with_a_next_protocol() {
    let (v4, v6, ether) = (tcp_v4(b"hello"), tcp_v6(b"hello"), inner_frame());
    let nsh = join(&[0x0f, 0xc2, 2, 3, 0, 0, 1, 255], &ether);
    let mpls = join(&[0, 2, 1, 64], &v4);
    let gpe = |port: u16, next: u8, inner: &[u8]| {
        udp_v4(55_555, port, &join(&[12, 0, 0, next, 0, 0, 42, 0], inner))
    };
    for (next, inner) in [(1, &v4), (2, &v6), (3, &ether), (4, &nsh)] {
        for port in [4790, 4789] {
            let bytes = gpe(port, next, inner);
            expect(LinkType::RawIp, &bytes, TunnelKind::VxlanGpe, Some(42));
        }
    }
    let (tunnels, _) = decode(LinkType::RawIp, &gpe(4790, 5, &mpls)).unwrap();
    assert_eq!(tunnels, [(TunnelKind::VxlanGpe, Some(42)), (TunnelKind::Mpls, Some(32))]);
    // Without the bit for it, there is no next protocol.
    let plain = udp_v4(55_555, 4790, &join(&[8, 0, 0, 1, 0, 0, 42, 0], &ether));
    expect(LinkType::RawIp, &plain, TunnelKind::Vxlan, Some(42));
}

#[test]
fn over_gre() {
    let (v4, ether) = (tcp_v4(b"hello"), inner_frame());
    let gre = |head: &[u8], inner: &[u8]| ipv4(47, &join(head, inner));
    expect(LinkType::RawIp, &gre(&[0, 0, 8, 0], &v4), TunnelKind::Gre, None);
    let all = [0xb0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1];
    expect(LinkType::RawIp, &gre(&all, &v4), TunnelKind::Gre, Some(5));
    let nvgre = [0x20, 0, 0x65, 0x58, 0, 0, 77, 3];
    expect(LinkType::RawIp, &gre(&nvgre, &ether), TunnelKind::Nvgre, Some(77));
    expect(LinkType::RawIp, &gre(&[0, 0, 0x88, 0xbe], &ether), TunnelKind::Erspan, None);
    let type_ii = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 9, 0, 0, 0, 0];
    expect(LinkType::RawIp, &gre(&type_ii, &ether), TunnelKind::Erspan, Some(9));
    let type_iii = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1];
    let type_iii = join(&type_iii, &[0; 8]);
    expect(LinkType::RawIp, &gre(&type_iii, &ether), TunnelKind::Erspan, Some(9));
    let nsh = join(&[0, 0, 0x89, 0x4f, 0x0f, 0xc2, 2, 1, 0, 0, 1, 255], &v4);
    expect(LinkType::RawIp, &gre(&nsh, &[]), TunnelKind::Gre, None);
    assert_eq!(decode(LinkType::RawIp, &gre(&[0, 0, 0, 0], &v4)), Err(Undecoded::OtherTransport));
}

/// A mirror gives the frames of each direction of a port a key, a session or a VLAN of their own.
#[test]
fn what_a_mirror_adds_is_not_part_of_the_flow() {
    let gre =
        |head: &[u8]| decode(LinkType::RawIp, &ipv4(47, &join(head, &inner_frame()))).unwrap().1;
    let keyed = |key: u8| gre(&[0x20, 0, 0x65, 0x58, key, 0, 0, 0]);
    assert_eq!((keyed(0), keyed(2)), (0, 0));
    let type_ii = |vlan: u8, session: u8| {
        gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, vlan, 0, session, 0, 0, 0, 0])
    };
    assert_eq!((type_ii(1, 9), type_ii(2, 10)), (0, 0));
}

#[test]
fn tenants_of_gre_are_told_apart_where_keys_are_said_to_do_so() {
    let config = DecodeConfig { gre_key_is_network: true, ..DecodeConfig::default() };
    let mut decoder = Decoder::new(config);
    let mut network = |ether_type: [u8; 2], key: [u8; 4], inner: &[u8]| {
        let bytes = ipv4(47, &[&[0x20, 0], &ether_type[..], &key, inner].concat());
        decoder.decode(&frame(LinkType::RawIp, &bytes)).unwrap().network
    };
    let inner = inner_frame();
    let one = network([0x65, 0x58], [0, 0x10, 1, 7], &inner);
    assert_eq!(network([0x65, 0x58], [0, 0x10, 1, 9], &inner), one);
    assert_ne!(network([0x65, 0x58], [0, 0x10, 2, 7], &inner), one);
    let v4 = tcp_v4(b"hello");
    assert_ne!(network([8, 0], [0, 0, 0, 1], &v4), network([8, 0], [0, 0, 0, 2], &v4));
}

#[test]
fn ip_in_ip() {
    let (v4, v6) = (tcp_v4(b"hello"), tcp_v6(b"hello"));
    for bytes in [ipv4(4, &v4), ipv4(41, &v6), ipv6(4, &v4), ipv6(41, &v6)] {
        expect(LinkType::RawIp, &bytes, TunnelKind::IpInIp, None);
    }
}

#[test]
fn mpls_guesses_its_payload() {
    let (v4, ether) = (tcp_v4(b"hello"), inner_frame());
    let two_labels = [0, 1, 0, 64, 0, 2, 1, 64];
    let over = |payload: &[u8]| ethernet(0x8847, &join(&two_labels, payload));
    expect(LinkType::Ethernet, &over(&v4), TunnelKind::Mpls, Some(32));
    expect(LinkType::Ethernet, &over(&tcp_v6(b"hello")), TunnelKind::Mpls, Some(32));
    expect(LinkType::Ethernet, &over(&ether), TunnelKind::Mpls, Some(32));
    expect(LinkType::Ethernet, &over(&join(&[0; 4], &ether)), TunnelKind::Mpls, Some(32));
    let mut four = ether.clone();
    four[0] = 0x46;
    expect(LinkType::Ethernet, &over(&four), TunnelKind::Mpls, Some(32));
    assert_eq!(decode(LinkType::Ethernet, &ethernet(0x8847, &[0; 400])), Err(Undecoded::Malformed));
}

#[test]
fn pppoe_sessions() {
    let v4 = tcp_v4(b"hello");
    let len = (v4.len() + 2) as u8;
    let padded = join(&join(&[0x11, 0, 0, 3, 0, len, 0, 0x21], &v4), &[0xee; 9]);
    expect(LinkType::Ethernet, &ethernet(0x8864, &padded), TunnelKind::Pppoe, Some(3));
    let control = [0x11, 0, 0, 3, 0, 4, 0xc0, 0x21, 9, 9];
    assert_eq!(decode(LinkType::Ethernet, &ethernet(0x8864, &control)), Err(Undecoded::NotIp));
}

#[test]
fn nested_outermost_first_up_to_the_limit() {
    let mut bytes = vxlan(1, &inner_frame());
    for vni in 2..=4 {
        bytes = vxlan(vni, &ethernet(0x0800, &bytes));
    }
    let (tunnels, _) = decode(LinkType::RawIp, &bytes).unwrap();
    assert_eq!(tunnels.iter().filter_map(|t| t.1).collect::<Vec<_>>(), [4, 3, 2, 1]);
    let bytes = ipv4(4, &bytes);
    assert_eq!(decode(LinkType::RawIp, &bytes), Err(Undecoded::TunnelDepth));
}
