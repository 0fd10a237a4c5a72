//! Connections of a real server in every encapsulation, alone, nested and in fragments: the flows
//! must be those of the plain capture, with the outer layers told, and those that `tshark` finds
//! inside.

mod common;
#[path = "encapsulations/frames.rs"]
mod frames;
#[path = "encapsulations/live.rs"]
mod live;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use capture::CaptureFile;
use common::skipped_without_root;
use frames::{
    ethernet, geneve, geneve_of, gtpu, ipv4, ipv6, over_ipv4, over_ipv4_in_fragments,
    over_ipv6_in_fragments, packet, tagged, udp, vxlan,
};
use live::{Pair, live};
use serde_json::Value;
use wire::TapId;

/// One end of a connection with its packets and bytes of payload; both ends make a flow.
type Sent = BTreeMap<String, (u64, u64)>;

/// Turns the Ethernet frame of a connection into frames that carry it; `up` is the direction.
type Wrap = fn(frame: &[u8], up: bool, number: u16) -> Vec<Vec<u8>>;

struct Case {
    name: &'static str,
    wrap: Wrap,
    /// `tunnels` of the flows: kind, and id where there is one.
    tunnels: &'static [(&'static str, Option<u64>)],
    vlans: &'static [u64],
}

const CASES: &[Case] = &[
    Case {
        name: "vxlan",
        wrap: |f, up, n| over_ipv4(17, up, n, &udp(4789, &vxlan(42, f))),
        tunnels: &[("vxlan", Some(42))],
        vlans: &[],
    },
    Case {
        name: "vxlan, older port, over IPv6",
        wrap: |f, up, _| vec![ethernet(0x86dd, &ipv6(17, up, &udp(8472, &vxlan(42, f))))],
        tunnels: &[("vxlan", Some(42))],
        vlans: &[],
    },
    Case {
        name: "vxlan in fragments",
        wrap: |f, up, n| over_ipv4_in_fragments(17, up, n, &udp(4789, &vxlan(42, f))),
        tunnels: &[("vxlan", Some(42))],
        vlans: &[],
    },
    Case {
        name: "vxlan in IPv6 fragments",
        wrap: |f, up, n| over_ipv6_in_fragments(17, up, n, &udp(4789, &vxlan(42, f))),
        tunnels: &[("vxlan", Some(42))],
        vlans: &[],
    },
    Case {
        name: "fragments in vxlan",
        wrap: |f, up, n| {
            let mut inner = Vec::new();
            let content = &packet(f)[20..];
            for (i, part) in content.chunks(24).enumerate() {
                let mut head = packet(f)[..20].to_vec();
                head[2..4].copy_from_slice(&((20 + part.len()) as u16).to_be_bytes());
                let more = if (i + 1) * 24 < content.len() { 0x2000 } else { 0 };
                head[4..6].copy_from_slice(&n.to_be_bytes());
                head[6..8].copy_from_slice(&(more | (i * 3) as u16).to_be_bytes());
                let frame = ethernet(0x0800, &[&head, part].concat());
                inner.extend(over_ipv4(17, up, n, &udp(4789, &vxlan(42, &frame))));
            }
            inner
        },
        tunnels: &[("vxlan", Some(42))],
        vlans: &[],
    },
    Case {
        name: "geneve with options",
        wrap: |f, up, n| over_ipv4(17, up, n, &udp(6081, &geneve(f))),
        tunnels: &[("geneve", Some(9))],
        vlans: &[],
    },
    Case {
        name: "gre",
        wrap: |f, up, n| over_ipv4(47, up, n, &[&[0, 0, 8, 0], packet(f)].concat()),
        tunnels: &[("gre", None)],
        vlans: &[],
    },
    Case {
        name: "gre with a key for each direction, and a sequence number",
        wrap: |f, up, n| {
            over_ipv4(
                47,
                up,
                n,
                &[&[0x30, 0, 8, 0, 0, 0, 0, u8::from(up), 0, 0, 0, 1], packet(f)].concat(),
            )
        },
        tunnels: &[("gre", Some(1))],
        vlans: &[],
    },
    Case {
        name: "nvgre",
        wrap: |f, up, n| over_ipv4(47, up, n, &[&[0x20, 0, 0x65, 0x58, 0, 0x10, 1, 7], f].concat()),
        tunnels: &[("nvgre", Some(4097))],
        vlans: &[],
    },
    Case {
        name: "erspan II",
        wrap: |f, up, n| {
            let head = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 9, 0, 0, 0, 0];
            over_ipv4(47, up, n, &[&head, f].concat())
        },
        tunnels: &[("erspan", Some(9))],
        vlans: &[],
    },
    Case {
        name: "erspan III",
        wrap: |f, up, n| {
            let head = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0];
            over_ipv4(47, up, n, &[&head, f].concat())
        },
        tunnels: &[("erspan", Some(9))],
        vlans: &[],
    },
    Case {
        name: "IPv4 in IPv4",
        wrap: |f, up, n| over_ipv4(4, up, n, packet(f)),
        tunnels: &[("ipip", None)],
        vlans: &[],
    },
    Case {
        name: "IPv4 in IPv6",
        wrap: |f, up, _| vec![ethernet(0x86dd, &ipv6(4, up, packet(f)))],
        tunnels: &[("ipip", None)],
        vlans: &[],
    },
    Case {
        name: "gtp-u",
        wrap: |f, up, n| over_ipv4(17, up, n, &udp(2152, &gtpu(false, packet(f)))),
        tunnels: &[("gtpu", Some(257))],
        vlans: &[],
    },
    Case {
        name: "gtp-u with an extension header",
        wrap: |f, up, n| over_ipv4(17, up, n, &udp(2152, &gtpu(true, packet(f)))),
        tunnels: &[("gtpu", Some(257))],
        vlans: &[],
    },
    Case {
        name: "mpls",
        wrap: |f, _, _| vec![ethernet(0x8847, &[&[0, 1, 0, 64, 0, 2, 1, 64], packet(f)].concat())],
        tunnels: &[("mpls", Some(32))],
        vlans: &[],
    },
    Case {
        name: "pppoe",
        wrap: |f, _, _| {
            let len = (packet(f).len() as u16 + 2).to_be_bytes();
            vec![ethernet(0x8864, &[&[0x11, 0, 0, 5, len[0], len[1], 0, 0x21], packet(f)].concat())]
        },
        tunnels: &[("pppoe", Some(5))],
        vlans: &[],
    },
    Case {
        name: "QinQ",
        wrap: |f, _, _| {
            vec![ethernet(0x88a8, &[&[0, 100, 0x81, 0, 0, 200, 8, 0], packet(f)].concat())]
        },
        tunnels: &[],
        vlans: &[100, 200],
    },
    Case {
        name: "vxlan with reserved bits set",
        wrap: |f, up, n| {
            let head = [0x08, 0, 0, 0, 0, 0, 42, 1];
            over_ipv4(17, up, n, &udp(4789, &[&head, f].concat()))
        },
        tunnels: &[("vxlan", Some(42))],
        vlans: &[],
    },
    Case {
        name: "vxlan-gpe with IPv4",
        wrap: |f, up, n| {
            let head = [0x0c, 0, 0, 1, 0, 0, 42, 0];
            over_ipv4(17, up, n, &udp(4790, &[&head, packet(f)].concat()))
        },
        tunnels: &[("vxlan_gpe", Some(42))],
        vlans: &[],
    },
    Case {
        name: "vxlan-gpe with a service header",
        wrap: |f, up, n| {
            let head = [0x0c, 0, 0, 4, 0, 0, 42, 0, 0x0f, 0xc2, 2, 3, 0, 0, 1, 255];
            over_ipv4(17, up, n, &udp(4790, &[&head, f].concat()))
        },
        tunnels: &[("vxlan_gpe", Some(42))],
        vlans: &[],
    },
    Case {
        name: "VN-Tag",
        wrap: |f, _, _| vec![ethernet(0x8926, &[&[0x80, 1, 0, 2, 8, 0], packet(f)].concat())],
        tunnels: &[],
        vlans: &[],
    },
    Case {
        name: "802.1BR and a VLAN",
        wrap: |f, _, _| {
            let head = [0xe0, 1, 0x10, 2, 0, 0, 0x81, 0, 0, 100, 8, 0];
            vec![ethernet(0x893f, &[&head, packet(f)].concat())]
        },
        tunnels: &[],
        vlans: &[100],
    },
    Case {
        name: "Cisco metadata",
        wrap: |f, _, _| vec![ethernet(0x8909, &[&[1, 1, 0, 1, 0, 7, 8, 0], packet(f)].concat())],
        tunnels: &[],
        vlans: &[],
    },
    Case {
        name: "FabricPath",
        // With a check sequence, which tshark takes the last four bytes for.
        wrap: |f, _, _| vec![ethernet(0x8903, &[&[0, 0x40], f, &[0; 4]].concat())],
        tunnels: &[],
        vlans: &[],
    },
    Case {
        name: "provider backbone bridges",
        wrap: |f, _, _| vec![ethernet(0x88e7, &[&[0, 0, 1, 1], f].concat())],
        tunnels: &[],
        vlans: &[],
    },
    Case {
        name: "TRILL",
        wrap: |f, _, _| vec![ethernet(0x22f3, &[&[0, 0x3f, 0, 1, 0, 2], f].concat())],
        tunnels: &[],
        vlans: &[],
    },
    Case {
        name: "MACsec that only signs",
        wrap: |f, _, _| {
            let head = [0x20, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 1, 8, 0];
            vec![ethernet(0x88e5, &[&head, packet(f), &[0x5a; 16]].concat())]
        },
        tunnels: &[],
        vlans: &[],
    },
    Case {
        name: "HSR",
        wrap: |f, _, number| {
            let [high, low] = number.to_be_bytes();
            vec![ethernet(0x892f, &[&[0, 60, high, low, 8, 0], packet(f)].concat())]
        },
        tunnels: &[],
        vlans: &[],
    },
    Case {
        name: "vxlan, ids by direction",
        wrap: |f, up, n| over_ipv4(17, up, n, &udp(4789, &vxlan(if up { 41 } else { 42 }, f))),
        tunnels: &[("vxlan", Some(41)), ("vxlan", Some(42))],
        vlans: &[],
    },
    Case {
        name: "geneve, ids by direction",
        wrap: |f, up, n| over_ipv4(17, up, n, &udp(6081, &geneve_of(if up { 19 } else { 18 }, f))),
        tunnels: &[("geneve", Some(19)), ("geneve", Some(18))],
        vlans: &[],
    },
    Case {
        name: "VLAN on one direction",
        wrap: |f, up, _| vec![if up { tagged(10, f) } else { f.to_vec() }],
        tunnels: &[],
        vlans: &[10],
    },
    Case {
        name: "geneve in gre in vxlan",
        wrap: |f, up, n| {
            let inner = ipv4(17, up, n, 0, &udp(6081, &geneve(f)));
            let middle =
                ethernet(0x0800, &ipv4(47, up, n, 0, &[&[0, 0, 8, 0], &inner[..]].concat()));
            over_ipv4(17, up, n, &udp(4789, &vxlan(42, &middle)))
        },
        tunnels: &[("vxlan", Some(42)), ("gre", None), ("geneve", Some(9))],
        vlans: &[],
    },
];

/// Ethernet frames of plain IPv4 that the project recorded.
fn recorded() -> Vec<(u64, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/http-clean/capture.pcap.gz");
    let mut file =
        CaptureFile::open(&path, Box::new(|_| TapId(0))).expect("recorded by the project");
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = file.next_frame() {
        // Those that are larger than a packet, from segmentation offload, have no room for outer
        // headers.
        if frame.bytes[12..15] == [8, 0, 0x45] && frame.bytes[23] == 6 {
            frames.push((frame.time.as_nanos(), frame.bytes.to_vec()));
        }
    }
    frames
}

fn write(path: &Path, frames: impl Iterator<Item = (u64, Vec<u8>)>) {
    let mut content = Vec::new();
    for word in [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 262_144, 1] {
        content.extend(word.to_le_bytes());
    }
    for (time, bytes) in frames {
        let len = bytes.len() as u32;
        for word in [(time / 1_000_000_000) as u32, (time % 1_000_000_000) as u32, len, len] {
            content.extend(word.to_le_bytes());
        }
        content.extend(bytes);
    }
    std::fs::write(path, content).expect("a temporary file");
}

fn replay(path: &Path, threads: &str) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_wirespan"))
        .args(["replay", "-q", "--output", "jsonl", "--emit", "flows", "--threads", threads])
        .arg(path)
        .output()
        .expect("wirespan starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("records are UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect()
}

fn end(who: &Value) -> String {
    format!("{}:{}", who["address"].as_str().expect("an address"), who["port"])
}

fn sent_by_records(flows: &[Value]) -> Sent {
    let mut sent = Sent::new();
    for flow in flows.iter().filter(|flow| flow["protocol"] == "tcp") {
        let (client, server) = (end(&flow["client"]), end(&flow["server"]));
        for (direction, key) in [
            ("to_server", format!("{client} {server}")),
            ("to_client", format!("{server} {client}")),
        ] {
            let figure = |name: &str| flow[direction][name].as_u64().unwrap_or(0);
            let entry = (figure("packets"), figure("payload_bytes"));
            assert_eq!(sent.insert(key.clone(), entry), None, "one flow is told once: {key}");
        }
    }
    sent
}

/// The same by `tshark`, which names the innermost addresses last.
fn sent_by_tshark(path: &Path) -> Sent {
    let fields = ["ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "tcp.len"];
    let output = Command::new("tshark")
        .args([
            "-d",
            "udp.port==8472,vxlan",
            "-Y",
            "tcp",
            "-T",
            "fields",
            "-E",
            "occurrence=l",
            "-r",
        ])
        .arg(path)
        .args(fields.iter().flat_map(|field| ["-e", field]))
        .output()
        .expect("tshark starts");
    let mut sent = Sent::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let [source, source_port, destination, destination_port, len] =
            line.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("five fields: {line}")
        };
        let key = format!("{source}:{source_port} {destination}:{destination_port}");
        let entry = sent.entry(key).or_default();
        entry.0 += 1;
        entry.1 += len.parse::<u64>().expect("a length");
    }
    sent
}

fn wrapped(case: &Case, plain: &[(u64, Vec<u8>)], folder: &Path) -> PathBuf {
    let path = folder.join(format!("{}.pcap", case.name));
    let frames = plain.iter().zip(1..).flat_map(|((time, frame), number)| {
        let up = frame[26..30] < frame[30..34];
        (case.wrap)(frame, up, number).into_iter().map(|bytes| (*time, bytes))
    });
    write(&path, frames);
    path
}

#[test]
fn connections_inside_are_those_of_the_plain_capture() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut plain = recorded();
    plain.retain(|(_, frame)| frame.len() < 60_000);
    let path = folder.path().join("plain.pcap");
    write(&path, plain.iter().cloned());
    let expected = sent_by_records(&replay(&path, "1"));
    assert!(expected.len() > 10, "{expected:?}");
    let tshark = Command::new("tshark").arg("--version").output().is_ok();
    if !tshark {
        eprintln!("skipped in part: needs tshark");
    }
    for case in CASES {
        let path = wrapped(case, &plain, folder.path());
        let flows = replay(&path, "1");
        assert_eq!(flows, replay(&path, "3"), "{}, one thread and three", case.name);
        assert_eq!(sent_by_records(&flows), expected, "{}", case.name);
        for flow in &flows {
            let tunnels: Vec<_> = flow["tunnels"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|tunnel| (tunnel["kind"].as_str().expect("a kind"), tunnel["id"].as_u64()))
                .collect();
            assert_eq!(tunnels, case.tunnels, "{}", case.name);
            assert_eq!(flow["vlans"], Value::from(case.vlans), "{}", case.name);
        }
        if tshark {
            assert_eq!(sent_by_tshark(&path), expected, "{}, as tshark sees it", case.name);
        }
    }
}

/// The underlay of Cilium and of OVN, and a mirror that tags one direction: connections are whole
/// and requests have their responses, live with several shards as in a replay.
#[test]
fn what_differs_by_direction_splits_nothing_live() {
    if skipped_without_root("what_differs_by_direction_splits_nothing_live") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut plain = recorded();
    plain.retain(|(_, frame)| frame.len() < 8_900);
    let path = folder.path().join("plain.pcap");
    write(&path, plain.iter().cloned());
    let expected = sent_by_records(&replay(&path, "1"));
    let by_direction =
        |case: &&Case| case.name.ends_with("by direction") || case.name == "VLAN on one direction";
    for (backend, name) in [("af_packet", "a"), ("xdp", "x")] {
        for case in CASES.iter().filter(by_direction) {
            let pair = Pair::new(name);
            let records = live(&pair, backend, &wrapped(case, &plain, folder.path()));
            let of = |kind: &str| records.iter().filter(|r| r["type"] == kind).cloned().collect();
            let (flows, spans): (Vec<Value>, Vec<Value>) = (of("flow"), of("span"));
            let place = format!("{} by {backend}", case.name);
            assert_eq!(sent_by_records(&flows), expected, "{place}");
            let answered =
                spans.iter().filter(|s| !s["request"].is_null() && !s["response"].is_null());
            assert!(!spans.is_empty() && answered.count() == spans.len(), "{place}");
            for flow in &flows {
                assert_eq!(flow["tunnels"].as_array().map(Vec::len), Some(case.tunnels.len()));
                assert_eq!(flow["vlans"], Value::from(case.vlans), "{place}");
                assert_eq!(flow["handshake"]["complete"], true, "{place}");
            }
        }
    }
}

#[test]
fn wireguard_is_known_and_opaque() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("wireguard.pcap");
    let mut message = vec![4, 0, 0, 0];
    message.resize(96, 0x5a);
    let frames =
        (0..10).map(|i| (i * 1000, over_ipv4(17, i % 2 == 0, 1, &udp(51820, &message)).remove(0)));
    write(&path, frames);
    let output = Command::new(env!("CARGO_BIN_EXE_wirespan"))
        .args(["replay", "-q", "--output", "jsonl", "--emit", "flows,summary"])
        .arg(&path)
        .output()
        .expect("wirespan starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let records: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(records.len(), 1, "{text}");
    assert_eq!(records[0]["undecoded"]["opaque"], 10);
}
