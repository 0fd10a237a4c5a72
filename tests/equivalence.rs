//! One capture, two ways: through `wirespan replay`, and sent onto a veth pair with tcpreplay, at
//! its own pace, and captured at the other end by `wirespan run`, give the same flow records. Both
//! backends, on captures of the project and, where the shared corpus is present, on captures of
//! other people.
//!
//! Left out of the comparison is what belongs to the place and the time and not to the packets:
//! `id`, `tap`, the order of records, and all that is a time (`*_ns`; of statistics of times only
//! their `count` stays). Captures that take longer than [`PATIENCE_S`] are sent faster, and there
//! [`BY_TIME`] is left out too: counters that time tells apart. Where packets of a capture have the
//! same time, or times go back, [`SAMPLES`] are left out: no time is measured between such packets.
//!
//! Left out as a whole are captures that cannot be sent as they are (other link types, frames that
//! were cut) and those of more than [`IDLE_S`], in which flows end of being idle.
//!
//! A busy machine does not keep the pace to the millisecond on which the kind of a repetition
//! hangs, so a capture may be sent [`ATTEMPTS`] times: a difference that is not of the pace is
//! there every time. Where only [`BY_TIME`] differs each time, it is told, and a fault only if it
//! is so for many captures.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{report, skipped_without_root, text, wait_for};
use serde_json::Value;

const BIN: &str = env!("CARGO_BIN_EXE_wirespan");

/// Captures of at most this many seconds are sent at their own pace.
const PATIENCE_S: f64 = 4.0;

/// Captures of at least this many seconds are left out.
const IDLE_S: f64 = 60.0;

/// How often a capture is sent until all is equal.
const ATTEMPTS: u32 = 4;

/// A hole that was acknowledged is waited for longer than a busy machine sleeps.
const PATIENT: (&str, &str) = ("WIRESPAN_ANALYZER_ACKED_HOLE_WAIT_MS", "2000");

/// What depends on the time between segments, besides `*retransmissions`: which kind a repetition
/// is of, what still waited when another copy came, and why a flow ended.
const BY_TIME: [&str; 7] = [
    "out_of_order",
    "keep_alives",
    "keep_alive_acks",
    "differing_overlaps",
    "state",
    "close_reason",
    "trouble",
];

/// What is taken of the corpus, by the start of the name.
const CORPUS: [&str; 6] = ["encap-", "format-", "frag-", "ipv6-", "l4-", "malformed-"];

/// Statistics of times between packets.
const SAMPLES: [&str; 2] = ["ack_rtt", "response_time"];

/// Microseconds decide which ACKs are samples of the network's time.
const ROUND_TRIPS: [&str; 2] = ["rtt", "rtt_left_out"];

/// A query is sent again after seconds in them: at another pace that is a copy of the frame.
const REPEATED_LATER: [&str; 2] =
    ["encap-067-arkime-gre-sample.pcap", "frag-075-zeek-ipv6-fragmented-dns.pcap"];

/// Two namespaces with a veth pair between them, silent but for what is sent; gone when dropped.
struct Pair {
    sender: String,
    tap: String,
}

impl Pair {
    /// `mtu` is that of both ends.
    fn new(name: &str, mtu: u64) -> Self {
        let id = std::process::id();
        let pair =
            Self { sender: format!("ws-eq-{name}-s{id}"), tap: format!("ws-eq-{name}-t{id}") };
        for namespace in [&pair.sender, &pair.tap] {
            ip(&format!("netns add {namespace}"));
            for which in ["all", "default"] {
                let key = format!("net.ipv6.conf.{which}.disable_ipv6=1");
                text(inside(namespace, "sysctl").args(["-qw", &key]).output().unwrap());
            }
        }
        let (sender, tap) = (&pair.sender, &pair.tap);
        ip(&format!(
            "-n {tap} link add tap0 mtu {mtu} type veth peer name out0 mtu {mtu} netns {sender}"
        ));
        ip(&format!("-n {tap} link set lo up"));
        ip(&format!("-n {tap} link set tap0 arp off up"));
        ip(&format!("-n {sender} link set out0 arp off up"));
        pair
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for namespace in [&self.sender, &self.tap] {
            let _ = Command::new("ip").args(["netns", "del", namespace]).output();
        }
    }
}

fn ip(line: &str) {
    text(Command::new("ip").args(line.split(' ')).output().unwrap());
}

fn inside(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{namespace}")).arg("--").arg(program);
    command
}

/// `wirespan run` at the tap; killed when dropped.
struct Live {
    process: Child,
    folder: PathBuf,
    namespace: String,
}

impl Live {
    fn start(pair: &Pair, backend: &str, folder: &Path) -> Self {
        let file = |name: &str| File::create(folder.join(name)).unwrap();
        let process = inside(&pair.tap, BIN)
            .args([
                "run",
                "-i",
                "tap0",
                "--backend",
                backend,
                "--no-ebpf",
                "--listen",
                "127.0.0.1:9797",
            ])
            .args(["--output", "jsonl", "--emit", "flows,summary"])
            .envs([PATIENT, ("WIRESPAN_CAPTURE_SHARDS", "1")])
            .stdin(Stdio::null())
            .stdout(file("live.jsonl"))
            .stderr(file("live.log"))
            .spawn()
            .unwrap();
        let mut live = Self { process, folder: folder.to_owned(), namespace: pair.tap.clone() };
        wait_for(20, "wirespan is healthy", || {
            let ended = live.process.try_wait().unwrap();
            assert!(ended.is_none(), "wirespan ended: {}", live.messages());
            live.get("/healthz").map(drop)
        });
        live
    }

    fn messages(&self) -> String {
        fs::read_to_string(self.folder.join("live.log")).unwrap_or_default()
    }

    fn get(&self, path: &str) -> Option<String> {
        let url = format!("http://127.0.0.1:9797{path}");
        let output =
            inside(&self.namespace, "curl").args(["-sf", "-m", "5", &url]).output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn captured(&self) -> u64 {
        let metrics = self.get("/metrics").unwrap_or_default();
        let of_tap = |line: &&str| line.starts_with("wirespan_capture_packets_total{");
        let values = metrics
            .lines()
            .filter(of_tap)
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        values.sum()
    }

    /// Ends it in order; all that it wrote.
    fn stop(mut self) -> String {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = wait_for(20, "wirespan ends", || self.process.try_wait().unwrap());
        assert!(status.success(), "{}", self.messages());
        fs::read_to_string(self.folder.join("live.jsonl")).unwrap()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What must be the same: the records of flows without what is left out, each with how often it is
/// there.
fn comparable(records: &str, is_left_out: &impl Fn(&str) -> bool) -> BTreeMap<String, u32> {
    let mut all = BTreeMap::new();
    for line in records.lines() {
        let mut value: Value = serde_json::from_str(line).unwrap();
        if value["type"] != "flow" {
            continue;
        }
        let flow = value.as_object_mut().unwrap();
        flow.remove("id");
        flow.remove("tap");
        strip(&mut value, is_left_out);
        *all.entry(value.to_string()).or_default() += 1;
    }
    all
}

fn strip(value: &mut Value, is_left_out: &impl Fn(&str) -> bool) {
    if let Value::Object(fields) = value {
        fields.retain(|key, _| !is_left_out(key));
        fields.values_mut().for_each(|field| strip(field, is_left_out));
    }
}

fn summary(records: &str) -> Value {
    let last = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).next_back();
    last.filter(|value| value["type"] == "summary").expect("a summary is last")
}

/// A capture as tcpreplay can send it.
struct Capture {
    name: String,
    file: PathBuf,
    seconds: f64,
    /// No two packets have the same time, and none goes back.
    in_time: bool,
    /// Bytes of the longest frame.
    longest: u64,
}

impl Capture {
    /// Puts `original`, of any format, into `folder` as a classic pcap. None if it cannot be sent
    /// as it is.
    fn prepare(name: String, original: &Path, folder: &Path) -> Option<Self> {
        let file = folder.join(format!("{name}.pcap"));
        let mut convert = Command::new("editcap");
        let converted = convert.args(["-F", "nsecpcap"]).args([original, &file]).output().unwrap();
        let bytes = fs::read(&file).ok().filter(|_| converted.status.success())?;
        let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        const ETHERNET: u32 = 1;
        if word(20)? != ETHERNET {
            return None;
        }
        let (mut at, mut longest, mut times) = (24, 0, Vec::new());
        while at < bytes.len() {
            let (captured, length) = (word(at + 8)?, word(at + 12)?);
            if captured != length {
                return None;
            }
            longest = longest.max(u64::from(captured));
            times.push(Duration::new(u64::from(word(at)?), word(at + 4)?));
            at += 16 + captured as usize;
        }
        let in_time = times.is_sorted_by(|a, b| a < b);
        let taken = times.iter().max()?.saturating_sub(*times.iter().min()?);
        let seconds = taken.as_secs_f64();
        let can_be_sent = (14..=65_535 + 14).contains(&longest)
            && seconds < IDLE_S
            && !REPEATED_LATER.contains(&name.as_str());
        can_be_sent.then_some(Self { name, file, seconds, in_time, longest })
    }

    /// Whether a field of its records is never compared.
    fn leaves_out(&self, key: &str) -> bool {
        key.ends_with("_ns")
            || ROUND_TRIPS.contains(&key)
            || (SAMPLES.contains(&key) && !self.in_time)
    }

    fn at_own_pace(&self) -> bool {
        self.seconds <= PATIENCE_S
    }
}

/// Differences of what live gives from what replay gives.
#[derive(Default)]
struct Differences {
    /// Those that no pace explains.
    plain: String,
    /// Those of a capture that was sent at its own pace, [`BY_TIME`] included.
    all: String,
}

/// Sends a capture once.
fn send(capture: &Capture, backend: &str) -> Differences {
    let replayed = Command::new(BIN)
        .args(["replay", "--output", "jsonl", "--emit", "flows,summary", "--no-progress"])
        .arg(&capture.file)
        .envs([PATIENT])
        .output()
        .unwrap();
    let replayed = String::from_utf8(replayed.stdout).unwrap();
    let frames = summary(&replayed)["captured"].as_u64().unwrap();

    let folder = tempfile::tempdir().unwrap();
    let pair =
        Pair::new(backend.trim_start_matches("af_"), capture.longest.saturating_sub(14).max(1500));
    let live = Live::start(&pair, backend, folder.path());
    let mut sender = inside(&pair.sender, "tcpreplay");
    sender.args(["-q", "--preload-pcap", "-i", "out0"]);
    if !capture.at_own_pace() {
        sender.args(["--pps", "2000"]);
    }
    text(sender.arg(&capture.file).output().unwrap());
    wait_for(5, &format!("{} {backend}: all {frames} frames", capture.name), || {
        (live.captured() >= frames).then_some(())
    });
    let seen = live.stop();

    let mut counts = String::new();
    for key in ["captured", "undecoded", "dropped"] {
        let (here, there) = (&summary(&replayed)[key], &summary(&seen)[key]);
        if here != there {
            counts += &format!("  {key}: {here} by replay, {there} live\n");
        }
    }
    let by_time = |key: &str| BY_TIME.contains(&key) || key.ends_with("retransmissions");
    let plain = differences(&replayed, &seen, &|key| capture.leaves_out(key) || by_time(key));
    let all = match capture.at_own_pace() {
        true => differences(&replayed, &seen, &|key| capture.leaves_out(key)),
        false => String::new(),
    };
    Differences { plain: counts + &plain, all }
}

/// Records that are only on one side.
fn differences(replayed: &str, seen: &str, is_left_out: &impl Fn(&str) -> bool) -> String {
    let (replayed, seen) = (comparable(replayed, is_left_out), comparable(seen, is_left_out));
    let mut wrong = String::new();
    for (who, one, other) in [("replay", &replayed, &seen), ("live", &seen, &replayed)] {
        for (record, count) in
            one.iter().filter(|(record, count)| other.get(*record) != Some(count))
        {
            wrong += &format!("  {count} of {who} only: {record}\n");
        }
    }
    wrong
}

/// All of them, one after the other, so that the pace is kept.
fn compare(captures: &[Capture], backend: &str) {
    let (mut wrong, mut paced, mut off_pace, mut again) = (String::new(), 0, Vec::new(), 0);
    for capture in captures {
        paced += usize::from(capture.at_own_pace());
        let mut found = send(capture, backend);
        for _ in 1..ATTEMPTS {
            if found.plain.is_empty() && found.all.is_empty() {
                break;
            }
            again += 1;
            found = send(capture, backend);
        }
        if !found.plain.is_empty() {
            wrong += &format!("{}:\n{}", capture.name, found.plain);
        } else if !found.all.is_empty() {
            off_pace.push(capture.name.as_str());
        }
    }
    report(&format!(
        "{} captures by {backend}, {paced} at their own pace, {again} sent again; not kept: {off_pace:?}",
        captures.len(),
    ));
    assert!(wrong.is_empty(), "{backend}\n{wrong}");
    assert!(off_pace.len() * 4 < paced, "{backend}: kinds of repetitions differ in {off_pace:?}");
}

/// The captures of the project and those of the corpus, prepared in `folder`.
fn captures(folder: &Path) -> Vec<Capture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = |path: &str| fs::read_dir(root.join(path)).into_iter().flatten().flatten();
    let mut all = Vec::new();
    for entry in entries("pcaps").filter(|entry| entry.path().is_dir()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        all.extend(Capture::prepare(name, &entry.path().join("capture.pcap.gz"), folder));
    }
    assert!(all.len() > 5, "pcaps/ holds captures that can be sent");
    for entry in entries("../shared/corpus/captures") {
        let name = entry.file_name().to_string_lossy().into_owned();
        if CORPUS.iter().any(|start| name.starts_with(start)) && !name.ends_with(".json") {
            all.extend(Capture::prepare(name, &entry.path(), folder));
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

#[test]
fn af_packet_gives_what_replay_gives() {
    if skipped_without_root("af_packet_gives_what_replay_gives") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    compare(&captures(folder.path()), "af_packet");
}

#[test]
fn xdp_gives_what_replay_gives() {
    if skipped_without_root("xdp_gives_what_replay_gives") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    compare(&captures(folder.path()), "xdp");
}
