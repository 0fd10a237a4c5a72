//! Nanoseconds a packet of a whole `wirespan replay`, from the program's start to its end: requests
//! and flows, metrics on.
//!
//! The capture repeats one that the project recorded, `pcaps/http-clean`, each time with other
//! addresses and later.

#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use capture::{CaptureFile, CaptureWriter};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wire::{RawFrame, TapId, Timestamp};

/// Packets of the capture, about.
const PACKETS: u64 = 500_000;
/// Where source and destination of IPv4 stand in an Ethernet frame.
const ADDRESSES: [usize; 2] = [26, 30];

struct Frame {
    time: Timestamp,
    bytes: Vec<u8>,
    frame: RawFrame<'static>,
}

fn recorded() -> Vec<Frame> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/http-clean/capture.pcap.gz");
    let mut file =
        CaptureFile::open(&path, Box::new(|_| TapId(0))).expect("recorded by the project");
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = file.next_frame() {
        frames.push(Frame {
            time: frame.time,
            bytes: frame.bytes.to_vec(),
            frame: RawFrame { bytes: &[], ..frame },
        });
    }
    frames
}

/// Writes the repeated capture; returns its number of packets.
fn write(path: &Path) -> u64 {
    let frames = recorded();
    let (first, last) = (frames[0].time, frames[frames.len() - 1].time);
    let span = last.nanos_since(first) + 1_000_000;
    let mut writer = CaptureWriter::new(path).expect("a temporary file");
    let times = PACKETS / frames.len() as u64;
    for round in 0..times {
        for Frame { time, bytes, frame } in &frames {
            let mut bytes = bytes.clone();
            for at in ADDRESSES {
                bytes[at..at + 2].copy_from_slice(&(10_000 + round as u16).to_be_bytes());
            }
            let time = Timestamp::from_nanos(time.as_nanos() + round * span);
            writer
                .write(&RawFrame { time, bytes: &bytes, ..*frame }, "bench")
                .expect("room for it");
        }
    }
    writer.finish().expect("room for it");
    times * frames.len() as u64
}

fn replay(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path: PathBuf = folder.path().join("capture.pcapng");
    let packets = write(&path);
    let mut group = c.benchmark_group("replay");
    group.throughput(Throughput::Elements(packets)).sample_size(10);
    for (name, arguments) in [
        ("summary", &["--emit", "summary"][..]),
        ("spans_and_flows", &["--emit", "spans,flows,summary", "--output", "jsonl"]),
        (
            "spans_and_flows_2_threads",
            &["--emit", "spans,flows,summary", "--output", "jsonl", "--threads", "2"],
        ),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let status = Command::new(env!("CARGO_BIN_EXE_wirespan"))
                    .args(["replay", "-q", "--metrics-out", "/dev/null"])
                    .args(arguments)
                    .arg(&path)
                    .stdout(Stdio::null())
                    .status()
                    .expect("the program starts");
                assert!(status.success());
            });
        });
    }
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
