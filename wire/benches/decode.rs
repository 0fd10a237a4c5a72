//! Decoding of packets built in memory, and of the capture corpus where it is at hand.

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use etherparse::{PacketBuilder, TcpOptionElement};
use pcap_file::pcap::PcapReader;
use wire::decode::{DecodeConfig, Decoder, Route};
use wire::{LinkType, RawFrame, TapId, Timestamp};

fn tcp(options: &[TcpOptionElement]) -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .tcp(40_000, 80, 1, 500)
        .ack(1)
        .options(options)
        .expect("short options fit")
        .write(&mut bytes, &[7; 100])
        .expect("a vector takes everything");
    bytes
}

fn vxlan(inner: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
        .udp(55_555, 4789)
        .write(&mut bytes, &[&[8, 0, 0, 0, 0, 0, 1, 0], inner].concat())
        .expect("a vector takes everything");
    bytes
}

fn frame(link: u16, wire_len: u32, bytes: &[u8]) -> RawFrame<'_> {
    RawFrame {
        time: Timestamp::from_nanos(1),
        tap: TapId(1),
        link_type: LinkType::from_number(link),
        wire_len,
        vlan: None,
        bytes,
    }
}

fn corpus() -> Vec<(u16, u32, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/captures");
    let mut frames = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(bytes) = fs::read(entry.path()) else { continue };
        let Ok(mut reader) = PcapReader::new(&bytes[..]) else { continue };
        let link = u32::from(reader.header().datalink) as u16;
        while let Some(Ok(p)) = reader.next_raw_packet() {
            frames.push((link, p.orig_len, p.data.into_owned()));
        }
    }
    frames
}

fn bench(c: &mut Criterion) {
    let mut decoder = Decoder::new(DecodeConfig::default());
    let timestamps =
        [TcpOptionElement::Noop, TcpOptionElement::Noop, TcpOptionElement::Timestamp(1, 2)];
    let with_timestamps = tcp(&timestamps);
    let packets = [
        ("tcp", tcp(&[])),
        ("tcp with timestamps", with_timestamps.clone()),
        ("tcp in vxlan", vxlan(&with_timestamps)),
    ];
    for (name, bytes) in &packets {
        let frame = frame(1, bytes.len() as u32, bytes);
        c.bench_function(name, |b| b.iter(|| black_box(decoder.decode(black_box(&frame))).is_ok()));
    }
    let shard = frame(1, with_timestamps.len() as u32, &with_timestamps);
    c.bench_function("route", |b| {
        b.iter(|| matches!(decoder.route(black_box(&shard)), Route::Any))
    });

    let frames = corpus();
    if frames.is_empty() {
        return;
    }
    let mut group = c.benchmark_group("corpus");
    group.throughput(Throughput::Elements(frames.len() as u64));
    group.bench_function("all captures", |b| {
        b.iter(|| {
            let frames = frames.iter().map(|(link, len, bytes)| frame(*link, *len, bytes));
            frames.filter(|f| decoder.decode(f).is_ok()).count()
        });
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
