//! Packet rings on real interfaces.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::time::Duration;

use capture::{CaptureWriter, Ring, RingConfig};
use common::{Netns, drain, pair, taps};
use wire::{Batch, LinkType, RawFrame, Source, TapId, Timestamp, VlanTag};

fn config() -> RingConfig {
    RingConfig { block_size: 256 << 10, blocks: 16, ..RingConfig::default() }
}

/// An Ethernet frame: UDP from 10.9.9.1:7001 to 10.9.9.2:7000, with 18 bytes.
const UDP: [u8; 60] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 0, // Ethernet
    0x45, 0, 0, 46, 0, 1, 0, 0, 64, 17, 0x52, 0xb7, 10, 9, 9, 1, 10, 9, 9, 2, // IPv4
    0x1b, 0x59, 0x1b, 0x58, 0, 26, 0, 0, // UDP
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
];

/// Sends `count` datagrams of `size` bytes, each to the address given.
fn send(from: &str, to: &str, count: usize, size: usize) {
    let socket = UdpSocket::bind(from).unwrap();
    let payload = vec![0x5a; size];
    for _ in 0..count {
        // Refusals of earlier datagrams come back as errors.
        let _ = socket.send_to(&payload, to);
    }
}

#[test]
fn what_the_interface_counts_is_what_the_ring_gives() {
    let Some((a, b)) = pair() else { return };
    let (frames, taps_seen, drops) = a.exec(|| {
        let (taps, _watch, names) = taps(&["a0"]);
        let mut rings = Ring::open(&config(), 1, &taps).unwrap();
        let _open = b.exec(|| UdpSocket::bind("10.9.0.2:7000").unwrap());
        send("10.9.0.1:0", "10.9.0.2:7000", 5000, 100);
        let seen = drain(&mut rings[0]);
        assert!(seen.iter().all(|s| s.bytes.len() == s.wire_len as usize));
        assert!(seen.windows(2).all(|w| w[0].time <= w[1].time), "frames of a shard are in order");
        (seen.len() as u64, names.lock().unwrap().clone(), rings[0].drops())
    });
    assert_eq!(taps_seen, ["a0"]);
    assert!(frames >= 5000);
    assert_eq!(frames + drops.kernel, a.packets("a0"));
}

#[test]
fn loopback_shows_each_frame_once() {
    let Some(a) = Netns::new() else { return };
    a.exec(|| {
        let (taps, _watch, _) = taps(&["lo"]);
        let mut rings = Ring::open(&RingConfig::default(), 1, &taps).unwrap();
        let _open = UdpSocket::bind("127.0.0.1:7000").unwrap();
        send("127.0.0.1:7001", "127.0.0.1:7000", 100, 60_000);
        let seen = drain(&mut rings[0]);
        assert_eq!(seen.len(), 100);
        assert!(seen.iter().all(|s| s.bytes.len() == 60_000 + 42), "frames are whole");
    });
}

#[test]
fn loopback_and_other_interfaces_are_not_seen_unless_selected() {
    let Some((a, _b)) = pair() else { return };
    a.exec(|| {
        let (taps, _watch, names) = taps(&[]);
        let mut rings = Ring::open(&config(), 1, &taps).unwrap();
        send("127.0.0.1:0", "127.0.0.1:7000", 50, 10);
        assert_eq!(drain(&mut rings[0]).len(), 0);
        rings[0].drops();
        assert_eq!(rings[0].received(), 0, "the kernel rejects them");
        assert_eq!(*names.lock().unwrap(), ["a0"]);
    });
}

#[test]
fn the_vlan_tag_comes_from_the_ring() {
    let Some((a, b)) = pair() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tagged.pcapng");
    let tag = VlanTag { tpid: 0x8100, tci: 0x604d };
    let mut writer = CaptureWriter::new(&file).unwrap();
    let frame = RawFrame {
        time: Timestamp::from_nanos(1),
        tap: TapId(0),
        link_type: LinkType::Ethernet,
        wire_len: UDP.len() as u32,
        vlan: Some(tag),
        bytes: &UDP,
    };
    for _ in 0..10 {
        writer.write(&frame, "b0").unwrap();
    }
    writer.finish().unwrap();
    for filter in [None, Some("vlan 77 and udp"), Some("vlan 78"), Some("udp port 7000")] {
        let config = RingConfig { filter: filter.map(str::to_owned), ..config() };
        let seen = a.exec(|| {
            let (taps, _watch, _) = taps(&["a0"]);
            let mut rings = Ring::open(&config, 1, &taps).unwrap();
            let replay = b.spawn("tcpreplay", &["-q", "-t", "-i", "b0", file.to_str().unwrap()]);
            let output = replay.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            drain(&mut rings[0])
        });
        let expected = if filter == Some("vlan 78") { 0 } else { 10 };
        assert_eq!(seen.len(), expected, "{filter:?}");
        assert!(seen.iter().all(|s| s.vlan == Some(tag) && s.bytes == UDP), "{seen:?}");
    }
}

#[test]
fn a_connection_stays_on_one_shard() {
    let Some((a, b)) = pair() else { return };
    a.exec(|| {
        let (taps, _watch, _) = taps(&["a0"]);
        let mut rings = Ring::open(&config(), 2, &taps).unwrap();
        let echo = b.exec(|| UdpSocket::bind("10.9.0.2:7000").unwrap());
        for port in 8000..8040 {
            let client = UdpSocket::bind(("10.9.0.1", port)).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            for _ in 0..5 {
                client.send_to(b"ping", "10.9.0.2:7000").unwrap();
                let (len, from) = echo.recv_from(&mut [0; 64]).unwrap();
                assert_eq!(len, 4);
                echo.send_to(b"pong", from).unwrap();
                client.recv_from(&mut [0; 64]).unwrap();
            }
        }
        let mut shards = HashMap::<(u16, u16), Vec<usize>>::new();
        for (shard, ring) in rings.iter_mut().enumerate() {
            for ports in drain(ring).iter().filter_map(|s| s.ports()) {
                shards.entry(ports).or_default().push(shard);
            }
        }
        assert_eq!(shards.len(), 40);
        assert!(
            shards.values().all(|s| s.len() == 10),
            "each frame comes to one shard: {shards:?}"
        );
        assert!(shards.values().all(|s| s.windows(2).all(|w| w[0] == w[1])), "{shards:?}");
        let used = |n| shards.values().filter(|s| s[0] == n).count();
        assert!(used(0) > 3 && used(1) > 3, "both shards are used: {} and {}", used(0), used(1));
    });
}

#[test]
fn the_filter_is_applied_in_the_kernel() {
    let Some((a, _b)) = pair() else { return };
    a.exec(|| {
        let (taps, _watch, _) = taps(&["a0", "lo"]);
        let config = RingConfig { filter: Some("udp port 7000".into()), ..config() };
        let mut rings = Ring::open(&config, 1, &taps).unwrap();
        send("10.9.0.1:7001", "10.9.0.2:7000", 20, 30);
        send("10.9.0.1:7001", "10.9.0.2:7002", 30, 30);
        send("127.0.0.1:7001", "127.0.0.1:7000", 20, 30);
        let seen = drain(&mut rings[0]);
        assert_eq!(seen.len(), 40);
        assert!(seen.iter().all(|s| s.ports() == Some((7000, 7001))));
        rings[0].drops();
        assert_eq!(rings[0].received(), 40);
        let bad = RingConfig { filter: Some("udp prot 7".into()), ..config };
        let error = Ring::open(&bad, 1, &taps).err().unwrap().to_string();
        assert!(error.starts_with("filter expression `udp prot 7`: "), "{error}");
    });
}

/// Opens the TUN device t0 and sends every UDP packet back where it came from.
const TUN_ECHO: &str = "
import fcntl, os, struct, subprocess
tun = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack('16sH', b't0', 0x1001))
subprocess.check_call('ip addr add 10.9.8.1/24 dev t0; ip link set t0 addrgenmode none; ip link set t0 up', shell=True)
print('ready', flush=True)
while True:
    p = os.read(tun, 4096)
    if p[0] == 0x45 and p[9] == 17:
        os.write(tun, p[:12] + p[16:20] + p[12:16] + p[22:24] + p[20:22] + p[24:])
";

#[test]
fn a_tun_device_gives_raw_packets() {
    let Some(a) = Netns::new() else { return };
    let mut echo = a.spawn("python3", &["-c", TUN_ECHO]);
    let mut ready = String::new();
    BufReader::new(echo.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    let seen = a.exec(|| {
        let (taps, _watch, _) = taps(&["t0"]);
        let config = RingConfig { filter: Some("udp port 7000".into()), ..config() };
        let mut rings = Ring::open(&config, 1, &taps).unwrap();
        let client = UdpSocket::bind("10.9.8.1:7001").unwrap();
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        client.send_to(b"ping", "10.9.8.2:7000").unwrap();
        client.send_to(b"ping", "10.9.8.2:7002").unwrap();
        client.recv_from(&mut [0; 64]).unwrap();
        drain(&mut rings[0])
    });
    echo.kill().unwrap();
    echo.wait().unwrap();
    assert_eq!(seen.len(), 2, "{seen:?}");
    for frame in &seen {
        assert_eq!(frame.bytes[0], 0x45, "an IPv4 header comes first");
        assert_eq!((frame.bytes.len(), frame.wire_len), (32, 32));
        assert!(frame.bytes.ends_with(b"ping"));
    }
}

#[test]
fn an_interface_that_appears_is_captured_from_its_first_frame_and_may_go() {
    let Some((a, b)) = pair() else { return };
    a.exec(|| {
        let (taps, mut watch, names) = taps(&["a*", "pod*"]);
        let mut rings = Ring::open(&config(), 2, &taps).unwrap();
        a.ip(&format!("link add pod7 type veth peer name p7 netns {}", b.0));
        for (netns, interface, address) in [(&a, "pod7", "10.9.5.1/24"), (&b, "p7", "10.9.5.2/24")]
        {
            netns.ip(&format!("link set {interface} addrgenmode none"));
            netns.ip(&format!("addr add {address} dev {interface}"));
            netns.ip(&format!("link set {interface} up"));
        }
        // Nothing has told the rings of it.
        send("10.9.5.1:7001", "10.9.5.2:7000", 100, 30);
        let seen: Vec<_> = rings.iter_mut().flat_map(drain).collect();
        let names = names.lock().unwrap().clone();
        assert_eq!(names, ["a0", "pod7"]);
        let from_pod = seen.iter().filter(|s| s.tap.0 == 1).count() as u64;
        assert_eq!(from_pod, a.packets("pod7"));
        assert!(from_pod > 100);

        assert!(watch.wait(Duration::from_secs(5)).unwrap());
        for change in watch.changes().unwrap() {
            taps.apply(&change);
        }
        a.ip("link del pod7");
        send("10.9.0.1:7001", "10.9.0.2:7000", 10, 30);
        assert!(watch.wait(Duration::from_secs(5)).unwrap());
        let changes = watch.changes().unwrap();
        assert!(
            matches!(changes.last(), Some(capture::interfaces::Change::Gone(i)) if i.name == "pod7")
        );
        for change in changes {
            taps.apply(&change);
        }
        let seen: Vec<_> = rings.iter_mut().flat_map(drain).collect();
        assert!(seen.iter().filter(|s| s.tap.0 == 0).count() >= 10, "the others go on");
    });
}

#[test]
fn what_a_full_ring_drops_is_counted() {
    let Some((a, b)) = pair() else { return };
    let (frames, drops) = a.exec(|| {
        let (taps, _watch, _) = taps(&["a0"]);
        let config = RingConfig { blocks: 2, ..config() };
        let mut rings = Ring::open(&config, 1, &taps).unwrap();
        let _open = b.exec(|| UdpSocket::bind("10.9.0.2:7000").unwrap());
        send("10.9.0.1:0", "10.9.0.2:7000", 20_000, 1000);
        let frames = drain(&mut rings[0]).len() as u64;
        let drops = rings[0].drops();
        assert_eq!(rings[0].received(), frames + drops.kernel);
        (frames, drops)
    });
    assert!(drops.kernel > 10_000 && drops.freezes > 0, "{drops:?}");
    assert_eq!(frames + drops.kernel, a.packets("a0"));
}

#[test]
fn a_bridge_shows_what_it_forwards_between_pods() {
    let (Some(host), Some(a), Some(b)) = (Netns::new(), Netns::new(), Netns::new()) else { return };
    host.ip("link add br0 type bridge");
    host.ip("link set br0 addrgenmode none");
    host.ip("link set br0 up");
    for (netns, port, address) in [(&a, "pa", "10.9.3.1/24"), (&b, "pb", "10.9.3.2/24")] {
        host.ip(&format!("link add {port} type veth peer name eth0 netns {}", netns.0));
        host.ip(&format!("link set {port} addrgenmode none"));
        host.ip(&format!("link set {port} master br0 up"));
        netns.ip("link set eth0 addrgenmode none");
        netns.ip(&format!("addr add {address} dev eth0"));
        netns.ip("link set eth0 up");
    }
    host.exec(|| {
        let (taps, _watch, names) = taps(&[]);
        let mut rings = Ring::open(&config(), 1, &taps).unwrap();
        let _open = b.exec(|| UdpSocket::bind("10.9.3.2:7000").unwrap());
        a.exec(|| send("10.9.3.1:7001", "10.9.3.2:7000", 10, 30));
        let mut at = HashMap::<String, usize>::new();
        for frame in drain(&mut rings[0]).iter().filter(|s| s.ports() == Some((7000, 7001))) {
            *at.entry(names.lock().unwrap()[frame.tap.0 as usize].clone()).or_default() += 1;
        }
        let expected = [("pa", 10), ("br0", 10), ("pb", 10)].map(|(n, c)| (n.to_owned(), c));
        assert_eq!(at, HashMap::from(expected));
    });
}

#[test]
fn a_wait_without_frames_ends() {
    let Some(a) = Netns::new() else { return };
    a.exec(|| {
        let (taps, _watch, _) = taps(&[]);
        let mut rings = Ring::open(&config(), 1, &taps).unwrap();
        let batch = rings[0].next_batch(Duration::from_millis(30), &mut |_| {});
        assert_eq!(batch.unwrap(), Batch::Idle);
    });
}
