//! Nanoseconds a packet from frame to flow: data and acknowledgements in order, and connections
//! that open and close.

#![allow(missing_docs)]

#[path = "../tests/packets/mod.rs"]
mod packets;

use analyzer::{Analyzer, Config};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fact::{Fact, Sink};
use packets::Ends;
use wire::{LinkType, RawFrame, TapId, Timestamp};

struct Nowhere;

impl Sink for Nowhere {
    fn emit(&mut self, _: Fact<'_>) {}
}

fn feed(analyzer: &mut Analyzer, number: &mut u64, bytes: &[u8]) {
    *number += 1;
    let frame = RawFrame {
        time: Timestamp::from_nanos(1_700_000_000_000_000_000 + *number * 1000),
        tap: TapId(0),
        link_type: LinkType::Ethernet,
        wire_len: bytes.len() as u32,
        vlan: None,
        bytes,
    };
    analyzer.frame(*number, &frame, &mut Nowhere);
}

/// Data and ACK by turns on `flows` connections, one packet of each after the other.
fn in_order(c: &mut Criterion, flows: u16) {
    const EACH: usize = 16;
    let mut group = c.benchmark_group("data_and_ack");
    group.throughput(Throughput::Elements(u64::from(flows) * 2 * EACH as u64));
    group.sample_size(20);
    group.bench_function(format!("{flows}_flows"), |b| {
        let mut all: Vec<Ends> = (0..flows).map(|n| Ends::new(20_000 + n, 7)).collect();
        let mut analyzer = Analyzer::new(Config::default());
        let mut number = 0;
        for ends in &mut all {
            ends.handshake().iter().for_each(|frame| feed(&mut analyzer, &mut number, frame));
        }
        b.iter_batched(
            || {
                let bursts: Vec<_> = all.iter_mut().map(|ends| ends.burst(EACH, 64)).collect();
                (0..EACH * 2)
                    .flat_map(|i| bursts.iter().map(move |b| b[i].clone()))
                    .collect::<Vec<_>>()
            },
            |frames| {
                frames.iter().for_each(|frame| feed(&mut analyzer, &mut number, frame));
                frames
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn open_close(c: &mut Criterion) {
    const CONNECTIONS: u16 = 10_000;
    let frames: Vec<Vec<u8>> = (0..CONNECTIONS)
        .flat_map(|n| {
            let mut ends = Ends::new(20_000 + n, 7);
            ends.handshake().into_iter().chain(ends.close()).collect::<Vec<_>>()
        })
        .collect();
    let mut group = c.benchmark_group("open_close");
    group.throughput(Throughput::Elements(frames.len() as u64));
    group.sample_size(20);
    group.bench_function("10000_connections", |b| {
        b.iter_batched(
            || Analyzer::new(Config::default()),
            |mut analyzer| {
                let mut number = 0;
                frames.iter().for_each(|frame| feed(&mut analyzer, &mut number, frame));
                analyzer.finish(&mut Nowhere);
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn benches(c: &mut Criterion) {
    in_order(c, 1);
    in_order(c, 10_000);
    open_close(c);
}

criterion_group!(flow, benches);
criterion_main!(flow);
