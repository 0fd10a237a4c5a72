//! Nanoseconds an exchange from frames to fact: a request and its response in a segment (or datagram) each.

#![allow(missing_docs)]

use analyzer::{Analyzer, Config, Fact, Sink};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wire::{LinkType, RawFrame, TapId, Timestamp};

const REQUEST: &[u8] =
    b"GET /index.html?page=1 HTTP/1.1\r\nHost: shop.example:8080\r\nUser-Agent: wrk/4.1\r\n\
    Accept: */*\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\
    Content-Type: text/plain\r\nContent-Length: 13\r\nConnection: keep-alive\r\n\r\nHello, world\n";
const QUERY: &[u8] = b"\0\x07\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01";
const ANSWER: &[u8] = b"\0\x07\x81\x80\0\x01\0\x01\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01\
    \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01";

struct Exchanges(u64);

impl Sink for Exchanges {
    fn emit(&mut self, fact: Fact<'_>) {
        self.0 += u64::from(matches!(fact, Fact::Exchange(_)));
    }
}

/// Ethernet, IPv4 and the beginning of `l4` (ports first) before `payload`.
fn frame(to_server: bool, protocol: u8, port: u16, l4: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = (20 + 4 + l4.len() + payload.len()) as u16;
    let (hosts, ports) = ([[10, 0, 0, 1], [10, 0, 0, 2]], [40_000u16, port]);
    let from = usize::from(!to_server);
    let mut f = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    f.extend(length.to_be_bytes());
    f.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
    f.extend(hosts[from].into_iter().chain(hosts[1 - from]));
    f.extend(ports[from].to_be_bytes().into_iter().chain(ports[1 - from].to_be_bytes()));
    f.extend(l4);
    f.extend(payload);
    f
}

fn tcp(to_server: bool, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
    let mut l4 = [seq.to_be_bytes(), ack.to_be_bytes()].concat();
    l4.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    frame(to_server, 6, 8080, &l4, payload)
}

fn udp(to_server: bool, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    frame(to_server, 17, 53, &[&length.to_be_bytes()[..], &[0, 0]].concat(), payload)
}

fn run(c: &mut Criterion, name: &str, mut pair: impl FnMut(u32) -> [Vec<u8>; 2]) {
    const EACH: u32 = 1000;
    let mut analyzer = Analyzer::new(Config::default());
    let mut sink = Exchanges(0);
    let (mut number, mut round) = (0, 0);
    let mut group = c.benchmark_group("exchange");
    group.throughput(Throughput::Elements(u64::from(EACH)));
    group.bench_function(name, |b| {
        b.iter_batched(
            || {
                let frames: Vec<_> = (round..round + EACH).flat_map(&mut pair).collect();
                round += EACH;
                frames
            },
            |frames| {
                for bytes in &frames {
                    number += 1;
                    let time = Timestamp::from_nanos(1_700_000_000_000_000_000 + number * 1000);
                    let wire_len = bytes.len() as u32;
                    let link_type = LinkType::Ethernet;
                    let frame = RawFrame { time, tap: TapId(0), link_type, wire_len, vlan: None, bytes };
                    analyzer.frame(number, &frame, &mut sink);
                }
                frames
            },
            criterion::BatchSize::PerIteration,
        );
    });
    group.finish();
    assert_eq!(sink.0, number / 2, "every exchange is found");
}

fn exchanges(c: &mut Criterion) {
    let (q, r) = (REQUEST.len() as u32, RESPONSE.len() as u32);
    run(c, "http", |n| {
        let (to, from) = (n.wrapping_mul(q), n.wrapping_mul(r));
        [tcp(true, to, from, REQUEST), tcp(false, from, to.wrapping_add(q), RESPONSE)]
    });
    run(c, "dns", |_| [udp(true, QUERY), udp(false, ANSWER)]);
}

criterion_group!(benches, exchanges);
criterion_main!(benches);
