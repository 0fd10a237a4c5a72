//! `wirespan run`: what stops it from starting, and one live run between two network namespaces, down to its orderly end.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const BIN: &str = env!("CARGO_BIN_EXE_wirespan");

fn is_root() -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    if !root {
        eprintln!("skipped: needs root");
    }
    root
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_interface_that_is_not_there_is_a_mistake() {
    let output = Command::new(BIN).args(["run", "-i", "nosuch0", "--duration", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).starts_with("wirespan: no such interface: nosuch0; there "), "{}", said(&output));
}

#[test]
fn without_rights_it_says_which_are_missing() {
    if !is_root() {
        return;
    }
    // Somebody else may not be allowed to enter the folder of the binary.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("wirespan");
    fs::copy(BIN, &copy).unwrap();
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&copy)
        .args(["run", "--duration", "1"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).starts_with("wirespan: no rights to capture: CAP_NET_RAW is missing; run as root"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_port_in_use_is_told() {
    if !is_root() {
        return;
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(BIN)
        .args(["run", "--no-ebpf", "--duration", "1", "--listen", &address])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains(&format!("{address} is in use by another program")), "{}", said(&output));
}

/// Two namespaces with a veth pair between them, gone when dropped.
struct Pair {
    near: String,
    far: String,
}

impl Pair {
    fn new(name: &str) -> Self {
        let id = std::process::id();
        let pair = Self { near: format!("ws{name}n{id}"), far: format!("ws{name}f{id}") };
        let (near, far) = (&pair.near, &pair.far);
        for line in [
            format!("netns add {near}"),
            format!("netns add {far}"),
            format!("-n {near} link add veth0 type veth peer name eth0 netns {far}"),
            format!("-n {near} addr add 10.97.0.1/24 dev veth0"),
            format!("-n {far} addr add 10.97.0.2/24 dev eth0"),
            format!("-n {near} link set veth0 up"),
            format!("-n {near} link set lo up"),
            format!("-n {far} link set eth0 up"),
        ] {
            let done = Command::new("ip").args(line.split(' ')).output().unwrap();
            assert!(done.status.success(), "ip {line}: {}", said(&done));
        }
        pair
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for name in [&self.near, &self.far] {
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}

fn inside(namespace: &str, words: &[&str]) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).args(words);
    command
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks until the answer holds `wanted`; gives up after ten seconds.
fn wait_for(namespace: &str, url: &str, wanted: &str) -> String {
    let mut answer = String::new();
    for _ in 0..100 {
        let output = inside(namespace, &["curl", "-s", "-m", "5", url]).output().unwrap();
        answer = String::from_utf8_lossy(&output.stdout).into_owned();
        if answer.contains(wanted) {
            return answer;
        }
        let _ = Command::new("sleep").arg("0.1").status();
    }
    panic!("{url}: {wanted:?} not in {answer}");
}

fn live(backend: &str, name: &str) {
    if !is_root() {
        return;
    }
    let pair = Pair::new(name);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("frames.pcapng");
    let server = inside(&pair.far, &["python3", "-m", "http.server", "80", "--directory"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _server = Killed(server.unwrap());
    let options = [
        "run",
        "--backend",
        backend,
        "-i",
        "veth*",
        "--output",
        "jsonl",
        "--emit",
        "spans,flows,summary",
        "-w",
    ];
    let mut run = inside(&pair.near, &[BIN]);
    run.args(options).arg(&file).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = run.spawn().unwrap();
    let pid = run.id().to_string();
    wait_for(&pair.near, "http://127.0.0.1:9797/healthz", "ok");
    wait_for(&pair.near, "http://10.97.0.2/", "<html");
    let traces = wait_for(&pair.near, "http://127.0.0.1:9797/api/traces?limit=5", "\"url.path\"");
    assert!(traces.contains("\"tap\":\"veth0\"") && traces.contains("\"command\":\"curl\""), "{traces}");
    wait_for(&pair.near, "http://127.0.0.1:9797/api/services", "\"client\":\"curl\"");
    wait_for(&pair.near, "http://127.0.0.1:9797/api/flows", "\"port\":80");
    wait_for(&pair.near, "http://127.0.0.1:9797/metrics", "wirespan_capture_packets_total{tap=\"veth0\"}");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:\t")).unwrap();
    let effective = u64::from_str_radix(effective, 16).unwrap();
    const CAP_NET_RAW: u64 = 1 << 13;
    const CAP_SYS_ADMIN: u64 = 1 << 21;
    assert_eq!(effective & (CAP_NET_RAW | CAP_SYS_ADMIN), 0, "capabilities are given up after set-up");

    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let records = String::from_utf8_lossy(&output.stdout).into_owned();
    for wanted in [
        "\"observed_at\":\"client_process\"",
        "\"observed_at\":\"tap\"",
        "\"type\":\"flow\"",
        "\"type\":\"summary\"",
    ] {
        assert!(records.contains(wanted), "{wanted} not in {records}");
    }
    assert!(said(&output).contains("0 packets dropped by kernel"), "{}", said(&output));
    let again = Command::new(BIN).args(["replay", "-q", "--output", "jsonl"]).arg(&file).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stdout).contains("\"url.path\":\"/\""), "{}", said(&again));
}

#[test]
fn packets_become_traces_until_the_end() {
    live("af_packet", "a");
}

#[test]
fn the_same_through_xdp() {
    live("xdp", "x");
}

#[test]
fn a_given_time_ends_a_run() {
    if !is_root() {
        return;
    }
    let pair = Pair::new("d");
    let mut run = inside(&pair.near, &[BIN, "run", "--no-ebpf", "--duration", "0.5", "-i", "any"]);
    let mut child = run.stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..100 {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        let _ = Command::new("sleep").arg(Duration::from_millis(100).as_secs_f64().to_string()).status();
    }
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}
