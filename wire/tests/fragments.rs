//! Fragments put together through the decoder.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::time::Duration;

use common::{ethernet, fragments, frame, ipv6, join, tcp_v4, udp_v4};
use wire::decode::{DecodeConfig, Decoder, Layer4, Route, Undecoded};
use wire::{LinkType, Timestamp};

fn payload(decoder: &mut Decoder, bytes: &[u8]) -> Result<(Vec<u8>, u32), Undecoded> {
    let frame = frame(LinkType::RawIp, bytes);
    let decoded = decoder.decode(&frame)?;
    let bytes = match decoded.layer4 {
        Layer4::Tcp(tcp) => tcp.payload.to_vec(),
        Layer4::Udp(udp) => udp.payload.to_vec(),
    };
    Ok((bytes, decoded.wire_len))
}

#[test]
fn any_order_gives_the_packet_and_the_sum_of_lengths() {
    let content: Vec<u8> = (0..=255).collect();
    let parts = fragments(&tcp_v4(&content), 64);
    let wire_len = parts.iter().map(|p| p.len() as u32).sum();
    let mut decoder = Decoder::new(DecodeConfig::default());
    for part in parts.iter().skip(1).rev() {
        assert_eq!(payload(&mut decoder, part), Err(Undecoded::FragmentPending));
    }
    assert_eq!(payload(&mut decoder, &parts[0]), Ok((content, wire_len)));
    let usage = decoder.fragments();
    assert_eq!((usage.datagrams, usage.bytes, usage.reassembled), (0, 0, 1));
}

#[test]
fn a_router_keeps_fragments_and_sends_the_packet_where_its_flow_goes() {
    let whole = tcp_v4(b"0123456789abcdef");
    let mut router = Decoder::new(DecodeConfig::default());
    let Route::Frame(flow) = router.route(&frame(LinkType::RawIp, &whole)) else {
        panic!("a frame")
    };
    let parts = fragments(&whole, 24);
    let (last, first) = parts.split_last().unwrap();
    for part in first {
        let raw = frame(LinkType::RawIp, part);
        assert!(matches!(router.route(&raw), Route::Fragment(Undecoded::FragmentPending)));
    }
    let raw = frame(LinkType::RawIp, last);
    let Route::Packet(hash, packet) = router.route(&raw) else { panic!("a packet") };
    assert_eq!(hash, flow);
    let kept = packet.to_owned();
    assert_eq!(format!("{:?}", kept.get()), format!("{packet:?}"));
}

#[test]
fn ipv6_fragments() {
    let segment = &tcp_v4(b"0123456789abcdef")[20..];
    let (first, last) = segment.split_at(16);
    let mut decoder = Decoder::new(DecodeConfig::default());
    let first = ipv6(44, &join(&[6, 0, 0, 1, 0, 0, 0, 9], first));
    let last = ipv6(44, &join(&[6, 0, 0, 16, 0, 0, 0, 9], last));
    assert_eq!(payload(&mut decoder, &first), Err(Undecoded::FragmentPending));
    assert_eq!(payload(&mut decoder, &last).unwrap().0, b"0123456789abcdef");
}

#[test]
fn fragments_of_a_tunnel_with_fragments_inside() {
    let content = [9; 200];
    let mut decoder = Decoder::new(DecodeConfig::default());
    let mut last = Err(Undecoded::FragmentPending);
    for (i, inner) in fragments(&tcp_v4(&content), 104).into_iter().enumerate() {
        let vxlan = join(&[8, 0, 0, 0, 0, 0, 1, 0], &ethernet(0x0800, &inner));
        let mut outer = udp_v4(1, 4789, &vxlan);
        outer[5] = i as u8;
        for part in fragments(&outer, 80) {
            assert_eq!(last, Err(Undecoded::FragmentPending));
            last = payload(&mut decoder, &part);
        }
    }
    assert_eq!(last.unwrap().0, content);
}

#[test]
fn overlaps_are_refused() {
    let parts = fragments(&tcp_v4(&[1; 200]), 64);
    let mut overlapping = parts[1].clone();
    overlapping[7] -= 1;
    let mut decoder = Decoder::new(DecodeConfig::default());
    assert_eq!(payload(&mut decoder, &parts[0]), Err(Undecoded::FragmentPending));
    for part in [&overlapping, &parts[1], &parts[2], &parts[3]] {
        assert_eq!(payload(&mut decoder, part), Err(Undecoded::FragmentRefused));
    }
    assert_eq!(decoder.fragments().refused, 4);
}

#[test]
fn limits_of_number_bytes_and_time() {
    let config = DecodeConfig { max_fragmented: 4, ..DecodeConfig::default() };
    let mut decoder = Decoder::new(config.clone());
    let first = &fragments(&tcp_v4(&[1; 200]), 64)[0];
    let id = |decoder: &mut Decoder, id: u8, seconds: u64| {
        let mut bytes = first.clone();
        bytes[5] = id;
        let mut frame = frame(LinkType::RawIp, &bytes);
        frame.time = Timestamp::from_parts(seconds, 0);
        decoder.decode(&frame).unwrap_err()
    };
    for n in 0..10 {
        assert_eq!(id(&mut decoder, n, 1), Undecoded::FragmentPending);
    }
    assert_eq!((decoder.fragments().datagrams, decoder.fragments().evicted), (4, 6));
    id(&mut decoder, 99, 32);
    assert_eq!((decoder.fragments().datagrams, decoder.fragments().timed_out), (1, 4));

    let mut decoder = Decoder::new(DecodeConfig {
        max_fragmented: 1000,
        max_fragment_bytes: 4096,
        fragment_timeout: Duration::MAX,
        ..config
    });
    for n in 0..200 {
        id(&mut decoder, n, 1);
        assert!(decoder.fragments().bytes <= 4096);
    }
    assert!(decoder.fragments().evicted > 100);
}
