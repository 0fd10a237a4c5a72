//! Every folder of `pcaps/` is a case: its capture must give exactly the records that stand beside
//! it, with any number of threads. `UPDATE_GOLDEN=1` writes the records anew; read the difference
//! before it is committed.
//!
//! Where `tshark` is installed, what the records count is compared with what it counts in the same
//! capture.

mod common;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use capture::CaptureFile;
use fact::TcpCounter;
use serde_json::Value;
use wire::TapId;

/// The folders of `pcaps/` with the capture in each.
fn cases() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps");
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).expect("pcaps/ is part of the project").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let capture = std::fs::read_dir(entry.path()).into_iter().flatten().flatten();
        let capture = capture.map(|file| file.path()).find(|path| {
            path.file_name().is_some_and(|file| file.to_string_lossy().starts_with("capture.pcap"))
        });
        if let Some(capture) = capture {
            cases.push((name, capture));
        }
    }
    cases.sort();
    cases
}

fn replay(capture: &Path, threads: &str) -> String {
    replay_with(capture, threads, "false")
}

fn replay_with(capture: &Path, threads: &str, literals: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wirespan"))
        .env("WIRESPAN_REQUESTS_LITERALS", literals)
        .args([
            "replay",
            "--output",
            "jsonl",
            "--emit",
            "flows,spans,summary",
            "--no-progress",
            "--threads",
            threads,
        ])
        .arg(capture.file_name().expect("a file"))
        .current_dir(capture.parent().expect("in a folder"))
        .output()
        .expect("wirespan starts");
    assert!(
        output.status.success(),
        "{}: {}",
        capture.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("records are UTF-8")
}

/// The first line that differs, or that one text has and the other has not.
fn difference(expected: &str, actual: &str) -> Option<String> {
    let (mut expected, mut actual) = (expected.lines(), actual.lines());
    for number in 1.. {
        match (expected.next(), actual.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => {
                return Some(format!(
                    "line {number}\n  expected {}\n  got      {}",
                    a.unwrap_or("nothing"),
                    b.unwrap_or("nothing")
                ));
            }
        }
    }
    None
}

#[test]
fn captures_give_the_records_beside_them() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let cases = cases();
    assert!(!cases.is_empty(), "pcaps/ holds no case");
    let mut wrong = String::new();
    for (name, capture) in cases {
        let file = capture.with_file_name("expected.jsonl");
        let records = replay(&capture, "1");
        if update {
            std::fs::write(&file, &records).expect("the case's folder is writable");
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        if let Some(difference) = difference(&expected, &records) {
            let _ = writeln!(wrong, "{name}: {difference}");
        }
        if let Some(difference) = difference(&records, &replay(&capture, "3")) {
            let _ = writeln!(wrong, "{name}, one thread and three: {difference}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Where the time of a span went adds up to its duration, and no time is before another that came
/// earlier.
#[test]
fn the_parts_of_a_duration_add_up() {
    let mut spans = 0;
    for (name, capture) in cases() {
        for line in replay(&capture, "1").lines() {
            let span: Value = serde_json::from_str(line).expect("a record");
            if span["type"] != "span" {
                continue;
            }
            let ns = |key: &str| span[key].as_u64();
            let parts = [ns("send_ns"), ns("wait_ns"), ns("transfer_ns")];
            let sum: u64 = parts.iter().flatten().sum();
            assert_eq!(Some(sum), ns("duration_ns"), "{name}: {line}");
            let (start, end) = (ns("start_unix_ns"), ns("end_unix_ns"));
            assert_eq!(end.zip(start).map(|(end, start)| end - start), Some(sum), "{name}: {line}");
            for key in ["request", "response", "partial_request", "partial_response"] {
                let time = |at: &str| span[key][at].as_u64();
                assert!(time("first_ns") <= time("last_ns"), "{name}: {line}");
                assert!(span[key].is_null() || start <= time("first_ns"), "{name}: {line}");
            }
            let answered = !span["response"].is_null() || !span["partial_response"].is_null();
            assert!(parts[1].is_some() || !answered || span["outcome"] == "no_request", "{line}");
            spans += 1;
        }
    }
    assert!(spans > 100, "{spans} spans");
}

/// Beginnings of the passwords with which the recordings' clients log in, also in vain.
const PASSWORDS: &[&str] = &["wonderland", "looking-glass", "rabbit-hole"];

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Passwords that went over the wire, plain, in log-ins and in statements: nothing of them comes
/// out, even where literals are kept.
#[test]
fn no_password_comes_out() {
    let mut on_the_wire = Vec::new();
    for (name, capture) in cases() {
        let mut frames = Vec::new();
        let mut file =
            CaptureFile::open(&capture, Box::new(|_: &str| TapId(1))).expect("a capture");
        while let Ok(Some(frame)) = file.next_frame() {
            frames.extend_from_slice(frame.bytes);
        }
        let sent: Vec<_> = PASSWORDS.iter().filter(|password| holds(&frames, password)).collect();
        if sent.is_empty() {
            continue;
        }
        for literals in ["false", "true"] {
            let records = replay_with(&capture, "1", literals);
            for password in &sent {
                assert!(
                    !records.contains(*password),
                    "{name}, literals {literals}: {password} is recorded"
                );
            }
        }
        on_the_wire.push(name);
    }
    for protocol in
        ["redis", "nats", "mqtt", "amqp", "postgresql", "mongodb", "cassandra", "zookeeper"]
    {
        assert!(
            on_the_wire.iter().any(|name| name.contains(protocol)),
            "no log-in of {protocol} is plain to see"
        );
    }
}

/// Figures of a flow's direction, each with a display filter of tshark for the same.
fn figures() -> impl Iterator<Item = (&'static str, String)> {
    let analyses = TcpCounter::ALL.iter().filter_map(|counter| {
        let field = counter.wireshark()?;
        Some((counter.as_str(), format!("tcp.analysis.{field}")))
    });
    let header = [
        ("syn", "tcp.flags.syn == 1 and tcp.flags.ack == 0"),
        ("syn_ack", "tcp.flags.syn == 1 and tcp.flags.ack == 1"),
        ("fin", "tcp.flags.fin == 1"),
        ("rst", "tcp.flags.reset == 1"),
        ("packets", "tcp or dns or quic"),
    ];
    analyses.chain(header.map(|(name, filter)| (name, filter.to_owned())))
}

/// How many frames `tshark` shows for each display filter, in one reading of the capture.
fn tshark_frames(capture: &Path, filters: &[String]) -> Vec<u64> {
    let statistics = format!("io,stat,0,{}", filters.join(","));
    let output =
        Command::new("tshark").arg("-r").arg(capture).args(["-q", "-z", &statistics]).output();
    let text = common::text(output.expect("tshark starts"));
    let row = text
        .lines()
        .find(|line| line.contains("<>"))
        .unwrap_or_else(|| panic!("no figures from tshark: {text}"));
    let figures: Vec<u64> = row.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
    // Each column is a pair: frames and bytes.
    figures.chunks(2).map(|pair| pair[0]).collect()
}

/// How many requests and how many final responses of HTTP and DNS `tshark` finds; a frame may hold
/// several.
fn tshark_messages(capture: &Path) -> [u64; 2] {
    let output = Command::new("tshark")
        .arg("-r")
        .arg(capture)
        .args([
            "-o",
            "http.desegment_body:FALSE",
            "-o",
            "tcp.reassemble_out_of_order:TRUE",
            "-Y",
            "http or dns",
        ])
        .args([
            "-T",
            "fields",
            "-e",
            "http.request.method",
            "-e",
            "http.response.code",
            "-e",
            "dns.flags.response",
        ])
        .output();
    let text = common::text(output.expect("tshark starts"));
    let mut counts = [0, 0];
    for line in text.lines() {
        let mut columns =
            line.split('\t').map(|column| column.split(',').filter(|value| !value.is_empty()));
        counts[0] += columns.next().map_or(0, |methods| methods.count() as u64);
        counts[1] += columns.next().map_or(0, |codes| {
            codes.filter(|code| *code == "101" || !code.starts_with('1')).count() as u64
        });
        for flag in columns.next().into_iter().flatten() {
            counts[usize::from(flag == "1")] += 1;
        }
    }
    counts
}

#[test]
fn tshark_counts_the_same() {
    if Command::new("tshark").arg("--version").output().is_err() {
        common::report("tshark_counts_the_same skipped: needs tshark");
        return;
    }
    assert_eq!(figures().count(), 19);
    // tshark starts slowly and works on one processor.
    let cases = cases();
    let next = AtomicUsize::new(0);
    let compare_some = || {
        let mine = std::iter::from_fn(|| cases.get(next.fetch_add(1, Ordering::Relaxed)));
        mine.map(|(name, capture)| differences_from_tshark(name, capture)).collect::<String>()
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let wrong: String = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..processors).map(|_| scope.spawn(compare_some)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Lines that name what differs between a case's records and tshark.
fn differences_from_tshark(name: &str, capture: &Path) -> String {
    let mut wrong = String::new();
    let expected =
        std::fs::read_to_string(capture.with_file_name("expected.jsonl")).unwrap_or_default();
    let records: Vec<Value> =
        expected.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let flows: Vec<&Value> = records.iter().filter(|record| record["type"] == "flow").collect();
    let mut ours: Vec<(String, u64)> = Vec::new();
    let mut filters = Vec::new();
    for (counter, filter) in figures() {
        let both = flows
            .iter()
            .flat_map(|flow| [&flow["to_server"][counter], &flow["to_client"][counter]]);
        ours.push((counter.to_owned(), both.filter_map(Value::as_u64).sum()));
        filters.push(filter);
    }
    let spans = |protocol: &str, half: &str| {
        let spans = records.iter().filter(|r| r["type"] == "span" && r["protocol"] == protocol);
        spans.filter(|span| !span[half].is_null()).count() as u64
    };
    for ((counter, ours), theirs) in ours.iter().zip(tshark_frames(capture, &filters)) {
        if *ours != theirs {
            let _ = writeln!(wrong, "{name}: {counter}: {ours} here, {theirs} in tshark");
        }
    }
    // tshark takes what carries a call of gRPC-Web for HTTP, and misses some where the body comes
    // in a segment of its own.
    let is_call =
        |r: &Value| r["protocol"] == "grpc" && r["attributes"]["network.protocol.version"] == "1.1";
    if records.iter().any(is_call) {
        return wrong;
    }
    for (half, theirs) in ["request", "response"].into_iter().zip(tshark_messages(capture)) {
        let begun = format!("partial_{half}");
        let mut ours: u64 = ["http", "dns"]
            .into_iter()
            .map(|protocol| spans(protocol, half) + spans(protocol, &begun))
            .sum();
        if half == "response" {
            // A zone transfer is one response of many messages.
            let transfers =
                records.iter().map(|record| &record["attributes"]["dns.transfer.messages"]);
            ours += transfers.filter_map(Value::as_u64).map(|messages| messages - 1).sum::<u64>();
        }
        if ours != theirs {
            let _ = writeln!(wrong, "{name}: {half}s: {ours} here, {theirs} in tshark");
        }
    }
    wrong
}
