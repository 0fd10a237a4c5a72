//! System calls of a real process on real sockets, and the records that the kernel programs make of
//! them.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may")]

mod common;
#[path = "common/records.rs"]
mod records;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use common::run;
use records::{each_way, everything, load};
use serde_json::Value;
use wire::{SeqRange, SockIo, SockIoKind, Timestamp};
use xdp::{SocketRecords, SocketRecordsConfig};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/calls.py");

fn number(report: &Value, key: &str) -> u32 {
    report[key].as_u64().unwrap_or_else(|| panic!("{key} in {report}")).try_into().unwrap()
}

fn now() -> Timestamp {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    Timestamp::from_parts(t.tv_sec.try_into().unwrap(), t.tv_nsec.try_into().unwrap())
}

/// The ranges of `kind` joined; each must begin where the one before ended.
#[track_caller]
fn joined(side: &[SockIo], kind: SockIoKind) -> SeqRange {
    let mut ranges = side.iter().filter(|io| io.kind == kind).map(|io| io.seq);
    let mut whole = ranges.next().expect("at least one call moved bytes");
    for range in ranges {
        assert!(!range.is_empty());
        assert_eq!(range.start, whole.end, "a hole or an overlap between two calls");
        whole.end = range.end;
    }
    whole
}

#[track_caller]
fn count(side: &[SockIo], kind: SockIoKind) -> usize {
    side.iter().filter(|io| io.kind == kind).count()
}

fn check(
    records: &mut SocketRecords,
    family: &str,
    blocking: &str,
    send: &str,
    receive: &str,
    bytes: u32,
) {
    let case = [family, blocking, send, receive, &bytes.to_string()].join(" ");
    let begin = now();
    let output = run(Command::new("python3").arg(SCRIPT).args(case.split(' ')));
    let end = now();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let all = everything(records);
    assert_eq!(records.drops(), 0, "{case}");

    let mine: Vec<SockIo> =
        all.into_iter().filter(|io| io.process.pid == number(&report, "pid")).collect();
    let (client_port, server_port) =
        (number(&report, "client_port"), number(&report, "server_port"));
    let side = |local: u32, remote: u32| -> Vec<SockIo> {
        let is =
            |io: &&SockIo| u32::from(io.local.port) == local && u32::from(io.remote.port) == remote;
        mine.iter().filter(is).copied().collect()
    };
    let client = side(client_port, server_port);
    let server = side(server_port, client_port);
    assert_eq!(
        client.len() + server.len(),
        mine.len(),
        "{case}: records of other sockets: {mine:?}"
    );

    let sent = joined(&client, SockIoKind::Send);
    let received = joined(&server, SockIoKind::Receive);
    assert_eq!(sent.len(), bytes, "{case}: {client:?}");
    assert_eq!(sent, received, "{case}: what was sent is what was received");

    assert_eq!(client[0].kind, SockIoKind::Connect, "{case}");
    assert_eq!(client[0].seq, SeqRange { start: sent.start, end: sent.start }, "{case}");
    assert_eq!(server[0].kind, SockIoKind::Accept, "{case}");
    for (side, tid) in [(&client, "client_tid"), (&server, "server_tid")] {
        assert_eq!(side.last().unwrap().kind, SockIoKind::Close, "{case}");
        assert_eq!(count(side, SockIoKind::Close), 1, "{case}");
        assert_eq!(count(side, SockIoKind::Connect) + count(side, SockIoKind::Accept), 1, "{case}");
        let address = if family == "6" { "::1" } else { "127.0.0.1" };
        let mut last = begin;
        for io in side {
            assert_eq!(io.process.tid, number(&report, tid), "{case}");
            assert!(
                io.process.command().starts_with("python3"),
                "{case}: {}",
                io.process.command()
            );
            assert_eq!(io.cookie, side[0].cookie, "{case}");
            assert!(io.cookie != 0 && io.cookie >> 63 == 0, "{case}: the kernel's own cookie");
            assert_eq!(io.local.address.to_string(), address, "{case}");
            assert_eq!(io.remote.address.to_string(), address, "{case}");
            // The clocks are joined to within a few microseconds; a millisecond leaves room for
            // slewing.
            assert!(
                io.enter + Duration::from_millis(1) >= last && io.enter <= io.exit,
                "{case}: {io:?}"
            );
            last = io.exit;
        }
        assert!(last <= end + Duration::from_millis(1), "{case}");
    }
    assert_ne!(client[0].cookie, server[0].cookie, "{case}");
}

#[test]
fn every_call_gives_its_range() {
    each_way("every_call_gives_its_range", |config| {
        let mut records = load(&config);
        everything(&mut records);
        let sends = ["write", "writev", "sendto", "sendmsg", "sendmmsg", "sendfile", "splice"];
        let receives = ["read", "readv", "recvfrom", "recvmsg", "recvmmsg", "splice", "peek"];
        for (send, receive) in sends.into_iter().zip(receives) {
            check(&mut records, "4", "blocking", send, receive, 9_000);
            check(&mut records, "6", "nonblocking", send, receive, 300_000);
        }
        check(&mut records, "mapped", "nonblocking", "sendto", "recvfrom", 1);
        check(&mut records, "mapped", "blocking", "write", "read", 300_000);
    });
}

#[test]
fn sockets_that_exist_already_have_cookies_and_ranges() {
    each_way("sockets_that_exist_already_have_cookies_and_ranges", |config| {
        let script = "import socket, sys, threading
l = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(l.getsockname()); s, _ = l.accept()
print(c.getsockname()[1], flush=True); sys.stdin.readline()
c.send(b'x' * 7); s.recv(3); s.recv(9)
";
        let mut child = Command::new("python3")
            .args(["-c", script])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(
            &mut std::io::BufReader::new(child.stdout.take().unwrap()),
            &mut line,
        )
        .unwrap();
        let port: u16 = line.trim().parse().unwrap();
        let mut records = load(&config);
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"\n").unwrap();
        assert!(child.wait().unwrap().success());
        let all = everything(&mut records);
        let of = |kind, local: bool| -> Vec<&SockIo> {
            all.iter()
                .filter(|io| {
                    io.kind == kind && (if local { io.local } else { io.remote }).port == port
                })
                .collect()
        };
        let sent = of(SockIoKind::Send, true);
        let received = of(SockIoKind::Receive, false);
        assert_eq!(sent.len(), 1);
        assert_eq!(received.iter().map(|io| io.seq.len()).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(
            (sent[0].seq.start, sent[0].seq.end),
            (received[0].seq.start, received[1].seq.end)
        );
        assert!(sent[0].cookie >> 63 == 0 && received[0].cookie >> 63 == 0);
        assert_eq!(received[0].cookie, received[1].cookie);
    });
}

#[test]
fn own_calls_are_not_recorded() {
    each_way("own_calls_are_not_recorded", |config| {
        use std::io::{Read, Write};
        let mut records = load(&config);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(b"hello").unwrap();
        server.read_exact(&mut [0; 5]).unwrap();
        let own = std::process::id();
        assert_eq!(everything(&mut records).iter().filter(|io| io.process.pid == own).count(), 0);
    });
}

#[test]
fn a_full_ring_is_counted() {
    each_way("a_full_ring_is_counted", |config| {
        let mut records = load(&SocketRecordsConfig { ring_bytes: 4096, ..config });
        // 600 kB in parts of at most 4,000 bytes: at least 150 records, where 36 find room, or 85
        // short ones.
        run(Command::new("python3").arg(SCRIPT).args("4 blocking write read 600000".split(' ')));
        let lost = records.drops();
        let mut kept = 0;
        records.read(Duration::ZERO, &mut |_| kept += 1).unwrap();
        // Other processes of this machine take their share of the ring, and of the loss.
        assert!(kept > 10 && kept < 90, "{kept}");
        assert!(lost + kept > 150, "{lost}");
        assert!(records.drops() < lost, "counted once");
    });
}

#[test]
fn calls_that_fail_or_move_nothing_are_silent() {
    each_way("calls_that_fail_or_move_nothing_are_silent", |config| {
        let mut records = load(&config);
        let script = "import socket, os
print(os.getpid())
l = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(l.getsockname()); s, _ = l.accept()
c.setblocking(False)
for call in (lambda: c.recv(5), lambda: c.connect(l.getsockname()), lambda: os.read(999, 5), lambda: c.send(b'')):
    try: call()
    except OSError: pass
r = socket.socket(); port = l.getsockname()[1]; l.close()
try: r.connect(('127.0.0.1', port))
except ConnectionRefusedError: pass
r.close()
a, b = socket.socketpair(); a.send(b'x'); b.recv(1); a.close(); b.close()
u = socket.socket(type=socket.SOCK_DGRAM); u.connect(('127.0.0.1', 9)); u.send(b'x'); u.close()
s.send(b'z'); s.close(); c.setblocking(True); c.recv(9); c.recv(9); c.close()
";
        let output = run(Command::new("python3").args(["-c", script]));
        let pid: u32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        let mut kinds = BTreeMap::new();
        for io in everything(&mut records).iter().filter(|io| io.process.pid == pid) {
            *kinds.entry(format!("{:?}", io.kind)).or_insert(0) += 1;
        }
        let expected = [("Accept", 1), ("Close", 2), ("Connect", 1), ("Receive", 1), ("Send", 1)];
        assert_eq!(kinds, expected.map(|(kind, n)| (kind.to_owned(), n)).into());
    });
}

#[test]
fn threads_that_share_a_socket_have_ranges_of_their_own() {
    each_way("threads_that_share_a_socket_have_ranges_of_their_own", |config| {
        let mut records = load(&config);
        let script = "import os, socket, threading, time
l = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(l.getsockname()); s, _ = l.accept()
sizes = [5, 70, 900]
threads = [threading.Thread(target=s.recv, args=(1000,)) for n in sizes]
for t in threads: t.start(); time.sleep(0.1)
for n in sizes: c.send(b'x' * n); time.sleep(0.1)
for t in threads: t.join()
print(os.getpid(), s.getsockname()[1])
";
        let output =
            String::from_utf8(run(Command::new("python3").args(["-c", script])).stdout).unwrap();
        let (pid, port) = output.trim().split_once(' ').unwrap();
        let all = everything(&mut records);
        let of = |kind| -> Vec<SockIo> {
            let is = |io: &&SockIo| io.process.pid.to_string() == pid && io.kind == kind;
            all.iter().filter(is).copied().collect()
        };
        let (sent, received) = (of(SockIoKind::Send), of(SockIoKind::Receive));
        // Every reader was entered before the first byte: what each read is known only from the end
        // of its call.
        let ranges = |records: &[SockIo]| {
            records.iter().map(|io| (io.seq.start.0, io.seq.end.0)).collect::<Vec<_>>()
        };
        assert_eq!(ranges(&sent), ranges(&received));
        assert_eq!(received.iter().map(|io| io.seq.len()).collect::<Vec<_>>(), [5, 70, 900]);
        assert!(received.iter().all(|io| io.local.port.to_string() == port));
        let threads: std::collections::BTreeSet<u32> =
            received.iter().map(|io| io.process.tid).collect();
        assert_eq!(threads.len(), 3);
    });
}
