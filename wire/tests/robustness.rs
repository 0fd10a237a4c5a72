//! No input makes the decoder panic, and no capture length does.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{ethernet, fragments, frame, ipv4, join, tcp_v4, tcp_v6, udp_v4};
use proptest::prelude::*;
use wire::decode::{DecodeConfig, Decoder, Layer4, Undecoded};
use wire::{LinkType, RawFrame};

const LINK_TYPES: [LinkType; 21] = [
    LinkType::Null,
    LinkType::Ethernet,
    LinkType::Loop,
    LinkType::RawIp,
    LinkType::LinuxSll,
    LinkType::LinuxSll2,
    LinkType::Ppp,
    LinkType::PppHdlc,
    LinkType::PppWithDirection,
    LinkType::Pppoe,
    LinkType::CiscoHdlc,
    LinkType::Llc,
    LinkType::Mpls,
    LinkType::Enc,
    LinkType::Pflog,
    LinkType::Nflog,
    LinkType::Ieee80211,
    LinkType::Radiotap,
    LinkType::Ipoib,
    LinkType::Infiniband,
    LinkType::Unsupported(7),
];

fn check(decoder: &mut Decoder, frame: &RawFrame<'_>) -> Option<Undecoded> {
    Decoder::new(DecodeConfig::default()).route(frame);
    match decoder.decode(frame) {
        Ok(decoded) => {
            let (len, captured) = match decoded.layer4 {
                Layer4::Tcp(tcp) => (tcp.payload_len, tcp.payload.len()),
                Layer4::Udp(udp) => (udp.payload_len, udp.payload.len()),
            };
            assert!(captured <= len as usize);
            None
        }
        Err(reason) => Some(reason),
    }
}

fn samples() -> Vec<Vec<u8>> {
    let (v4, v6) = (tcp_v4(b"some payload"), tcp_v6(b"some payload"));
    let ether = ethernet(0x0800, &v4);
    let vxlan = udp_v4(9, 4789, &join(&[8, 0, 0, 0, 0, 0, 1, 0], &ether));
    let geneve = udp_v4(9, 6081, &join(&[1, 0, 0x65, 0x58, 0, 0, 1, 0, 1, 2, 3, 0], &ether));
    let gtpu = udp_v4(9, 2152, &join(&[0x34, 255, 0, 70, 0, 0, 0, 1, 0, 0, 0, 5, 1, 0, 0, 0], &v4));
    let gre = ipv4(47, &join(&[0xb0, 0, 0x65, 0x58, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], &ether));
    let mpls = join(&[0, 1, 1, 64, 0, 0, 0, 0], &ether);
    let mut all: Vec<_> = [&v4, &vxlan, &geneve, &gtpu, &gre, &ipv4(4, &v4), &ipv4(41, &v6)]
        .into_iter()
        .chain(&fragments(&v4, 8))
        .map(|bytes| ethernet(0x0800, bytes))
        .collect();
    let tagged = join(&[8, 0], &v4);
    let gpe = udp_v4(9, 4790, &join(&[12, 0, 0, 1, 0, 0, 1, 0], &v4));
    all.push(ethernet(0x0800, &gpe));
    all.push(ethernet(0x8926, &join(&[0x80, 1, 0, 2], &tagged)));
    all.push(ethernet(0x893f, &join(&[0xe0, 1, 0x10, 2, 0, 0], &tagged)));
    all.push(ethernet(0x8909, &join(&[1, 1, 0, 1, 0, 7], &tagged)));
    all.push(ethernet(0x8903, &join(&[0, 0x40], &ether)));
    all.push(ethernet(0x88e5, &join(&join(&[0, 0, 0, 0, 0, 1], &tagged), &[0; 16])));
    all.push(ethernet(0x894f, &join(&[0x0f, 0xc2, 2, 1, 0, 0, 1, 255], &v4)));
    all.push(ethernet(0x22f3, &join(&[0, 0x7f, 0, 1, 0, 2, 9, 9, 9, 9], &ether)));
    all.push(ethernet(0x86dd, &v6));
    all.push(ethernet(0x8847, &mpls));
    all.push(ethernet(0x8864, &join(&[0x11, 0, 0, 1, 0, 80, 0, 0x21], &v4)));
    all
}

#[test]
fn every_cut_of_a_packet() {
    for bytes in samples() {
        for cut in 0..=bytes.len() {
            let mut decoder = Decoder::new(DecodeConfig::default());
            let mut frame = frame(LinkType::Ethernet, &bytes[..cut]);
            check(&mut decoder, &frame);
            frame.wire_len = bytes.len() as u32;
            let reason = check(&mut decoder, &frame);
            assert_ne!(reason, Some(Undecoded::Malformed), "{bytes:02x?} cut to {cut}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), extra in 0_u32..2000) {
        let mut decoder = Decoder::new(DecodeConfig::default());
        for link_type in LINK_TYPES {
            let mut frame = frame(link_type, &bytes);
            frame.wire_len += extra;
            check(&mut decoder, &frame);
        }
    }

    #[test]
    fn changed_bytes(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        which: prop::sample::Index
    ) {
        let all = samples();
        let mut bytes = which.get(&all).clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let mut decoder = Decoder::new(DecodeConfig::default());
        check(&mut decoder, &frame(LinkType::Ethernet, &bytes));
    }
}
