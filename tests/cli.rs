//! What the commands say, and how they end, when they are used wrongly or given bad input; and that
//! the output of a replay does not depend on the number of threads.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn wirespan(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wirespan"))
        .args(arguments)
        .env_remove("WIRESPAN_LOG")
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a command that must fail with `status` and say `said` in a line of its own.
fn fails(arguments: &[&str], status: i32, said: &str) {
    let output = wirespan(arguments);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {text}");
    assert!(
        text.lines().any(|line| line.starts_with("wirespan: ") && line.contains(said)),
        "{arguments:?}: {text}"
    );
    assert!(!text.contains("panicked"), "{text}");
}

/// A capture of two TCP packets a second apart, as a program would write it.
fn capture() -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101] {
        file.extend(word.to_le_bytes());
    }
    for second in 0..2_u8 {
        let mut packet = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet.extend([
            0x9c, 0x40, 0, 80, 0, 0, 0, second, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0,
        ]);
        for word in [u32::from(second) + 1, 0, 40, 40] {
            file.extend(word.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

#[test]
fn wrong_input_is_told_apart_from_a_failure() {
    let scratch = Scratch::new();
    let whole = scratch.file("whole.pcap", &capture());
    assert_eq!(wirespan(&["replay", &whole]).status.code(), Some(0));
    fails(&["replay", "/no/such/file.pcap"], 2, "/no/such/file.pcap: No such file");
    fails(
        &["replay", &scratch.file("photo.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01")],
        2,
        "photo.jpg",
    );
    fails(&["replay", &scratch.file("empty.pcap", b"")], 2, "empty.pcap is empty");
    fails(&["replay", &whole, "-f", "tcp prot 80"], 2, "tcp prot 80");
    fails(
        &["replay", &whole, "/no/such/file.pcap"],
        2,
        "/no/such/file.pcap: No such file, and no filter expression",
    );
    fails(&["replay", &whole, "tcp prot 80"], 2, "tcp prot 80: No such file, and ");
    fails(&["replay", "tcp port 80"], 2, "is a filter expression: name a capture file");
    fails(&["replay"], 2, "required");
    fails(&["trace", "--store", "/no/such/store"], 2, "no such file");
    fails(&["trace", "--store", &whole], 2, "not a trace store");
    fails(&["trace", "--url", "http://127.0.0.1:1"], 1, "no answer from http://127.0.0.1:1");
}

#[test]
fn a_filter_expression_stands_behind_the_files() {
    let scratch = Scratch::new();
    let whole = scratch.file("whole.pcap", &capture());
    let flows = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirespan"));
        command.args(["replay", "-o", "jsonl", "--emit", "flows"]).args(arguments);
        command.stdin(fs::File::open(&whole).unwrap());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    for (filter, expected) in [("tcp port 80", 2), ("tcp port 81", 0), ("tcp", 2), ("udp", 0)] {
        for file in [&*whole, "-"] {
            assert_eq!(flows(&[file, filter]), expected, "{file} {filter}");
            assert_eq!(flows(&[file, "-f", filter]), expected, "{file} -f {filter}");
        }
    }
    assert_eq!(flows(&[&whole, "tcp", "port", "81"]), 0);
    assert_eq!(flows(&[&whole, "--", "tcp", "port", "80"]), 2);
}

/// A question for the address of `a.test`, or its answer, as a record of a pcap file.
fn dns_record(id: u8, second: u32, is_answer: bool) -> Vec<u8> {
    let mut message = vec![0, id, if is_answer { 0x81 } else { 1 }, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    message.extend(b"\x01a\x04test\0\0\x01\0\x01");
    let (udp, ip) = (8 + message.len() as u8, 28 + message.len() as u8);
    let mut packet = vec![0x45, 0, 0, ip, 0, 0, 0, 0, 64, 17, 0, 0];
    let ([client, server], [source, target]) =
        ([[10, 0, 0, 1], [10, 0, 0, 2]], [[0x9c, id], [0, 53]]);
    if is_answer {
        packet.extend([server, client, [target[0], target[1], source[0], source[1]]].concat());
    } else {
        packet.extend([client, server, [source[0], source[1], target[0], target[1]]].concat());
    }
    packet.extend([0, udp, 0, 0]);
    packet.extend(message);
    let words = [second, if is_answer { 500 } else { 0 }, u32::from(ip), u32::from(ip)];
    words.iter().flat_map(|word| word.to_le_bytes()).chain(packet).collect()
}

#[test]
fn what_comes_out_of_a_pipe_is_shown_while_the_pipe_is_open() {
    let all = [["--output", "table", "--threads", "1"], ["--output", "jsonl", "--threads", "1"]];
    let more = [["--output", "table", "--threads", "3"], ["--output", "jsonl", "--threads", "3"]];
    for arguments in all.into_iter().chain(more) {
        let mut replay = Command::new(env!("CARGO_BIN_EXE_wirespan"))
            .args(["replay", "-q", "--emit", "spans,flows", "-"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = replay.stdin.take().unwrap();
        let (sender, lines) = std::sync::mpsc::channel();
        let mut output = BufReader::new(replay.stdout.take().unwrap());
        std::thread::spawn(move || {
            let mut line = String::new();
            while output.read_line(&mut line).is_ok_and(|read| read > 0) {
                let _ = sender.send(std::mem::take(&mut line));
            }
        });
        let expect = |text: &str| loop {
            let line = lines.recv_timeout(Duration::from_secs(20));
            if line.unwrap_or_else(|_| panic!("{arguments:?}: no line with {text}")).contains(text)
            {
                return;
            }
        };
        input.write_all(&capture()[..24]).unwrap();
        input.write_all(&[dns_record(1, 1, false), dns_record(1, 1, true)].concat()).unwrap();
        expect("NOERROR");
        // Half of a record is waited for; what stands before it is shown.
        let next = [dns_record(2, 2, false), dns_record(2, 2, true)].concat();
        let (head, tail) = next.split_at(next.len() - 9);
        input.write_all(head).unwrap();
        input.flush().unwrap();
        assert!(lines.recv_timeout(Duration::from_millis(300)).is_err(), "{arguments:?}");
        input.write_all(tail).unwrap();
        expect("NOERROR");
        // Time goes on with the packets, and one alone does not make it jump.
        input.write_all(&dns_record(3, 3, false)).unwrap();
        input.write_all(&dns_record(4, 300, false)).unwrap();
        input.write_all(&dns_record(5, 301, false)).unwrap();
        expect("no_response");
        // Rows of the other table stand below the last: each has its head again.
        if arguments[1] == "table" {
            input.write_all(&dns_record(6, 600, false)).unwrap();
            input.write_all(&dns_record(7, 601, false)).unwrap();
            expect("REQUEST");
            expect("APPLICATION");
        }
        drop(input);
        assert!(replay.wait().unwrap().success());
    }
}

#[test]
fn all_before_a_cut_is_analysed() {
    let scratch = Scratch::new();
    let whole = capture();
    let cut = scratch.file("cut.pcap", &whole[..whole.len() - 7]);
    fails(&["replay", &cut], 3, "cut short in the middle of a record, after 1 frame (");
    let output = wirespan(&["replay", "--output", "jsonl", "--emit", "flows,summary", &cut]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\"type\":\"flow\"") && text.contains("\"packets\":1,"), "{text}");
}

#[test]
fn every_mistake_of_a_configuration_is_told_at_once() {
    let scratch = Scratch::new();
    let text =
        b"[http]\nlisten = 9797\nmax_conections = 3\n[captur]\nx = 1\n[store]\nquiet_ms = -5\n";
    let file = scratch.file("bad.toml", text);
    let output = wirespan(&["check-config", &file]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for mistake in [
        "`http.listen` is 9797, expected an address and a port",
        "unknown key `max_conections`; did you mean `max_connections`?",
        "unknown section `captur`; did you mean `capture`?",
        "`store.quiet_ms` is -5, expected a whole number of milliseconds",
    ] {
        assert!(said.contains(mistake), "{mistake}\n{said}");
    }
    fails(
        &["check-config", &scratch.file("syntax.toml", b"[http]\nlisten = \n")],
        2,
        "syntax.toml:2",
    );
    fails(&["check-config", "/no/such.toml"], 2, "/no/such.toml");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/dist/wirespan.toml");
    assert_eq!(wirespan(&["check-config", example]).status.code(), Some(0));
}

#[test]
fn the_example_configuration_is_valid_with_every_key_switched_on() {
    let scratch = Scratch::new();
    let example = wirespan(&["check-config", "--example"]).stdout;
    let on: String = String::from_utf8(example)
        .unwrap()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if !key.starts_with(' ') => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let output = wirespan(&["check-config", &scratch.file("on.toml", on.as_bytes())]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn the_environment_is_stronger_than_the_file_and_checked_like_it() {
    let scratch = Scratch::new();
    let whole = scratch.file("whole.pcap", &capture());
    let run = |name: &str, value: &str| {
        Command::new(env!("CARGO_BIN_EXE_wirespan"))
            .args(["replay", &whole])
            .env(name, value)
            .output()
            .unwrap()
    };
    assert_eq!(run("WIRESPAN_ANALYZER_MAX_FLOWS", "10").status.code(), Some(0));
    assert_eq!(run("WIRESPAN_ANALYZER_MAX_FLOWS", "ten").status.code(), Some(2));
    let wrong = run("WIRESPAN_ANALYZER_MAX_FLOW", "10");
    assert!(
        stderr(&wrong).contains("did you mean `WIRESPAN_ANALYZER_MAX_FLOWS`?"),
        "{}",
        stderr(&wrong)
    );
    assert_eq!(run("WIRESPAN_SERVICE_HOST", "10.0.0.1").status.code(), Some(0));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let scratch = Scratch::new();
    let whole = scratch.file("whole.pcap", &capture());
    let mut child = Command::new(env!("CARGO_BIN_EXE_wirespan"))
        .args(["replay", "-q", "--output", "jsonl", "--emit", "flows", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(&fs::read(whole).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
}

#[test]
fn an_idle_pipe_is_left_when_asked() {
    for threads in ["1", "2"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wirespan"))
            .args(["replay", "--output", "jsonl", "--emit", "flows", "--threads", threads, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // A frame and a half: what is whole counts.
        pipe.write_all(&capture()[..24 + 56 + 20]).unwrap();
        let pid = child.id().to_string();
        let caught = || {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).unwrap();
            u64::from_str_radix(mask, 16).unwrap() & 1 << 1 != 0
        };
        assert!(soon(caught), "SIGINT is never caught");
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let ended = soon(|| child.try_wait().unwrap().is_some());
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        assert!(ended && output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).matches("\"type\":\"flow\"").count(), 1);
        drop(pipe);
    }
}

/// Whether something comes true within ten seconds.
fn soon(mut is_so: impl FnMut() -> bool) -> bool {
    (0..100).any(|_| is_so() || !Command::new("sleep").arg("0.1").status().unwrap().success())
}

#[test]
fn output_does_not_depend_on_the_number_of_threads() {
    let mut captures = captures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps"));
    captures.sort();
    assert!(!captures.is_empty());
    let names: Vec<&str> = captures.iter().map(|path| path.to_str().unwrap()).collect();
    let together: Vec<Vec<&str>> =
        names.iter().map(|name| vec![*name]).chain([names.clone()]).collect();
    for (files, emit) in together.iter().flat_map(|files| EMIT.map(|emit| (files, emit))) {
        let run = |threads: &str| {
            let options =
                ["replay", "-q", "--output", "jsonl", "--emit", emit, "--threads", threads];
            wirespan(&options.iter().chain(files).copied().collect::<Vec<_>>()).stdout
        };
        let one = run("1");
        assert!(!one.is_empty());
        for threads in ["2", "4"] {
            assert!(one == run(threads), "{files:?}, {emit}, with {threads} threads");
        }
    }
}

/// Five SYNs, and another connection's packet a minute after them: whichever thread has it, the
/// input ends for all of them when it ends.
#[test]
fn the_input_ends_at_one_time_for_all_threads() {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101] {
        file.extend(word.to_le_bytes());
    }
    for (second, client) in (1..6).map(|client| (0_u32, client)).chain([(61, 9)]) {
        for word in [second, u32::from(client), 40, 40] {
            file.extend(word.to_le_bytes());
        }
        let flags = if second == 0 { 2 } else { 16 };
        file.extend([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, client, 10, 0, 0, 99]);
        file.extend([0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff]);
        file.extend([0; 4]);
    }
    let scratch = Scratch::new();
    let capture = scratch.file("syns.pcap", &file);
    let run = |threads: &str| {
        let arguments = [
            "replay",
            "-q",
            "--output",
            "jsonl",
            "--emit",
            "flows",
            "--threads",
            threads,
            &capture,
        ];
        String::from_utf8(wirespan(&arguments).stdout).unwrap()
    };
    let one = run("1");
    assert_eq!(one.matches("\"close_reason\":\"syn_unanswered\"").count(), 5, "{one}");
    for threads in ["2", "3", "4", "8"] {
        assert_eq!(run(threads), one, "with {threads} threads");
    }
}

#[test]
fn spans_say_which_trace_they_are_of_where_traces_are_told() {
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/pcaps/http-lossy/capture.pcap.gz");
    let records = |emit: &str| {
        let output = wirespan(&["replay", "-q", "--output", "jsonl", "--emit", emit, capture]);
        let lines = String::from_utf8(output.stdout).unwrap();
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect::<Vec<serde_json::Value>>()
    };
    let of = |all: &[serde_json::Value], kind: &str| {
        all.iter().filter(|record| record["type"] == kind).cloned().collect::<Vec<_>>()
    };
    let alone = records("spans");
    assert!(!alone.is_empty() && alone.iter().all(|span| span["trace_id"].is_null()));
    let both = records("spans,traces");
    let traces: Vec<_> =
        of(&both, "trace").into_iter().map(|trace| trace["trace_id"].clone()).collect();
    let spans = of(&both, "span");
    assert_eq!(spans.len(), alone.len());
    assert!(spans.iter().all(|span| traces.contains(&span["trace_id"])), "{spans:?}");
}

const EMIT: [&str; 2] = ["flows,spans,summary", "spans,traces"];

#[test]
fn the_table_of_spans_tells_the_wait_beside_the_duration() {
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/tcp-zero-window");
    let capture = capture.join("capture.pcap.gz").to_string_lossy().into_owned();
    let output = wirespan(&["replay", "--quiet", "--no-progress", "--emit", "spans", &capture]);
    let text = String::from_utf8(output.stdout).unwrap();
    // Most of its two seconds went by while the response was received.
    assert!(text.contains("  DURATION    WAIT  "), "{text}");
    assert!(text.contains("    2.01 s  148 µs  "), "{text}");
}

fn captures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(captures(&path));
        } else if ["pcap", "pcapng", "gz"].iter().any(|e| path.extension() == Some(e.as_ref())) {
            found.push(path);
        }
    }
    found
}

/// Traces are counted where calls are joined; elsewhere there is no number.
#[test]
fn the_summary_counts_traces() {
    let capture = "pcaps/http-lossy/capture.pcap.gz";
    let records = |emit: &str| -> Vec<serde_json::Value> {
        let output = wirespan(&["replay", "-q", "--output", "jsonl", "--emit", emit, capture]);
        let lines = String::from_utf8(output.stdout).expect("JSON is UTF-8");
        lines.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
    };
    let joined = records("traces,summary");
    let traces = joined.iter().filter(|record| record["type"] == "trace").count();
    assert!(traces > 0);
    assert_eq!(joined.last().expect("a summary")["traces"], traces);
    assert!(records("summary")[0]["traces"].is_null());
}
