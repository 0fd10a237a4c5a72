//! Who did something, where short records name threads and sockets by number: what is told again,
//! what is forgotten, and when calls began.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may")]

mod common;
#[path = "common/records.rs"]
mod records;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use common::is_root;
use records::{each_way, everything, load};
use wire::{SockIo, SockIoKind};
use xdp::SocketRecordsConfig;

/// A Python process that runs the lines it is given, each to its end before the next.
struct Python {
    child: Child,
    lines: ChildStdin,
    answers: BufReader<ChildStdout>,
}

const LOOP: &str = "import ctypes, socket, sys, threading, time
def pair(l=socket.create_server(('127.0.0.1', 0), backlog=100)):
    c = socket.create_connection(l.getsockname()); return c, l.accept()[0]
def name(text): ctypes.CDLL(None).prctl(15, text.encode())
for line in sys.stdin: exec(line); print('done', flush=True)
";

impl Python {
    fn start() -> Self {
        let mut child = Command::new("python3")
            .args(["-c", LOOP])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, lines, answers: BufReader::new(answers) }
    }

    /// What it printed before it was done.
    fn run(&mut self, line: &str) -> String {
        writeln!(self.lines, "{line}").unwrap();
        let mut text = String::new();
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "it ended");
            if line == "done\n" {
                return text;
            }
            text += &line;
        }
    }

    fn own<'a>(&self, all: &'a [SockIo], kind: SockIoKind) -> Vec<&'a SockIo> {
        let pid = self.child.id();
        all.iter().filter(|io| io.process.pid == pid && io.kind == kind).collect()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn a_new_name_of_the_thread_is_told() {
    each_way("a_new_name_of_the_thread_is_told", |config| {
        let mut records = load(&config);
        let mut python = Python::start();
        python.run("c, s = pair()");
        for name in ["first", "second", "third"] {
            python.run(&format!("name('{name}'); c.send(b'x'); s.recv(1)"));
        }
        let all = everything(&mut records);
        for kind in [SockIoKind::Send, SockIoKind::Receive] {
            let names: Vec<&str> =
                python.own(&all, kind).iter().map(|io| io.process.command()).collect();
            assert_eq!(names, ["first", "second", "third"], "{kind:?}");
        }
    });
}

/// A socket that is connected again has the same cookie and other ports.
#[test]
fn a_new_connection_of_the_socket_is_told() {
    each_way("a_new_connection_of_the_socket_is_told", |config| {
        let mut records = load(&config);
        let mut python = Python::start();
        python.run("l = [socket.create_server(('127.0.0.1', 0)) for _ in range(2)]");
        python.run("c = socket.socket(); c.connect(l[0].getsockname()); c.send(b'x')");
        // AF_UNSPEC ends the connection (connect(2)).
        python.run("ctypes.CDLL(None).connect(c.fileno(), bytes(16), 16)");
        python.run("c.connect(l[1].getsockname()); c.send(b'xx')");
        let ports = python.run("print(*(s.getsockname()[1] for s in l))");
        let ports: Vec<u16> = ports.split_whitespace().map(|port| port.parse().unwrap()).collect();
        let all = everything(&mut records);
        let sends = python.own(&all, SockIoKind::Send);
        assert_eq!(sends.iter().map(|io| io.remote.port).collect::<Vec<_>>(), ports);
        assert_eq!(sends.iter().map(|io| io.seq.len()).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(sends[0].cookie, sends[1].cookie);
    });
}

/// More sockets than are remembered: all are known as long as the reader keeps up.
#[test]
fn what_is_forgotten_is_told_again() {
    if !is_root("what_is_forgotten_is_told_again") {
        return;
    }
    const SOCKETS: usize = 20;
    let mut records =
        load(&SocketRecordsConfig { identities: 3, ..SocketRecordsConfig::default() });
    let mut python = Python::start();
    python.run(&format!("pairs = [pair() for _ in range({SOCKETS})]"));
    let ports = python.run("print(*(c.getsockname()[1] for c, _ in pairs))");
    let ports: Vec<u16> = ports.split_whitespace().map(|port| port.parse().unwrap()).collect();
    everything(&mut records);
    records.drops();
    for round in 0..2 {
        for (i, port) in ports.iter().enumerate() {
            python.run(&format!("c, s = pairs[{i}]; c.send(b'x'); s.recv(1)"));
            let all = everything(&mut records);
            let [sent] = python.own(&all, SockIoKind::Send)[..] else {
                panic!("{round} {i}: {all:?}")
            };
            assert_eq!(sent.local.port, *port);
            let [received] = python.own(&all, SockIoKind::Receive)[..] else {
                panic!("{round} {i}: {all:?}")
            };
            assert_eq!(received.remote.port, *port);
        }
    }
}

/// Where the reader does not keep up, records are lost and counted, and those that are left are
/// right.
#[test]
fn what_is_forgotten_is_unknown_and_never_another() {
    if !is_root("what_is_forgotten_is_unknown_and_never_another") {
        return;
    }
    let mut records =
        load(&SocketRecordsConfig { identities: 2, ..SocketRecordsConfig::default() });
    let mut python = Python::start();
    python.run("pairs = [pair() for _ in range(50)]");
    everything(&mut records);
    records.drops();
    // The size of each send is that of its socket, so that a record of another one shows.
    let ports = python.run(
        "for i, (c, s) in enumerate(pairs + pairs): c.send(b'x' * (i % 50 + 1)); print(c.getsockname()[1])",
    );
    let ports: Vec<u16> = ports.split_whitespace().map(|port| port.parse().unwrap()).collect();
    let sizes: BTreeMap<u16, u32> = ports.iter().copied().zip(1..=50).collect();
    let all = everything(&mut records);
    let sends = python.own(&all, SockIoKind::Send);
    for io in &sends {
        assert_eq!(sizes[&io.local.port], io.seq.len(), "{io:?}");
    }
    assert!(records.drops() as usize + sends.len() >= 100);
    assert!(sends.len() >= 50, "each is told before its first record: {}", sends.len());
    assert!(sends.len() < 100, "a table of two generations of two knew all 50");
}

/// The first record of a socket may find the ring full: it is told later.
#[test]
fn what_was_lost_is_told_later() {
    if !is_root("what_was_lost_is_told_later") {
        return;
    }
    let mut records =
        load(&SocketRecordsConfig { ring_bytes: 4096, ..SocketRecordsConfig::default() });
    let mut python = Python::start();
    python.run("c, s = pair(); d, t = pair()");
    python.run("for _ in range(200): c.send(b'x')");
    python.run("threading.Thread(target=d.send, args=(b'lost',)).start(); time.sleep(0.1)");
    let all = everything(&mut records);
    assert!(!python.own(&all, SockIoKind::Send).iter().any(|io| io.seq.len() == 4));
    assert!(records.drops() >= 100);
    let port: u16 =
        python.run("d.send(b'found'); print(d.getsockname()[1])").trim().parse().unwrap();
    let all = everything(&mut records);
    let found = python.own(&all, SockIoKind::Send);
    let [found] = found[..] else { panic!("{found:?}") };
    assert_eq!((found.local.port, found.seq.len()), (port, 5));
}

/// A send begins before its bytes can be read, after what the thread did before, and not long
/// before it ends.
#[test]
fn a_send_has_a_beginning() {
    each_way("a_send_has_a_beginning", |config| {
        let mut records = load(&config);
        let mut python = Python::start();
        python.run("c, s = pair()");
        python.run(
            "threading.Thread(target=lambda: [(s.recv(10), time.sleep(0.02), s.send(b'r')) for _ in range(50)]).start()",
        );
        python.run("for _ in range(50): c.send(b'q'); time.sleep(0.01); c.recv(10)");
        let all = everything(&mut records);
        let (sends, receives) =
            (python.own(&all, SockIoKind::Send), python.own(&all, SockIoKind::Receive));
        assert_eq!((sends.len(), receives.len()), (100, 100));
        let (mut near, mut known) = (0, 0);
        for sent in &sends {
            let received = receives
                .iter()
                .find(|io| (io.local, io.seq) == (sent.remote, sent.seq))
                .expect("its receive");
            assert!(sent.enter <= sent.exit && sent.enter < received.exit, "{sent:?} {received:?}");
            let before = all
                .iter()
                .filter(|io| io.process.tid == sent.process.tid && io.exit < sent.exit)
                .map(|io| io.exit)
                .max();
            assert!(before.is_none_or(|before| before <= sent.enter), "{before:?} {sent:?}");
            near += usize::from(sent.exit.nanos_since(sent.enter) < 5_000_000);
            known += usize::from(sent.enter < sent.exit);
        }
        // Others may take the processor in the middle of a call.
        assert!(near >= 90, "{near} of 100 within 5 ms");
        assert!(known >= 90, "{known} of 100 before their end");
    });
}

/// Bytes that wait for more leave after the call: what the connection sent before is no beginning
/// of it.
#[test]
fn a_send_that_waits_begins_after_what_the_thread_did_before() {
    each_way("a_send_that_waits_begins_after_what_the_thread_did_before", |config| {
        let mut records = load(&config);
        let mut python = Python::start();
        python.run("c, s = pair(); d, t = pair(); c.send(b'a'); s.recv(1); d.send(b'b')");
        python.run("time.sleep(0.02); t.recv(1)");
        python.run("c.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1); c.send(b'waits')");
        let all = everything(&mut records);
        let sends = python.own(&all, SockIoKind::Send);
        let receives = python.own(&all, SockIoKind::Receive);
        let (Some(waits), Some(read)) = (sends.last(), receives.last()) else { panic!("{all:?}") };
        assert_eq!(waits.seq.len(), 5);
        assert!(read.exit <= waits.enter, "{read:?} {waits:?}");
    });
}
