//! `wirespan run`: what stops it from starting, and one live run between two network namespaces,
//! down to its orderly end.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const BIN: &str = env!("CARGO_BIN_EXE_wirespan");

fn is_root() -> bool {
    let root =
        fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
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
    let output =
        Command::new(BIN).args(["run", "-i", "nosuch0", "--duration", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).starts_with("wirespan: no such interface: nosuch0; there "),
        "{}",
        said(&output)
    );
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
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&copy)
        .args(["run", "--duration", "1"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output)
            .starts_with("wirespan: no rights to capture: CAP_NET_RAW is missing; run as root"),
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
    assert!(
        said(&output).contains(&format!("{address} is in use by another program")),
        "{}",
        said(&output)
    );
}

fn ip(line: &str) {
    let done = Command::new("ip").args(line.split(' ')).output().unwrap();
    assert!(done.status.success(), "ip {line}: {}", said(&done));
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
            ip(&line);
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
    assert!(
        traces.contains("\"tap\":\"veth0\"") && traces.contains("\"command\":\"curl\""),
        "{traces}"
    );
    wait_for(&pair.near, "http://127.0.0.1:9797/api/services", "\"client\":\"curl\"");
    wait_for(&pair.near, "http://127.0.0.1:9797/api/flows", "\"port\":80");
    wait_for(
        &pair.near,
        "http://127.0.0.1:9797/metrics",
        "wirespan_capture_packets_total{tap=\"veth0\"}",
    );
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:\t")).unwrap();
    let effective = u64::from_str_radix(effective, 16).unwrap();
    const CAP_NET_RAW: u64 = 1 << 13;
    const CAP_SYS_ADMIN: u64 = 1 << 21;
    assert_eq!(
        effective & (CAP_NET_RAW | CAP_SYS_ADMIN),
        0,
        "capabilities are given up after set-up"
    );

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
    let again =
        Command::new(BIN).args(["replay", "-q", "--output", "jsonl"]).arg(&file).output().unwrap();
    assert!(
        String::from_utf8_lossy(&again.stdout).contains("\"url.path\":\"/\""),
        "{}",
        said(&again)
    );
}

#[test]
fn packets_become_traces_until_the_end() {
    live("af_packet", "a");
}

#[test]
fn the_same_through_xdp() {
    live("xdp", "x");
}

/// As on the underlay of Cilium: VXLAN has the network id of the sender.
#[test]
fn connections_on_an_underlay_with_an_id_for_each_direction_are_whole() {
    if !is_root() {
        return;
    }
    for (backend, name) in [("af_packet", "u"), ("xdp", "w")] {
        let pair = Pair::new(name);
        let (near, far) = (&pair.near, &pair.far);
        for line in [
            format!(
                "-n {near} link add ov0 address 02:00:00:00:00:01 type vxlan external dstport 4789"
            ),
            format!(
                "-n {far} link add ov0 address 02:00:00:00:00:02 type vxlan external dstport 4789"
            ),
            format!("-n {near} addr add 10.96.0.1/32 dev ov0"),
            format!("-n {far} addr add 10.96.0.2/32 dev ov0"),
            format!("-n {near} link set ov0 up"),
            format!("-n {far} link set ov0 up"),
            format!(
                "-n {near} route add 10.96.0.2/32 encap ip id 19 dst 10.97.0.2 dev ov0 src 10.96.0.1"
            ),
            format!(
                "-n {far} route add 10.96.0.1/32 encap ip id 18 dst 10.97.0.1 dev ov0 src 10.96.0.2"
            ),
            format!("-n {near} neigh add 10.96.0.2 lladdr 02:00:00:00:00:02 dev ov0"),
            format!("-n {far} neigh add 10.96.0.1 lladdr 02:00:00:00:00:01 dev ov0"),
        ] {
            ip(&line);
        }
        let folder = tempfile::tempdir().unwrap();
        let server = inside(far, &["python3", "-m", "http.server", "80", "--directory"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let _server = Killed(server.unwrap());
        wait_for(near, "http://10.96.0.2/", "<html");
        let options =
            ["run", "--backend", backend, "-i", "veth0", "--no-ebpf", "--output", "jsonl"];
        let mut run = inside(near, &[BIN]);
        run.args(options).args(["--emit", "flows,spans"]).env("WIRESPAN_CAPTURE_SHARDS", "4");
        let run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut run = Killed(run);
        wait_for(near, "http://127.0.0.1:9797/healthz", "ok");
        for _ in 0..20 {
            wait_for(near, "http://10.96.0.2/", "<html");
        }
        let pid = run.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let output = finished(&mut run.0);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let flows = records(&output, "flow");
        let inner: Vec<_> =
            flows.iter().filter(|f| f["server"]["address"] == "10.96.0.2").collect();
        assert_eq!(inner.len(), 20, "{backend}");
        for flow in inner {
            let ids: Vec<_> =
                flow["tunnels"].as_array().unwrap().iter().map(|t| &t["id"]).collect();
            assert_eq!(ids, [19, 18], "{flow}");
            assert_eq!(flow["handshake"]["complete"], true, "{flow}");
            assert_eq!((&flow["requests"], &flow["responses"]), (&1.into(), &1.into()), "{flow}");
        }
        let spans = records(&output, "span");
        assert_eq!(spans.iter().filter(|span| span["outcome"] == "ok").count(), 20, "{backend}");
    }
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
        let _ = Command::new("sleep")
            .arg(Duration::from_millis(100).as_secs_f64().to_string())
            .status();
    }
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

/// Service managers, log rotation and people send it to say "reload"; a run without a terminal
/// goes on.
#[test]
fn a_hangup_does_not_end_a_service() {
    if !is_root() {
        return;
    }
    let pair = Pair::new("u");
    // In a session of its own: without a terminal, also where the tests have one. Where they run
    // under nohup(1), SIGHUP would stay ignored.
    let program = ["setsid", "env", "--default-signal=HUP", BIN];
    let mut run =
        inside(&pair.near, &[&program[..], &["run", "--no-ebpf", "-i", "veth*"]].concat());
    let mut run = Killed(run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let pid = run.0.id().to_string();
    let kill = |signal: &str| Command::new("kill").args([signal, &pid]).status().unwrap();
    wait_for(&pair.near, "http://127.0.0.1:9797/healthz", "ok");
    assert!(kill("-HUP").success());
    let _ = inside(&pair.near, &["curl", "-s", "-m", "2", "http://10.97.0.2/"]).output().unwrap();
    let packets = "wirespan_capture_packets_total{tap=\"veth0\"}";
    wait_for(&pair.near, "http://127.0.0.1:9797/metrics", packets);
    assert!(kill("-TERM").success());
    let output = finished(&mut run.0);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("SIGHUP"), "{}", said(&output));
}

/// A server in a namespace of its own that appears behind a new veth pair of `near`; gone when
/// dropped.
struct Plugged {
    namespace: String,
    _server: Option<Killed>,
}

impl Plugged {
    fn new(near: &str, folder: &std::path::Path) -> Self {
        let namespace = format!("wshot{}", std::process::id());
        let mut plugged = Self { namespace: namespace.clone(), _server: None };
        ip(&format!("netns add {namespace}"));
        ip(&format!("-n {namespace} link set lo up"));
        let server = inside(&namespace, &["python3", "-m", "http.server", "80", "--directory"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        plugged._server = Some(Killed(server.unwrap()));
        wait_for(&namespace, "http://127.0.0.1/", "<html");
        ip(&format!("-n {near} link add vethnew type veth peer name eth0 netns {namespace}"));
        ip(&format!("-n {near} addr add 10.98.0.1/24 dev vethnew"));
        ip(&format!("-n {namespace} addr add 10.98.0.2/24 dev eth0"));
        ip(&format!("-n {namespace} link set eth0 up"));
        ip(&format!("-n {near} link set vethnew up"));
        plugged
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.namespace]).output();
    }
}

fn records(output: &Output, kind: &str) -> Vec<serde_json::Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let records = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    records.filter(|record| record["type"] == kind).collect()
}

#[test]
fn an_interface_that_comes_is_tapped_from_its_first_packet_and_may_go() {
    if !is_root() {
        return;
    }
    let pair = Pair::new("h");
    let folder = tempfile::tempdir().unwrap();
    let mut run =
        inside(&pair.near, &[BIN, "run", "-i", "veth*", "--no-ebpf", "--output", "jsonl"]);
    run.args(["--emit", "flows,spans,summary"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = Killed(run.spawn().unwrap());
    wait_for(&pair.near, "http://127.0.0.1:9797/healthz", "ok");
    let plugged = Plugged::new(&pair.near, folder.path());
    wait_for(&pair.near, "http://10.98.0.2/", "<html");
    wait_for(&pair.near, "http://127.0.0.1:9797/api/traces?limit=5", "\"tap\":\"vethnew\"");
    ip(&format!("-n {} link del vethnew", pair.near));
    drop(plugged);
    wait_for(&pair.near, "http://127.0.0.1:9797/healthz", "ok");
    // What is tapped still is seen when the other is gone.
    let _ = inside(&pair.near, &["curl", "-s", "-m", "2", "http://10.97.0.2/"]).output().unwrap();
    assert!(
        Command::new("kill").args(["-INT", &run.0.id().to_string()]).status().unwrap().success()
    );
    let output = finished(&mut run.0);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let flows = records(&output, "flow");
    let of = |tap: &str| {
        flows.iter().find(|flow| flow["tap"] == tap && flow["protocol"] == "tcp").unwrap()
    };
    let new = of("vethnew");
    assert_eq!(
        (&new["client_by"], &new["handshake"]["complete"]),
        (&"syn".into(), &true.into()),
        "{new}"
    );
    assert_eq!(of("veth0")["close_reason"], "server_refused", "{}", of("veth0"));
    assert!(
        records(&output, "span")
            .iter()
            .any(|span| span["tap"] == "vethnew" && span["protocol"] == "http")
    );
    assert_eq!(records(&output, "summary").len(), 1);
}

/// What a process said until it ended by itself; it is killed after twenty seconds.
fn finished(process: &mut Child) -> Output {
    use std::io::Read;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (out, err) = (process.stdout.take(), process.stderr.take());
    std::thread::scope(|scope| {
        scope.spawn(|| out.map(|mut pipe| pipe.read_to_end(&mut stdout)));
        scope.spawn(|| err.map(|mut pipe| pipe.read_to_end(&mut stderr)));
        for _ in 0..200 {
            if process.try_wait().unwrap().is_some() {
                return;
            }
            let _ = Command::new("sleep").arg("0.1").status();
        }
        let _ = process.kill();
    });
    Output { status: process.wait().unwrap(), stdout, stderr }
}
