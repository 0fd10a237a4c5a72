//! Real traffic over a veth pair, as the tap sees it, as the interface counts it, and as tcpdump
//! sees it.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may")]

mod common;
#[path = "common/namespaces.rs"]
mod namespaces;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{is_root, run};
use namespaces::Pair;
use rustix::process::{Pid, Signal, kill_process};
use wire::{Drops, LinkType, Source, TapId};
use xdp::{FrameTap, FrameTapConfig, Ingress};

const TRAFFIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/net.py");
const BULK: usize = 3_000_000;

/// A process that says on stdout or stderr when it is ready.
fn start(mut command: Command, ready: &str) -> Child {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let read = |stream: Box<dyn std::io::Read>| {
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    };
    let mut text = String::new();
    if ready == "ready" {
        text = read(Box::new(child.stdout.take().unwrap()));
    } else {
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        while !text.contains(ready) && lines.read_line(&mut text).unwrap() > 0 {}
        // Keep the pipe, or the process dies of it when it ends.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    }
    assert!(text.contains(ready), "{text}");
    child
}

#[derive(Debug)]
struct Seen {
    wire_len: usize,
    bytes: Vec<u8>,
}

fn drain(tap: &mut FrameTap, seen: &mut Vec<Seen>) {
    while tap
        .next_batch(Duration::from_millis(30), &mut |frame| {
            assert_eq!((frame.tap, frame.link_type), (TapId(7), LinkType::Ethernet));
            seen.push(Seen { wire_len: frame.wire_len as usize, bytes: frame.bytes.to_vec() });
        })
        .unwrap()
        != wire::Batch::Idle
    {}
}

/// The frames of a classic pcap file.
fn pcap(path: &Path) -> Vec<Vec<u8>> {
    let file = std::fs::read(path).unwrap();
    let mut rest = &file[24..];
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let len = u32::from_ne_bytes(rest[8..12].try_into().unwrap()) as usize;
        frames.push(rest[16..16 + len].to_vec());
        rest = &rest[16 + len..];
    }
    frames
}

fn is_tcp(frame: &[u8]) -> bool {
    frame[12..14] == [8, 0] && frame[23] == 6
}

/// Everything but TCP, each distinct frame with how often it was seen: TCP is merged and cut on its
/// way.
fn others<'f>(frames: impl Iterator<Item = &'f [u8]>) -> BTreeMap<Vec<u8>, usize> {
    let mut count = BTreeMap::new();
    for frame in frames.filter(|f| !is_tcp(f)) {
        *count.entry(frame.to_vec()).or_default() += 1;
    }
    count
}

/// TCP payload of one direction: distinct bytes by sequence number.
fn stream_len<'f>(frames: impl Iterator<Item = &'f [u8]>, source: u8) -> usize {
    let mut ranges = Vec::new();
    let mut base = None;
    for frame in frames.filter(|f| is_tcp(f) && f[29] == source) {
        let total = usize::from(u16::from_be_bytes([frame[16], frame[17]]));
        let tcp = &frame[34..14 + total];
        let payload = tcp.len() - usize::from(tcp[12] >> 4) * 4;
        let seq = u32::from_be_bytes(tcp[4..8].try_into().unwrap());
        let base = *base.get_or_insert(seq);
        ranges.push((seq.wrapping_sub(base) as usize, payload));
    }
    ranges.sort_unstable();
    let (mut end, mut len) = (0, 0);
    for (start, payload) in ranges {
        let new = (start + payload).saturating_sub(start.max(end));
        len += new;
        end = end.max(start + payload);
    }
    len
}

fn one_mode(ingress: Ingress, name: &str) {
    let pair = Pair::new(name);
    pair.enter();
    let directory = std::env::temp_dir().join(&pair.near);
    std::fs::create_dir(&directory).unwrap();
    let file = directory.join("tcpdump.pcap");

    let mut tap = FrameTap::load(&FrameTapConfig { ingress, ..FrameTapConfig::default() }).unwrap();
    assert_eq!(tap.attach(pair.ifindex(), TapId(7), LinkType::Ethernet).unwrap(), ingress);
    let mut dump = pair.within(&pair.near, "tcpdump");
    dump.args(["-i", "near0", "-U", "-s", "0", "-B", "65536", "-Z", "root", "-w"]).arg(&file);
    let mut dump = start(dump, "listening on");
    let mut server = pair.within(&pair.near, "python3");
    server.args([TRAFFIC, "serve"]);
    let mut server = start(server, "ready");

    let before = pair.counted();
    let mut seen = Vec::new();
    drain(&mut tap, &mut seen);
    seen.clear();
    let mut client =
        pair.within(&pair.far, "python3").args([TRAFFIC, "call", "10.9.0.1"]).spawn().unwrap();
    while client.try_wait().unwrap().is_none() {
        drain(&mut tap, &mut seen);
    }
    assert!(client.wait().unwrap().success());
    assert!(server.wait().unwrap().success());
    drain(&mut tap, &mut seen);
    let counted = pair.counted() - before;
    assert_eq!(tap.drops(), Drops::default(), "{ingress:?}");
    // tcpdump reads a second behind, more when the machine is busy; it has written all when its
    // file stops growing.
    let mut written = 0;
    while written < std::fs::metadata(&file).unwrap().len() {
        written = std::fs::metadata(&file).unwrap().len();
        let _idle = tap.next_batch(Duration::from_millis(1500), &mut |_| {}).unwrap();
    }
    kill_process(Pid::from_child(&dump), Signal::TERM).unwrap();
    dump.wait().unwrap();
    let dumped = pcap(&file);
    std::fs::remove_dir_all(&directory).unwrap();

    for frame in &seen {
        assert_eq!(frame.wire_len, frame.bytes.len(), "whole frames");
        if frame.bytes[12..14] == [8, 0] {
            let total = usize::from(u16::from_be_bytes([frame.bytes[16], frame.bytes[17]]));
            assert_eq!(total + 14, frame.bytes.len(), "{ingress:?}: IPv4 total length");
        }
    }
    let longest = seen.iter().map(|f| f.bytes.len()).max().unwrap();
    eprintln!(
        "{ingress:?}: {} frames seen, {counted} counted, {} dumped, longest {longest}",
        seen.len(),
        dumped.len()
    );
    let bytes = || seen.iter().map(|f| f.bytes.as_slice());
    assert_eq!(others(bytes()), others(dumped.iter().map(Vec::as_slice)), "{ingress:?}");
    for source in [1, 2] {
        assert_eq!(stream_len(bytes(), source), BULK, "{ingress:?} from 10.9.0.{source}");
        assert_eq!(
            stream_len(dumped.iter().map(Vec::as_slice), source),
            BULK,
            "{ingress:?} from 10.9.0.{source}"
        );
    }
    assert_eq!(seen.len() as u64, counted, "{ingress:?}: every frame once");

    assert!(tap.detach(pair.ifindex()));
    let link = pair.link();
    assert!(link["xdp"].is_null() || link["xdp"]["mode"] == 0, "{link}");
    let filters =
        run(pair.within(&pair.near, "bpftool").args(["-j", "net", "show", "dev", "near0"]));
    assert!(!String::from_utf8_lossy(&filters.stdout).contains("tc_egress"), "{filters:?}");
}

#[test]
fn native_xdp_sees_every_frame_once() {
    if is_root("native_xdp_sees_every_frame_once") {
        one_mode(Ingress::Native, "n");
    }
}

#[test]
fn generic_xdp_sees_every_frame_once() {
    if is_root("generic_xdp_sees_every_frame_once") {
        one_mode(Ingress::Generic, "g");
    }
}

#[test]
fn tcx_sees_every_frame_once() {
    if is_root("tcx_sees_every_frame_once") {
        one_mode(Ingress::Tcx, "t");
    }
}

/// A frame with an 802.1Q tag is sent to the interface: is the tag seen beside the frame, or in it?
fn tagged(ingress: Ingress, name: &str) -> (bool, bool) {
    let pair = Pair::new(name);
    pair.enter();
    let mut tap = FrameTap::load(&FrameTapConfig { ingress, ..FrameTapConfig::default() }).unwrap();
    tap.attach(pair.ifindex(), TapId(7), LinkType::Ethernet).unwrap();
    let script = "import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('far0', 0))
s.send(b'\\xff' * 6 + b'\\x02' * 6 + bytes.fromhex('8100 2005 0800') + b'tagged' * 9)
";
    run(pair.within(&pair.far, "python3").args(["-c", script]));
    let mut found = Vec::new();
    while tap
        .next_batch(Duration::from_millis(50), &mut |frame| {
            if frame.bytes.ends_with(b"tagged") {
                let beside = frame
                    .vlan
                    .is_some_and(|tag| (tag.tpid, tag.tci, tag.id()) == (0x8100, 0x2005, 5));
                found.push((beside, frame.bytes[12..16] == [0x81, 0, 0x20, 5]));
            }
        })
        .unwrap()
        != wire::Batch::Idle
    {}
    assert_eq!(found.len(), 1, "{ingress:?}");
    found[0]
}

#[test]
fn vlan_tags_are_kept() {
    if is_root("vlan_tags_are_kept") {
        assert_eq!(tagged(Ingress::Tcx, "vt"), (true, false));
        assert_eq!(tagged(Ingress::Generic, "vg"), (false, true));
        assert_eq!(tagged(Ingress::Native, "vn"), (false, true));
    }
}

#[test]
fn loss_is_counted_and_interfaces_come_and_go() {
    if !is_root("loss_is_counted_and_interfaces_come_and_go") {
        return;
    }
    let pair = Pair::new("l");
    pair.enter();
    let config = FrameTapConfig { ring_bytes: 4096, snap_len: 60, ..FrameTapConfig::default() };
    let mut tap = FrameTap::load(&config).unwrap();
    tap.attach(pair.ifindex(), TapId(1), LinkType::Ethernet).unwrap();
    let script = "import socket
s = socket.socket(type=socket.SOCK_DGRAM)
for i in range(60): s.sendto(b'x' * 100, ('10.9.0.1', 9))
";
    run(pair.within(&pair.far, "python3").args(["-c", script]));
    let mut seen = 0;
    tap.next_batch(Duration::ZERO, &mut |frame| {
        assert!(frame.bytes.len() <= 60 && frame.wire_len >= 42);
        seen += 1;
    })
    .unwrap();
    let drops = tap.drops();
    assert!((10..=15).contains(&seen), "{seen} records of 264 bytes in 4,096");
    assert!(drops.kernel + seen >= 60, "{seen} {drops:?}");

    let ifindex = pair.ifindex();
    pair.ip(&pair.near, "link delete near0");
    assert!(tap.attach(ifindex, TapId(1), LinkType::Ethernet).is_err());
    assert!(!tap.detach(ifindex));
    pair.ip(&pair.near, &format!("link add near0 type veth peer name far0 netns {}", pair.far));
    tap.attach(pair.ifindex(), TapId(2), LinkType::Ethernet).unwrap();
    drop(tap);
    let link = pair.link();
    assert!(link["xdp"].is_null(), "{link}");
}
