//! What two ends say to each other over one connection, cut into segments as the input says, with
//! holes: whatever the protocol, nothing may go wrong, and what comes out must be consistent.
//! `WIRESPAN_PROTOCOL` chooses the protocol whose usual port is taken; without, the first byte
//! does.
#![no_main]

use std::sync::LazyLock;

use analyzer::{Analyzer, Config, RequestLimits};
use fact::{Fact, Sink};
use libfuzzer_sys::fuzz_target;
use wire::{LinkType, RawFrame, TapId, Timestamp};
use wirespan_fuzz::{SUBJECTS, Subject};

static CHOSEN: LazyLock<Option<Subject>> = LazyLock::new(|| {
    let wanted = std::env::var("WIRESPAN_PROTOCOL").ok()?;
    let found = SUBJECTS.iter().find(|subject| subject.protocol.as_str() == wanted);
    Some(*found.unwrap_or_else(|| panic!("{wanted} is no protocol")))
});

#[derive(Default)]
struct Checker;

impl Sink for Checker {
    fn emit(&mut self, fact: Fact<'_>) {
        if let Fact::Exchange(exchange) = fact {
            assert!(exchange.request.is_some() || exchange.response.is_some());
            for message in [exchange.request, exchange.response].into_iter().flatten() {
                assert!(message.first <= message.last, "{exchange:?}");
            }
            assert!(
                exchange.operation.len() <= 4096 && exchange.attributes.len() <= 256,
                "{exchange:?}"
            );
        }
    }
}

/// IPv4 with TCP or UDP; the client is always the same.
fn packet(udp: bool, to_server: bool, port: u16, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
    let (mut ends, mut ports) = ([[10, 0, 0, 1], [10, 0, 0, 2]], [40_000u16, port]);
    if !to_server {
        ends.reverse();
        ports.reverse();
    }
    let header = if udp { 8 } else { 20 };
    let total = (20 + header + payload.len()) as u16;
    let mut bytes = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, if udp { 17 } else { 6 }, 0, 0];
    bytes[2..4].copy_from_slice(&total.to_be_bytes());
    bytes.extend(ends.concat());
    ports.iter().for_each(|port| bytes.extend(port.to_be_bytes()));
    if udp {
        bytes.extend((8 + payload.len() as u16).to_be_bytes());
        bytes.extend([0, 0]);
    } else {
        bytes.extend([seq.to_be_bytes(), ack.to_be_bytes()].concat());
        bytes.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    }
    bytes.extend(payload);
    bytes
}

// The input: a byte for the protocol, then pieces: a byte of which the highest bit is the direction
// and the second highest a hole behind the piece, the length in two bytes (little-endian, at most
// 4095), the bytes.
fuzz_target!(|input: &[u8]| {
    let Some((&first, mut rest)) = input.split_first() else { return };
    let any = SUBJECTS[usize::from(first) % SUBJECTS.len()];
    let Subject { port, udp, .. } = CHOSEN.unwrap_or(any);
    let requests = RequestLimits { head_bytes: 8192, pending: 32, ..RequestLimits::default() };
    let mut analyzer = Analyzer::new(Config { requests, ..Config::default() });
    let (mut sink, mut number, mut seq) = (Checker, 0u64, [0u32; 2]);
    while let [how, low, high, tail @ ..] = rest {
        let length = (usize::from(*low) | usize::from(*high) << 8) & 0xfff;
        let (payload, next) = tail.split_at(length.min(tail.len()));
        rest = next;
        let side = usize::from(how & 0x80 != 0);
        number += 1;
        let bytes = packet(udp, side == 0, port, seq[side], seq[1 - side], payload);
        seq[side] = seq[side].wrapping_add(payload.len() as u32);
        if how & 0x40 != 0 {
            seq[side] = seq[side].wrapping_add(1 + u32::from(how & 0x3f) * 40);
        }
        let time = Timestamp::from_nanos(1_000_000_000 + number * 1_000_000);
        let wire_len = bytes.len() as u32;
        let frame = RawFrame {
            time,
            tap: TapId(0),
            link_type: LinkType::RawIp,
            wire_len,
            vlan: None,
            bytes: &bytes,
        };
        analyzer.frame(number, &frame, &mut sink);
        analyzer.tick(time, &mut sink);
        let usage = analyzer.usage();
        assert!(usage.flow_bytes < 4 << 20, "{usage:?}");
    }
    analyzer.finish(&mut sink);
});
