//! Round-trip times and waiting times against the truth: a path that holds each frame for a known
//! time, services that think for a known time, taps at both ends of the path; live, and from what
//! was captured.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use common::{Running, report, skipped_without_root};
use serde_json::Value;

/// The two ends of the path and what lies between, for as long as this value lives.
struct DelayedPath {
    script: Child,
    lines: BufReader<ChildStdout>,
    facts: Value,
}

impl DelayedPath {
    fn up(folder: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/delayed-path");
        let mut script = Command::new(script)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test bed's script starts");
        let lines = BufReader::new(script.stdout.take().expect("piped"));
        let mut path = Self { script, lines, facts: Value::Null };
        path.facts = path.line();
        path
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("the script prints a line");
        serde_json::from_str(&line).expect("JSON (the script's error stands above)")
    }

    fn fact(&self, name: &str) -> &str {
        self.facts[name].as_str().expect("a fact")
    }

    /// Sends all requests, and tells of each server port what is true.
    fn talk(&mut self) -> Vec<Case> {
        let stdin = self.script.stdin.as_mut().expect("piped");
        writeln!(stdin).expect("the script reads");
        let cases = self.line();
        cases.as_array().expect("a list").iter().map(Case::new).collect()
    }
}

impl Drop for DelayedPath {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

/// What is true of the requests to one port.
struct Case {
    port: u64,
    name: String,
    kept: bool,
    bulk: bool,
    /// Thought begins with the first byte of a request of several segments.
    late: bool,
    /// Through the path and back, and by how much this varies.
    path_ns: f64,
    spread_ns: f64,
    thought_ns: f64,
}

impl Case {
    fn new(value: &Value) -> Self {
        let decile = |way: &str, n: usize| value[way][n].as_f64().expect("a decile");
        let both = |n| decile("there_ns", n) + decile("back_ns", n);
        let kept = value["kept"] == true;
        let thought = value["thought_ns"].as_array().expect("a list");
        Self {
            port: value["port"].as_u64().expect("a port"),
            name: format!(
                "{} ms each way, {} ms of thought {}, {} bytes, {} connections, ACKs {}",
                value["delay_ms"],
                value["think_ms"],
                if value["late"] == true { "before a large request is read" } else { "" },
                value["size"],
                if kept { "kept" } else { "new" },
                if value["quickack"] == true { "at once" } else { "delayed" },
            ),
            kept,
            late: value["late"] == true,
            bulk: value["size"].as_u64() > Some(1000),
            path_ns: both(1),
            spread_ns: both(2) - both(0),
            thought_ns: median(thought.iter().filter_map(Value::as_f64).collect()).expect("times"),
        }
    }

    /// By how much a round-trip time may be off: a tenth, what a kernel and a capture need, and
    /// what the path itself varied.
    fn tolerance(&self, truth: f64) -> f64 {
        truth / 10.0 + 50_000.0 + self.spread_ns
    }
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

/// The record's direction and the metric's `side` of each half of the path, seen from a tap: the
/// half behind the path takes its time, the other one next to nothing.
const HALVES: [(&str, &str); 2] = [("to_client", "server"), ("to_server", "client")];

fn truth(case: &Case, tap: &str, side: &str) -> f64 {
    if (tap == "near_client") == (side == "server") { case.path_ns } else { 0.0 }
}

/// Whether the handshakes were captured.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    FromTheStart,
    Midway,
}

/// What is wrong with the records of a tap.
fn wrong_records(what: &str, tap: &str, cases: &[Case], records: &[Value], seen: Seen) -> String {
    let mut wrong = String::new();
    for case in cases {
        let of = |kind: &str| -> Vec<&Value> {
            let belongs =
                |r: &&Value| r["type"] == kind && r["server"]["port"].as_u64() == Some(case.port);
            records.iter().filter(belongs).collect()
        };
        let (flows, spans) = (of("flow"), of("span"));
        if flows.is_empty() || spans.is_empty() {
            let _ = writeln!(wrong, "{what}, {tap}: no records of {}", case.name);
        }
        for (direction, side) in HALVES {
            let times: Vec<f64> =
                flows.iter().filter_map(|f| f[direction]["rtt"]["p50_ns"].as_f64()).collect();
            if seen == Seen::FromTheStart && !case.kept && times.len() < flows.len() {
                let _ = writeln!(wrong, "{what}, {tap}: no rtt of the {side}: {}", case.name);
            }
            let truth = truth(case, tap, side);
            if let Some(told) = median(times)
                && (told - truth).abs() > case.tolerance(truth)
            {
                let _ =
                    writeln!(wrong, "{what}, {tap}: {side} {told}, truly {truth}: {}", case.name);
            }
        }
        let waits: Vec<f64> = spans.iter().filter_map(|span| wait_ns(span)).collect();
        let told = median(waits).unwrap_or(0.0);
        // Python needs a while to run after a segment has come.
        if tap == "near_server"
            && !case.late
            && (told - case.thought_ns).abs() > case.thought_ns / 10.0 + 1_500_000.0
        {
            let thought = case.thought_ns;
            let _ = writeln!(wrong, "{what}, {tap}: wait {told}, truly {thought}: {}", case.name);
        }
    }
    wrong
}

/// Last byte of the request to first byte of the response.
fn wait_ns(span: &Value) -> Option<f64> {
    let asked = span["request"]["last_ns"].as_u64()?;
    Some(span["response"]["first_ns"].as_u64()?.saturating_sub(asked) as f64)
}

/// Cumulative counts of the buckets of `wirespan_tcp_rtt_seconds`, by server port and side.
fn buckets(text: &str) -> BTreeMap<(u64, String), Vec<(f64, f64)>> {
    let mut all = BTreeMap::<_, Vec<(f64, f64)>>::new();
    for line in text.lines().filter(|line| line.starts_with("wirespan_tcp_rtt_seconds_bucket{")) {
        let label = |name: &str| {
            let start = line.find(&format!("{name}=\""))? + name.len() + 2;
            line[start..].split('"').next()
        };
        let (Some(port), Some(side), Some(bound)) =
            (label("server_port"), label("side"), label("le"))
        else {
            panic!("labels are missing: {line}");
        };
        let count = line.split(" # ").next().and_then(|sample| sample.rsplit(' ').next());
        let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().expect("a bound") };
        let count = count.and_then(|count| count.parse().ok()).expect("a count");
        let key = (port.parse().expect("a port"), side.to_owned());
        all.entry(key).or_default().push((bound * 1e9, count));
    }
    all
}

/// What is wrong with the histograms of a tap: the bucket of the median is not one of those that
/// the truth with its tolerance reaches.
fn wrong_metrics(what: &str, tap: &str, cases: &[Case], text: &str) -> String {
    let (mut wrong, all) = (String::new(), buckets(text));
    for case in cases {
        for (_, side) in HALVES {
            let Some(counts) = all.get(&(case.port, side.to_owned())) else {
                if !case.kept {
                    let _ = writeln!(wrong, "{what}, {tap}: no samples of {side}: {}", case.name);
                }
                continue;
            };
            let half = counts.last().map_or(0.0, |(_, count)| count / 2.0);
            let index = counts.iter().position(|&(_, count)| count >= half).expect("a median");
            let from = index.checked_sub(1).map_or(0.0, |before| counts[before].0);
            let truth = truth(case, tap, side);
            let tolerance = case.tolerance(truth);
            if truth + tolerance < from || truth - tolerance > counts[index].0 {
                let to = counts[index].0;
                let _ = writeln!(
                    wrong,
                    "{what}, {tap}: {side} {from} to {to} ns, truly {truth}: {}",
                    case.name
                );
            }
        }
    }
    wrong
}

/// How many ACKs were samples, and how many were left out for which reason.
fn summary(cases: &[Case], records: &[Value]) -> String {
    let mut sums = BTreeMap::<String, u64>::new();
    for flow in records.iter().filter(|record| record["type"] == "flow") {
        let small =
            cases.iter().any(|c| !c.bulk && flow["server"]["port"].as_u64() == Some(c.port));
        for (direction, side) in HALVES.into_iter().filter(|_| small) {
            let mut add = |name: &str, count: &Value| {
                *sums.entry(format!("{side} {name}")).or_default() += count.as_u64().unwrap_or(0);
            };
            add("samples", &flow[direction]["rtt"]["count"]);
            let reasons = flow[direction]["rtt_left_out"].as_object();
            reasons.into_iter().flatten().for_each(|(reason, count)| add(reason, count));
        }
    }
    format!("{sums:?}")
}

#[test]
fn round_trip_times_are_those_of_the_path_and_waits_those_of_the_service() {
    if skipped_without_root("round_trip_times_are_those_of_the_path_and_waits_those_of_the_service")
    {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut path = DelayedPath::up(folder.path());
    let addresses = [("WIRESPAN_METRICS_ADDRESSES", "true")];
    let taps = [("near_client", "127.0.0.1:9797"), ("near_server", "127.0.0.1:9798")];
    let running = taps.map(|(tap, listen)| {
        let file = folder.path().join(format!("{tap}.pcapng")).display().to_string();
        let device = path.fact(tap);
        let arguments =
            ["-i", device, "--no-ebpf", "--output", "jsonl", "--emit", "flows,spans", "-w", &file];
        Running::start_in((path.fact("path"), folder.path(), listen), tap, &arguments, &addresses)
    });
    let cases = path.talk();
    let mut wrong = String::new();
    for (running, (tap, _)) in running.into_iter().zip(taps) {
        let text = running.get("/metrics").expect("metrics");
        let (status, live) = running.stop_with_all();
        assert!(status.success(), "{status}");
        report(&format!("{tap}: {}", summary(&cases, &live)));
        wrong += &wrong_records("live", tap, &cases, &live, Seen::FromTheStart);
        wrong += &wrong_metrics("live", tap, &cases, &text);

        let metrics = folder.path().join("metrics");
        let replay = |filter: &str| -> Vec<Value> {
            let output = Command::new(env!("CARGO_BIN_EXE_wirespan"))
                .args(["replay", "--output", "jsonl", "--emit", "flows,spans", "--no-progress"])
                .arg("--metrics-out")
                .arg(&metrics)
                .args(["-f", filter])
                .arg(folder.path().join(format!("{tap}.pcapng")))
                .envs(addresses)
                .output();
            let text = common::text(output.expect("wirespan starts"));
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        };
        let replayed = replay("tcp");
        let text = std::fs::read_to_string(&metrics).expect("metrics");
        wrong += &wrong_records("replayed", tap, &cases, &replayed, Seen::FromTheStart);
        wrong += &wrong_metrics("replayed", tap, &cases, &text);
        // As if the capture had begun when the connections were open.
        let midway = replay("tcp[13] & 2 = 0");
        report(&format!("{tap}, without SYNs: {}", summary(&cases, &midway)));
        wrong += &wrong_records("midway", tap, &cases, &midway, Seen::Midway);
    }
    assert!(wrong.is_empty(), "{wrong}");
}
