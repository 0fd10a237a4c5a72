//! Every file of the shared corpus gives the records that its oracle counted, and ends as it
//! should.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use capture::{CaptureFile, Error};
use serde_json::Value;
use wire::{Batch, Source, SourceError, TapId, Timestamp};

fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/captures");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: needs the shared corpus in {}", folder.display());
    None
}

#[derive(Debug, Default)]
struct Read {
    frames: u64,
    bytes: u64,
    wire_bytes: u64,
    taps: Vec<String>,
    times: Vec<Timestamp>,
    end: Option<SourceError>,
}

fn read(path: &Path) -> Result<Read, Error> {
    let taps = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let names = std::sync::Arc::clone(&taps);
    let mut file = CaptureFile::open(
        path,
        Box::new(move |name| {
            let mut names = names.lock().unwrap();
            names.push(name.to_owned());
            TapId(names.len() as u32)
        }),
    )?;
    let mut read = Read::default();
    loop {
        let batch = file.next_batch(Duration::ZERO, &mut |frame| {
            read.frames += 1;
            read.bytes += frame.bytes.len() as u64;
            read.wire_bytes += u64::from(frame.wire_len);
            read.times.push(frame.time);
        });
        match batch {
            Ok(Batch::End) => break,
            Ok(_) => {}
            Err(e) => {
                assert!(read.end.is_none(), "an error comes once");
                read.end = Some(e);
            }
        }
    }
    read.taps = taps.lock().unwrap().clone();
    Ok(read)
}

#[test]
fn every_capture_gives_the_records_that_tshark_reads() {
    let Some(folder) = corpus() else { return };
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".json") || name.ends_with(".md") {
            continue;
        }
        let oracle =
            std::fs::read_to_string(path.with_file_name(format!("{name}.oracle.json"))).unwrap();
        let oracle: Value = serde_json::from_str(&oracle).unwrap();
        files += 1;
        let read = match read(&path) {
            Ok(read) => read,
            Err(e) => {
                assert_eq!(oracle["format"]["type"], "snoop", "{e}");
                assert!(
                    e.to_string().contains(" is a snoop file, which is not supported: convert it "),
                    "{e}"
                );
                continue;
            }
        };
        let expected = &oracle["read"];
        if oracle["format"]["blocks"].get("0xbad").is_some() {
            // tshark also counts custom blocks, which hold no packets.
            assert_eq!(read.frames, oracle["format"]["records"], "{name}: frames");
        } else {
            assert_eq!(read.frames, expected["packets"], "{name}: frames");
            assert_eq!(read.bytes, expected["bytes_captured"], "{name}: captured bytes");
            assert_eq!(read.wire_bytes, expected["bytes_on_wire"], "{name}: bytes on the wire");
        }
        let words = expected["errors"].to_string();
        match read.end {
            None => assert_eq!(expected["rc"], 0, "{name}: tshark says {words}"),
            Some(SourceError::CutShort { .. }) => {
                assert!(words.contains("cut short"), "{name}: {words}")
            }
            Some(SourceError::Malformed { .. }) => {
                assert!(words.contains("corrupt"), "{name}: {words}")
            }
            Some(e) => panic!("{name}: {e}"),
        }
        if let (Some(first), Some(time)) = (expected["first_ts"].as_f64(), read.times.iter().min())
        {
            // tshark prints a fraction of 1,882,137,472 ns behind the point as it is.
            let first = if name.starts_with("malformed-090") { 980_658_803.882_137 } else { first };
            let seconds = time.as_nanos() as f64 / 1e9;
            assert!(
                (seconds - first).abs() < 1e-5,
                "{name}: first frame at {seconds}, not {first}"
            );
        }
    }
    assert!(files > 90, "only {files} captures found");
}

#[test]
fn a_fraction_beyond_one_second_carries_over() {
    let Some(folder) = corpus() else { return };
    let read = read(&folder.join("malformed-099-tcpdump-timestamp_invalid_micro.pcap")).unwrap();
    let times: Vec<_> = read.times.iter().map(|t| t.as_nanos()).collect();
    assert_eq!(
        times,
        [1_418_145_369_999_999_000, 1_418_145_371_000_000_000, 1_418_145_370_000_000_000]
    );
}

#[test]
fn several_interfaces_are_several_taps() {
    let Some(folder) = corpus() else { return };
    let name = "format-079-pcapng-gen-output_be__advanced__test102.pcapng";
    let read = read(&folder.join(name)).unwrap();
    assert_eq!(
        read.taps,
        [
            format!("{name}#eth0"),
            format!("{name}#silly!  ethernet interface 2"),
            format!("{name}#null1")
        ]
    );
}
