//! Frames that are sent onto an interface, as `wirespan run` tells of them.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::wait_for;

/// Two namespaces with a veth pair between them, silent but for what is sent; gone when dropped.
pub(crate) struct Pair {
    sender: String,
    tap: String,
}

impl Pair {
    pub(crate) fn new(name: &str) -> Self {
        let id = std::process::id();
        let pair =
            Self { sender: format!("ws-en-{name}-s{id}"), tap: format!("ws-en-{name}-t{id}") };
        let (sender, tap) = (&pair.sender, &pair.tap);
        for line in [
            format!("netns add {sender}"),
            format!("netns add {tap}"),
            format!("netns exec {sender} sysctl -qw net.ipv6.conf.default.disable_ipv6=1"),
            format!("netns exec {tap} sysctl -qw net.ipv6.conf.default.disable_ipv6=1"),
            format!(
                "-n {tap} link add tap0 mtu 9000 type veth peer name out0 mtu 9000 netns {sender}"
            ),
            format!("-n {tap} link set lo up"),
            format!("-n {tap} link set tap0 arp off up"),
            format!("-n {sender} link set out0 arp off up"),
        ] {
            let done = Command::new("ip").args(line.split(' ')).output().expect("ip starts");
            assert!(done.status.success(), "ip {line}");
        }
        pair
    }

    fn inside(namespace: &str, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).args(words);
        command
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for namespace in [&self.sender, &self.tap] {
            let _ = Command::new("ip").args(["netns", "del", namespace]).output();
        }
    }
}

/// Sends the frames of a capture, a third of a millisecond apart.
const SEND: &str = "
import socket, struct, sys, time
data = open(sys.argv[1], 'rb').read()
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(('out0', 0))
at = 24
while at < len(data):
    size = struct.unpack_from('<IIII', data, at)[2]
    out.send(data[at + 16:at + 16 + size])
    at += 16 + size
    time.sleep(0.0003)
";

/// What `wirespan run` tells of a capture that is sent onto an interface, with two shards where the
/// backend has several.
pub(crate) fn live(pair: &Pair, backend: &str, path: &Path) -> Vec<Value> {
    let options = ["run", "-i", "tap0", "--no-ebpf", "--output", "jsonl", "--emit", "flows,spans"];
    let mut run = Pair::inside(&pair.tap, &[env!("CARGO_BIN_EXE_wirespan")]);
    run.args(options).args(["--backend", backend]).env("WIRESPAN_CAPTURE_SHARDS", "2");
    let mut run = run.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    wait_for(20, "a run that is ready", || {
        let words = ["curl", "-s", "-m", "2", "http://127.0.0.1:9797/healthz"];
        let answer = Pair::inside(&pair.tap, &words).output().expect("curl starts");
        String::from_utf8_lossy(&answer.stdout).contains("ok").then_some(())
    });
    let sent = Pair::inside(&pair.sender, &["python3", "-c", SEND]).arg(path).status();
    let _ = Command::new("sleep").arg("0.5").status();
    let pid = run.id().to_string();
    let stopped = Command::new("kill").args(["-TERM", &pid]).status();
    let mut text = String::new();
    let read = run.stdout.take().map(|mut out| out.read_to_string(&mut text));
    let ended = run.wait();
    assert!(sent.is_ok_and(|s| s.success()) && stopped.is_ok_and(|s| s.success()));
    assert!(read.is_some_and(|read| read.is_ok()) && ended.is_ok_and(|status| status.success()));
    text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect()
}
