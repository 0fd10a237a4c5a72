//! Walking a large capture, in time per record.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use capture::{CaptureFile, CaptureWriter, Filter};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wire::{Batch, LinkType, RawFrame, Source, TapId, Timestamp};

const RECORDS: u32 = 500_000;
const FRAME: [u8; 200] = [0x45; 200];

fn pcap(path: &Path) {
    let mut content = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 1] {
        content.extend(word.to_le_bytes());
    }
    for i in 0..RECORDS {
        for word in [i / 1_000_000, i % 1_000_000, 200, 200] {
            content.extend(word.to_le_bytes());
        }
        content.extend(FRAME);
    }
    std::fs::write(path, content).unwrap();
}

fn pcapng(path: &Path) {
    let mut writer = CaptureWriter::new(path).unwrap();
    for i in 0..RECORDS {
        let frame = RawFrame {
            time: Timestamp::from_nanos(i.into()),
            tap: TapId(0),
            link_type: LinkType::Ethernet,
            wire_len: 200,
            vlan: None,
            bytes: &FRAME,
        };
        writer.write(&frame, "eth0").unwrap();
    }
    writer.finish().unwrap();
}

fn walk(path: &Path, mut each: impl FnMut(RawFrame<'_>)) {
    let mut file = CaptureFile::open(path, Box::new(|_| TapId(0))).unwrap();
    let mut frames = 0;
    while let Batch::Frames(n) = file.next_batch(Duration::ZERO, &mut each).unwrap() {
        frames += n;
    }
    assert_eq!(frames, RECORDS as usize);
}

fn benches(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let mut group = c.benchmark_group("walk");
    group.throughput(Throughput::Elements(RECORDS.into())).sample_size(20);
    let file = folder.path().join("walk.pcap");
    pcap(&file);
    group.bench_function("pcap", |b| {
        b.iter(|| {
            walk(&file, |frame| {
                black_box(frame.bytes.first());
            })
        })
    });
    let filter = Filter::compile("tcp port 80 or udp port 53", LinkType::Ethernet).unwrap();
    group.bench_function("pcap_blocks", |b| {
        b.iter(|| {
            let mut file = CaptureFile::open(&file, Box::new(|_| TapId(0))).unwrap();
            let mut block = capture::FrameBlock::default();
            while file.next_block(&mut block).unwrap() {
                for frame in block.frames() {
                    black_box(frame.bytes.first());
                }
            }
        })
    });
    group.bench_function("pcap_filter", |b| {
        b.iter(|| {
            walk(&file, |frame| {
                black_box(filter.matches(frame.bytes, frame.wire_len));
            })
        })
    });
    let file = folder.path().join("walk.pcapng");
    pcapng(&file);
    group.bench_function("pcapng", |b| {
        b.iter(|| {
            walk(&file, |frame| {
                black_box(frame.bytes.first());
            })
        })
    });
}

criterion_group!(walks, benches);
criterion_main!(walks);
