//! Bytes that reach a socket in other ways than the plain system calls of the process that opened
//! it: the records' processes, threads and ranges.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may")]

mod common;
#[path = "common/records.rs"]
mod records;

use std::path::PathBuf;
use std::process::Command;

use common::{is_root, run};
use records::{each_way, everything, load};
use serde_json::Value;
use wire::{SeqRange, SockIo, SockIoKind};
use xdp::{SocketRecords, SocketRecordsConfig};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/origins.py");

/// Bytes that one thread moved in one direction without another in between.
#[derive(Debug, PartialEq, Eq)]
struct Moved {
    pid: u32,
    tid: u32,
    bytes: u32,
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn merged(all: impl Iterator<Item = Moved>) -> Vec<Moved> {
    let mut list: Vec<Moved> = Vec::new();
    for moved in all {
        match list.last_mut() {
            Some(last) if (last.pid, last.tid) == (moved.pid, moved.tid) => {
                last.bytes += moved.bytes;
            }
            _ => list.push(moved),
        }
    }
    list
}

/// The records of a connection, by side.
struct Connection {
    sides: [Vec<SockIo>; 2],
}

const CLIENT: usize = 0;
const SERVER: usize = 1;

impl Connection {
    fn new(all: &[SockIo], client_port: u32, server_port: u32) -> Self {
        let side = |local: u32, remote: u32| {
            let is = |io: &&SockIo| {
                (u32::from(io.local.port), u32::from(io.remote.port)) == (local, remote)
            };
            all.iter().filter(is).copied().collect()
        };
        Self { sides: [side(client_port, server_port), side(server_port, client_port)] }
    }

    fn moved(&self, side: usize, kind: SockIoKind) -> impl Iterator<Item = &SockIo> {
        self.sides[side].iter().filter(move |io| io.kind == kind)
    }

    fn merged(&self, side: usize, kind: SockIoKind) -> Vec<Moved> {
        merged(self.moved(side, kind).map(|io| Moved {
            pid: io.process.pid,
            tid: io.process.tid,
            bytes: io.seq.len(),
        }))
    }

    fn count(&self, side: usize, kind: SockIoKind) -> usize {
        self.moved(side, kind).count()
    }

    /// All ranges of one kind, which have no hole and no overlap.
    #[track_caller]
    fn range(&self, side: usize, kind: SockIoKind) -> Option<SeqRange> {
        let mut ranges = self.moved(side, kind).map(|io| io.seq);
        let mut whole = ranges.next()?;
        for range in ranges {
            assert_eq!(range.start, whole.end, "a hole or an overlap between two calls");
            whole.end = range.end;
        }
        Some(whole)
    }

    /// What one side sent is what the other received.
    #[track_caller]
    fn check_ranges(&self) {
        for (from, to) in [(CLIENT, SERVER), (SERVER, CLIENT)] {
            let (sent, received) =
                (self.range(from, SockIoKind::Send), self.range(to, SockIoKind::Receive));
            assert_eq!(sent, received);
        }
    }
}

/// Runs a case of the script; `None` where the kernel lacks what it needs.
fn run_case(records: &mut SocketRecords, case: &str) -> Option<(Value, Connection)> {
    // A network namespace of its own: one case changes a setting of it.
    let within = format!("ip link set lo up && exec python3 {SCRIPT} {case}");
    let output = run(Command::new("unshare").args(["--net", "sh", "-c", &within]));
    let text = String::from_utf8(output.stdout).unwrap();
    if text.starts_with("unsupported") {
        eprintln!("{case}: skipped: {}", text.trim());
        return None;
    }
    let report: Value = serde_json::from_str(&text).unwrap();
    let all = everything(records);
    assert_eq!(records.drops(), 0, "{case}");
    let (client, server) = (number(&report["client_port"]), number(&report["server_port"]));
    let connection = Connection::new(&all, client, server);
    Some((report, connection))
}

fn check(config: &SocketRecordsConfig, case: &str) {
    let mut records = load(config);
    let Some((report, connection)) = run_case(&mut records, case) else { return };
    for (side, name) in ["client", "server"].into_iter().enumerate() {
        for kind in [SockIoKind::Send, SockIoKind::Receive] {
            let calls = report["calls"].as_array().unwrap().iter();
            let expected = calls
                .filter(|c| c["side"] == name && c["kind"] == format!("{kind:?}"))
                .map(|c| Moved {
                    pid: number(&c["pid"]),
                    tid: number(&c["tid"]),
                    bytes: number(&c["bytes"]),
                });
            assert_eq!(
                connection.merged(side, kind),
                merged(expected),
                "{case}: {name} {kind:?}: {:?}",
                connection.sides
            );
        }
        for io in &connection.sides[side] {
            assert!(io.process.command().starts_with("python3"), "{case}: {io:?}");
            assert_eq!(io.local.address.to_string(), "127.0.0.1", "{case}");
            assert_eq!(io.cookie, connection.sides[side][0].cookie, "{case}");
        }
    }
    connection.check_ranges();
    assert_eq!(connection.count(CLIENT, SockIoKind::Connect), 1, "{case}");
    assert_eq!(connection.count(SERVER, SockIoKind::Accept), 1, "{case}");
}

#[test]
fn plain_calls() {
    each_way("plain_calls", |config| check(&config, "plain"));
}

#[test]
fn a_file_that_is_sent() {
    each_way("a_file_that_is_sent", |config| check(&config, "sendfile"));
}

#[test]
fn pages_that_are_not_copied() {
    each_way("pages_that_are_not_copied", |config| check(&config, "zerocopy"));
}

#[test]
fn a_descriptor_passed_to_another_process() {
    each_way("a_descriptor_passed_to_another_process", |config| check(&config, "passed"));
}

#[test]
fn a_descriptor_and_its_copy() {
    each_way("a_descriptor_and_its_copy", |config| check(&config, "duplicated"));
}

#[test]
fn a_parent_and_its_child() {
    each_way("a_parent_and_its_child", |config| check(&config, "forked"));
}

#[test]
fn ipv4_on_a_socket_of_ipv6() {
    each_way("ipv4_on_a_socket_of_ipv6", |config| check(&config, "mapped"));
}

#[test]
fn the_last_bytes_and_the_fin_at_once() {
    each_way("the_last_bytes_and_the_fin_at_once", |config| {
        check(&config, "half_closed");
        check(&config, "half_closed_recvmmsg");
    });
}

#[test]
fn a_send_that_opens_the_connection() {
    each_way("a_send_that_opens_the_connection", |config| check(&config, "fast_open"));
}

#[test]
fn mptcp_with_one_connection() {
    if is_root("mptcp_with_one_connection") {
        check(&SocketRecordsConfig::default(), "mptcp");
    }
}

/// The connection counts records, which are longer than what the caller passed: ranges have no
/// hole, and each has room for its bytes.
#[test]
fn tls_in_the_kernel() {
    each_way("tls_in_the_kernel", |config| {
        let mut records = load(&config);
        let Some((report, connection)) = run_case(&mut records, "ktls") else { return };
        connection.check_ranges();
        let calls = report["calls"].as_array().unwrap();
        for (side, kind) in [(CLIENT, SockIoKind::Send), (SERVER, SockIoKind::Receive)] {
            let passed = calls.iter().filter(|c| c["kind"] == format!("{kind:?}"));
            let passed: Vec<u32> = passed.map(|c| number(&c["bytes"])).collect();
            let ranges: Vec<u32> = connection.moved(side, kind).map(|io| io.seq.len()).collect();
            assert_eq!(ranges.len(), passed.len());
            // Header, explicit nonce and tag of a record (RFC 5288): 5 + 8 + 16.
            let records = passed.iter().skip(1).map(|bytes| bytes + 29);
            assert_eq!(ranges, [passed[0]].into_iter().chain(records).collect::<Vec<_>>());
        }
    });
}

/// Builds the C program beside the test's own.
fn uring() -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/uring.c");
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("uring");
    run(Command::new("cc").args(["-O1", "-Wall", "-Werror", "-o"]).arg(&program).arg(source));
    program
}

#[test]
fn io_uring() {
    if !is_root("io_uring") {
        return;
    }
    if std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled")
        .is_ok_and(|setting| setting.trim() == "2")
    {
        eprintln!("io_uring: skipped: switched off (kernel.io_uring_disabled)");
        return;
    }
    const TIMES: u32 = 50;
    const SIZE: u32 = 300;
    const IOSQE_ASYNC: u32 = 16;
    let program = uring();
    let mut records = load(&SocketRecordsConfig::default());
    for flags in [0, IOSQE_ASYNC] {
        let arguments = [TIMES, SIZE, flags].map(|n| n.to_string());
        let output = run(Command::new(&program).args(arguments));
        let text = String::from_utf8(output.stdout).unwrap();
        let numbers: Vec<u32> = text.split_whitespace().map(|n| n.parse().unwrap()).collect();
        let [pid, tid, client_port, server_port] = numbers[..] else { panic!("{text}") };
        let all = everything(&mut records);
        assert_eq!(records.drops(), 0);
        let connection = Connection::new(&all, client_port, server_port);
        connection.check_ranges();
        for (side, kind) in [(CLIENT, SockIoKind::Send), (SERVER, SockIoKind::Receive)] {
            let bytes: u32 = connection.moved(side, kind).map(|io| io.seq.len()).sum();
            assert_eq!(bytes, TIMES * SIZE, "{kind:?}");
            for io in connection.moved(side, kind) {
                assert_eq!(io.process.pid, pid, "{io:?}");
                let own = io.process.tid == tid && io.process.command() == "uring";
                let worker = io.process.tid != tid && io.process.command().starts_with("iou-wrk");
                assert!(if flags == 0 { own } else { worker }, "{io:?}");
            }
        }
        let opened: Vec<_> = connection.moved(CLIENT, SockIoKind::Connect).collect();
        assert_eq!(opened.len(), 1);
        assert_eq!((opened[0].process.pid, opened[0].process.tid), (pid, tid));
        assert_eq!(opened[0].seq.start, connection.range(CLIENT, SockIoKind::Send).unwrap().start);
    }
}
