//! What capture files tell besides their packets: parts of one capture, interfaces, losses, link
//! types.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use capture::CaptureFile;
use serde_json::Value;
use wire::TapId;

/// Time in nanoseconds, and bytes.
type Frame = (u64, Vec<u8>);

/// Frames that the project recorded, in the order of their times.
fn recorded() -> Vec<Frame> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/http-clean/capture.pcap.gz");
    let mut file =
        CaptureFile::open(&path, Box::new(|_| TapId(0))).expect("recorded by the project");
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = file.next_frame() {
        frames.push((frame.time.as_nanos(), frame.bytes.to_vec()));
    }
    frames.sort_by_key(|(time, _)| *time);
    frames
}

fn write(path: PathBuf, link_type: u32, frames: &[Frame]) -> PathBuf {
    let mut content = Vec::new();
    for word in [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 262_144, link_type] {
        content.extend(word.to_le_bytes());
    }
    for (time, bytes) in frames {
        let len = bytes.len() as u32;
        for word in [(time / 1_000_000_000) as u32, (time % 1_000_000_000) as u32, len, len] {
            content.extend(word.to_le_bytes());
        }
        content.extend(bytes);
    }
    fs::write(&path, content).expect("a temporary file");
    path
}

fn replay(arguments: &[&str], files: &[PathBuf]) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wirespan"))
        .args(["replay", "--no-progress", "--output", "jsonl"])
        .args(arguments)
        .args(files)
        .output()
        .expect("wirespan starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

fn summary(arguments: &[&str], files: &[PathBuf]) -> (Value, String) {
    let (records, words) = replay(&[&["--emit", "summary"], arguments].concat(), files);
    (serde_json::from_str(&records).expect("a record is JSON"), words)
}

/// Three parts of the recorded capture with these names, and the whole of it with the first.
fn parts(folder: &Path, names: [&str; 3]) -> (Vec<PathBuf>, PathBuf) {
    let frames = recorded();
    let (parts, whole) = (folder.join("parts"), folder.join("whole"));
    fs::create_dir_all(&parts).expect("a temporary folder");
    fs::create_dir_all(&whole).expect("a temporary folder");
    // In the middle of connections.
    let size = frames.len() / 3 + 1;
    let of = |(name, frames): (&str, &[Frame])| write(parts.join(name), 1, frames);
    let files = names.into_iter().zip(frames.chunks(size)).map(of).collect();
    (files, write(whole.join(names[0]), 1, &frames))
}

#[test]
fn connections_go_on_over_the_parts_of_a_rotated_capture() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for names in [
        ["trace.pcap", "trace.pcap1", "trace.pcap2"],
        ["t_00009_20240101.pcap", "t_00010_20240101.pcap", "t_00011_20240102.pcap"],
    ] {
        let (parts, whole) = parts(folder.path(), names);
        let expected = replay(&["--emit", "flows,spans"], &[whole]).0;
        let reversed: Vec<_> = parts.iter().rev().cloned().collect();
        for threads in ["1", "3"] {
            let arguments = ["--emit", "flows,spans", "--threads", threads];
            for files in [&parts, &reversed] {
                assert_eq!(replay(&arguments, files).0, expected, "{names:?}, {threads} threads");
            }
        }
        let (record, words) = summary(&[], &parts);
        assert_eq!(record["continued_files"], 2);
        assert!(words.contains("2 files continued by the next"), "{words}");
        let (apart, _) = summary(&["--rotated", "never"], &parts);
        assert!(apart["flows"].as_u64() > record["flows"].as_u64(), "{apart}");
        assert_eq!(apart.get("continued_files"), None);
    }
}

#[test]
fn files_of_other_names_are_parts_of_one_capture_on_request() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (parts, whole) = parts(folder.path(), ["first.pcap", "second.pcap", "third.pcap"]);
    let expected = replay(&["--emit", "flows,spans"], &[whole]).0;
    assert_ne!(replay(&["--emit", "flows,spans"], &parts).0, expected);
    assert_eq!(replay(&["--emit", "flows,spans", "--rotated", "always"], &parts).0, expected);
}

/// Captures of one time are of two places, whatever their names; and so are those of hours apart.
#[test]
fn captures_whose_times_do_not_follow_each_other_stay_apart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let frames = recorded();
    let later = |by: u64| -> Vec<_> {
        frames.iter().map(|(time, bytes)| (time + by, bytes.clone())).collect()
    };
    let length = frames.last().expect("a frame").0 - frames[0].0;
    for by in [0, 20_000, length / 2, length + 3_600_000_000_000] {
        let files = [
            write(folder.path().join("node1.pcap"), 1, &frames),
            write(folder.path().join("node2.pcap"), 1, &later(by)),
        ];
        let (records, _) = replay(&["--emit", "flows"], &files);
        for tap in ["node1.pcap", "node2.pcap"] {
            assert!(records.contains(&format!("\"tap\":\"{tap}\"")), "{by}: {records}");
        }
    }
}

#[test]
fn link_types_that_are_not_decoded_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let frames: Vec<_> = recorded().into_iter().take(5).collect();
    let file = write(folder.path().join("user.pcap"), 147, &frames);
    for threads in ["1", "2"] {
        let (record, words) = summary(&["--threads", threads], std::slice::from_ref(&file));
        assert_eq!(record["undecoded"]["link_type"], 5);
        assert_eq!(record["link_types"]["147 (USER0)"], 5);
        assert!(words.contains("5 packets not decoded: link type 147 (USER0)\n"), "{words}");
        assert!(!words.contains("not decoded: link type\n"), "{words}");
    }
}

/// Each interface that a frame of `tcpdump -i any` names is a tap: the copies there repeat nothing.
#[test]
fn a_frame_at_several_interfaces_is_no_retransmission() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut frames = Vec::new();
    for (time, bytes) in recorded() {
        for (index, late) in [(11_u32, 0), (5, 1), (12, 2)] {
            // The EtherType, reserved, the index, the kind of device, of packet and of address.
            let head = [&bytes[12..14], &[0, 0], &index.to_be_bytes(), &[0, 1, 0, 6], &[0; 8]];
            frames.push((time + late, [&head.concat(), &bytes[14..]].concat()));
        }
    }
    let file = write(folder.path().join("any.pcap"), 276, &frames);
    let (records, _) = replay(&["--emit", "flows"], &[file]);
    let plain = write(folder.path().join("plain.pcap"), 1, &recorded());
    let (expected, _) = replay(&["--emit", "flows"], &[plain]);
    let of = |records: &str, tap: &str| -> Vec<(Value, Value)> {
        let flows = records.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let flows = flows.filter(|flow| flow["tap"] == tap);
        let counters = |direction: &Value| {
            let figure = |name: &str| direction[name].as_u64().unwrap_or(0);
            Value::from(["packets", "payload_bytes", "retransmissions"].map(figure).to_vec())
        };
        flows.map(|flow| (counters(&flow["to_server"]), counters(&flow["to_client"]))).collect()
    };
    let expected = of(&expected, "plain.pcap");
    assert!(expected.len() > 5, "{expected:?}");
    for tap in ["any.pcap#11", "any.pcap#5", "any.pcap#12"] {
        assert_eq!(of(&records, tap), expected, "{tap}");
    }
}

fn pcapng_block(kind: u32, body: &[u8]) -> Vec<u8> {
    let total = (12 + body.len() as u32).to_le_bytes();
    [&kind.to_le_bytes(), &total[..], body, &total].concat()
}

#[test]
fn losses_that_a_capture_file_tells_reach_summary_and_metrics() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let interface = [1, 0, 0, 0, 0, 0, 0, 0];
    let (_, bytes) = recorded().remove(0);
    let mut packet = Vec::new();
    for word in [0, 0, 1, bytes.len() as u32, bytes.len() as u32] {
        packet.extend(word.to_le_bytes());
    }
    packet.extend(&bytes);
    packet.resize(packet.len().next_multiple_of(4), 0);
    let mut statistics = vec![0; 12];
    for (code, count) in [(5_u16, 40_u64), (6, 1000), (7, 2)] {
        statistics.extend(code.to_le_bytes());
        statistics.extend([8, 0]);
        statistics.extend(count.to_le_bytes());
    }
    let blocks = [(0x0a0d_0d0a, section), (1, interface.to_vec()), (6, packet), (5, statistics)];
    let path = folder.path().join("lossy.pcapng");
    let content: Vec<_> = blocks.iter().map(|(kind, body)| pcapng_block(*kind, body)).collect();
    fs::write(&path, content.concat()).expect("a temporary file");
    let metrics = folder.path().join("metrics");
    let metrics_out = metrics.to_string_lossy();
    let (record, words) = summary(&["--metrics-out", &metrics_out], &[path]);
    assert_eq!(record["dropped"], serde_json::json!({"interface": 40, "kernel": 2}));
    assert_eq!(record["dropped_by_tap"]["lossy.pcapng"]["interface"], 40);
    assert!(words.contains("2 packets dropped by kernel"), "{words}");
    assert!(words.contains("40 dropped: interface"), "{words}");
    let text = fs::read_to_string(&metrics).expect("written");
    for (reason, count) in [("interface", 40), ("kernel", 2)] {
        let line = text.lines().find(|line| {
            line.starts_with("wirespan_capture_drops_total")
                && line.contains("tap=\"lossy.pcapng\"")
                && line.contains(&format!("reason=\"{reason}\""))
        });
        let line = line.expect("a series for the tap and the reason");
        assert!(line.ends_with(&format!(" {count}")), "{line}");
    }
}
