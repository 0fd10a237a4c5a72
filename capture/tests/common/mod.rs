//! Network namespaces of their own for tests.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stderr)]

use std::fs::File;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use capture::interfaces::{Interface, Selector, Watch};
use capture::{Ring, Taps};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use wire::{Batch, Source, TapId, VlanTag};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A network namespace that goes away with the value.
pub(crate) struct Netns(pub(crate) String);

impl Netns {
    /// A new namespace with loopback up; none, with a line that says so, without the rights.
    pub(crate) fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: needs root (network namespaces)");
            return None;
        }
        let name =
            format!("wscap{}n{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        run(&format!("ip netns add {name}"));
        let netns = Self(name);
        netns.ip("link set lo up");
        Some(netns)
    }

    /// Runs `ip ARGUMENTS` in it.
    pub(crate) fn ip(&self, arguments: &str) -> String {
        run(&format!("ip -n {} {arguments}", self.0))
    }

    /// Runs `work` on a thread that is in it.
    pub(crate) fn exec<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let file = File::open(format!("/run/netns/{}", self.0)).unwrap();
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                work()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Starts a program in it.
    pub(crate) fn spawn(&self, program: &str, arguments: &[&str]) -> Child {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Packets that an interface received and sent, by its own counters.
    pub(crate) fn packets(&self, interface: &str) -> u64 {
        let shown: serde_json::Value =
            serde_json::from_str(&self.ip(&format!("-j -s link show dev {interface}"))).unwrap();
        let stats = &shown[0]["stats64"];
        stats["rx"]["packets"].as_u64().unwrap() + stats["tx"]["packets"].as_u64().unwrap()
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// Two namespaces joined by a veth pair `a0` (10.9.0.1) – `b0` (10.9.0.2), without IPv6, which
/// would talk on its own.
pub(crate) fn pair() -> Option<(Netns, Netns)> {
    let (a, b) = (Netns::new()?, Netns::new()?);
    a.ip(&format!("link add a0 type veth peer name b0 netns {}", b.0));
    for (netns, interface, address) in [(&a, "a0", "10.9.0.1/24"), (&b, "b0", "10.9.0.2/24")] {
        netns.ip(&format!("link set {interface} addrgenmode none"));
        netns.ip(&format!("addr add {address} dev {interface}"));
        netns.ip(&format!("link set {interface} up"));
    }
    Some((a, b))
}

fn run(command: &str) -> String {
    let mut words = command.split(' ');
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A table of taps of the namespace that the thread is in, and the names of the taps by their ids.
pub(crate) fn taps(patterns: &[&str]) -> (Arc<Taps>, Watch, Arc<Mutex<Vec<String>>>) {
    let names = Arc::new(Mutex::new(Vec::new()));
    let watch = Watch::open().unwrap();
    let shared = Arc::clone(&names);
    let name = move |interface: &Interface| {
        let mut names = shared.lock().unwrap();
        names.push(interface.name.clone());
        TapId(names.len() as u32 - 1)
    };
    let taps = Taps::new(Selector::new(patterns).unwrap(), watch.interfaces(), Box::new(name));
    (Arc::new(taps), watch, names)
}

/// What a test keeps of a frame.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) tap: TapId,
    pub(crate) time: u64,
    pub(crate) wire_len: u32,
    pub(crate) vlan: Option<VlanTag>,
    pub(crate) bytes: Vec<u8>,
}

impl Seen {
    /// UDP or TCP ports of an IPv4 frame without options, smaller first.
    pub(crate) fn ports(&self) -> Option<(u16, u16)> {
        if self.bytes.get(12..14)? != [8, 0] {
            return None;
        }
        let port = |at| Some(u16::from_be_bytes(*self.bytes.get(at..)?.first_chunk()?));
        let (a, b) = (port(34)?, port(36)?);
        Some((a.min(b), a.max(b)))
    }
}

/// Everything that the ring has, until nothing comes any more.
pub(crate) fn drain(ring: &mut Ring) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut idle = 0;
    while idle < 2 {
        let batch = ring.next_batch(Duration::from_millis(100), &mut |frame| {
            seen.push(Seen {
                tap: frame.tap,
                time: frame.time.as_nanos(),
                wire_len: frame.wire_len,
                vlan: frame.vlan,
                bytes: frame.bytes.to_vec(),
            });
        });
        match batch.unwrap() {
            Batch::Idle => idle += 1,
            Batch::Frames(_) => idle = 0,
            Batch::End => panic!("a ring does not end"),
        }
    }
    seen
}
