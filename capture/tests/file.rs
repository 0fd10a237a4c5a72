//! Capture files: what is no capture, what is cut, what is compressed, and what the writer writes.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use capture::{CaptureFile, CaptureWriter, Filter};
use tempfile::TempDir;
use wire::{Batch, LinkType, RawFrame, Source, SourceError, TapId, Timestamp, VlanTag};

fn open(path: &Path) -> Result<CaptureFile, String> {
    CaptureFile::open(path, Box::new(|_| TapId(3))).map_err(|e| e.to_string())
}

/// Number of frames, and how it ended.
fn read(path: &Path) -> (usize, Option<SourceError>) {
    let mut file = open(path).unwrap();
    let mut frames = 0;
    loop {
        match file.next_batch(Duration::ZERO, &mut |_| frames += 1) {
            Ok(Batch::End) => return (frames, None),
            Ok(_) => {}
            Err(e) => {
                assert_eq!(
                    file.next_batch(Duration::ZERO, &mut |_| frames += 1).unwrap(),
                    Batch::End
                );
                return (frames, Some(e));
            }
        }
    }
}

fn file(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// A pcap file with `frames` frames of 60 bytes, one a microsecond.
fn pcap(magic: u32, frames: u32) -> Vec<u8> {
    let mut content = Vec::new();
    for word in [magic, 0x0004_0002, 0, 0, 65_535, 1] {
        content.extend(word.to_le_bytes());
    }
    for i in 0..frames {
        for word in [7, i, 60, 90] {
            content.extend(word.to_le_bytes());
        }
        if magic == 0xa1b2_cd34 {
            content.extend([9; 8]);
        }
        content.extend([i as u8; 60]);
    }
    content
}

#[test]
fn what_is_no_capture_is_refused_in_words() {
    let folder = TempDir::new().unwrap();
    let cases: [(&str, &[u8], &str); 8] = [
        ("empty", b"", "is empty"),
        (
            "photo.jpg",
            b"\xff\xd8\xff\xe0\0\x10JFIF",
            "is a JPEG image, not a capture file (pcap or pcapng expected)",
        ),
        ("notes", b"hello, world of captures", "is no capture file (pcap or pcapng expected)"),
        ("short", b"hi", "is no capture file (pcap or pcapng expected)"),
        (
            "sun",
            b"snoop\0\0\0\0\0\0\x02\0\0\0\x04",
            "is a snoop file, which is not supported: convert it with `editcap -F pcapng IN OUT`",
        ),
        (
            "old.cap",
            b"XCP\x00002.002",
            "is a NetXRay capture, which is not supported: convert it with `editcap -F pcapng IN OUT`",
        ),
        (
            "packed",
            b"BZh91AY&SY....",
            "is compressed with bzip2, which is not supported: decompress it with `bzip2 -d`",
        ),
        ("head", &pcap(0xa1b2_c3d4, 0)[..20], "is a pcap file that is cut short inside its header"),
    ];
    for (name, content, words) in cases {
        let path = file(&folder, name, content);
        assert_eq!(open(&path).err().unwrap(), format!("{} {words}", path.display()));
    }
    let error = open(folder.path()).err().unwrap();
    assert!(error.ends_with("is a directory, not a capture file"), "{error}");
    let error = open(&folder.path().join("none")).err().unwrap();
    assert!(error.ends_with("/none: No such file or directory (os error 2)"), "{error}");
}

#[test]
fn a_cut_anywhere_yields_all_before_and_one_error() {
    let folder = TempDir::new().unwrap();
    let whole = pcap(0xa1b2_c3d4, 3);
    for cut in 24..=whole.len() {
        let path = file(&folder, "cut.pcap", &whole[..cut]);
        let (frames, end) = read(&path);
        assert_eq!(frames, (cut - 24) / 76);
        match end {
            None => assert_eq!((cut - 24) % 76, 0),
            Some(SourceError::CutShort { frames: n, offset, .. }) => {
                assert_eq!((n as usize, offset as usize), (frames, 24 + frames * 76));
            }
            Some(e) => panic!("{e}"),
        }
    }
}

#[test]
fn a_corrupt_record_is_malformed() {
    let folder = TempDir::new().unwrap();
    let mut content = pcap(0xa1b2_3c4d, 3);
    content[24 + 76 + 11] = 0x7f;
    let (frames, end) = read(&file(&folder, "corrupt.pcap", &content));
    assert_eq!(frames, 1);
    let words = end.unwrap().to_string();
    assert!(
        words.contains(
            "malformed at byte 100, after 1 frame: a record claims 2130706492 captured bytes"
        ),
        "{words}"
    );
}

#[test]
fn compressed_files_are_read_and_their_cuts_told() {
    let folder = TempDir::new().unwrap();
    let content = pcap(0xa1b2_c3d4, 5000);
    let gzip = |content: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    };
    let mut members = gzip(&content[..1000]);
    members.extend(gzip(&content[1000..]));
    assert_eq!(read(&file(&folder, "members.gz", &members)).0, 5000);
    let zstd = zstd::encode_all(content.as_slice(), 1).unwrap();
    assert_eq!(read(&file(&folder, "all.zst", &zstd)).0, 5000);
    for (name, compressed) in [("cut.gz", gzip(&content)), ("cut.zst", zstd)] {
        let path = file(&folder, name, &compressed[..compressed.len() - 9]);
        let (frames, end) = read(&path);
        assert!(
            matches!(end, Some(SourceError::CutShort { .. })),
            "{name}: {end:?} after {frames}"
        );
        let path = file(&folder, name, &compressed[..7]);
        let error = open(&path).err().unwrap();
        assert!(error.ends_with("is compressed, and cut short at its beginning"), "{error}");
    }
    let mut damaged = gzip(&content);
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0xff);
    let end = read(&file(&folder, "damaged.gz", &damaged)).1;
    assert!(matches!(end, Some(SourceError::Malformed { .. })), "{end:?}");
}

#[test]
fn the_modified_format_has_longer_records() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "modified.pcap", &pcap(0xa1b2_cd34, 4));
    let mut file = open(&path).unwrap();
    for i in 0..4u8 {
        let frame = file.next_frame().unwrap().unwrap();
        assert_eq!((frame.bytes, frame.wire_len), ([i; 60].as_slice(), 90));
        assert_eq!(frame.time, Timestamp::from_nanos(7_000_000_000 + u64::from(i) * 1000));
    }
    assert!(file.next_frame().unwrap().is_none());
    assert_eq!((file.position(), file.size()), (24 + 4 * 84, Some(24 + 4 * 84)));
}

#[test]
fn any_damage_ends_without_panic() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ours.pcapng");
    write(&path);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        for value in [1, 0xff] {
            let mut content = whole.clone();
            content[at] = value;
            let path = file(&folder, "damaged.pcapng", &content);
            if open(&path).is_ok() {
                assert!(read(&path).0 <= 3);
            }
        }
    }
}

const TAG: VlanTag = VlanTag { tpid: 0x88a8, tci: 5 };

fn frame(time: u64, tap: u32, bytes: &[u8], vlan: Option<VlanTag>) -> RawFrame<'_> {
    RawFrame {
        time: Timestamp::from_nanos(time),
        tap: TapId(tap),
        link_type: LinkType::Ethernet,
        wire_len: 1514,
        vlan,
        bytes,
    }
}

fn write(path: &Path) {
    let mut writer = CaptureWriter::new(path).unwrap();
    writer.write(&frame(1_700_000_000_123_456_789, 0, &[1; 61], None), "eth0").unwrap();
    writer.write(&frame(1_700_000_000_123_456_790, 4, &[2; 60], Some(TAG)), "veth9").unwrap();
    let raw = RawFrame { link_type: LinkType::RawIp, ..frame(5, 5, &[0x45; 20], None) };
    writer.write(&raw, "tun0").unwrap();
    writer.finish().unwrap();
}

#[test]
fn what_is_written_is_read_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ours.pcapng");
    write(&path);
    let names = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let shared = std::sync::Arc::clone(&names);
    let taps = Box::new(move |name: &str| {
        let mut names = shared.lock().unwrap();
        names.push(name.to_owned());
        TapId(names.len() as u32)
    });
    let mut file = CaptureFile::open(&path, taps).unwrap();
    let first = file.next_frame().unwrap().unwrap();
    assert_eq!(first.time, Timestamp::from_nanos(1_700_000_000_123_456_789));
    assert_eq!((first.bytes, first.wire_len, first.tap), ([1; 61].as_slice(), 1514, TapId(1)));
    let second = file.next_frame().unwrap().unwrap();
    assert_eq!((second.wire_len, second.tap, second.vlan), (1518, TapId(2), None));
    assert_eq!(second.bytes.len(), 64);
    assert_eq!(second.bytes[10..18], [2, 2, 0x88, 0xa8, 0, 5, 2, 2]);
    let third = file.next_frame().unwrap().unwrap();
    assert_eq!((third.link_type, third.bytes.len()), (LinkType::RawIp, 20));
    assert!(file.next_frame().unwrap().is_none());
    assert_eq!(*names.lock().unwrap(), ["ours.pcapng", "ours.pcapng#veth9", "ours.pcapng#tun0"]);
}

#[test]
fn another_reader_understands_what_is_written() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ours.pcapng");
    write(&path);
    let mut reader =
        pcap_file::pcapng::PcapNgReader::new(std::fs::File::open(&path).unwrap()).unwrap();
    let mut packets = Vec::new();
    while let Some(block) = reader.next_block() {
        if let pcap_file::pcapng::Block::EnhancedPacket(packet) = block.unwrap() {
            packets.push((packet.interface_id, packet.original_len, packet.data.len()));
        }
    }
    assert_eq!(packets, [(0, 1514, 61), (1, 1518, 64), (2, 1514, 20)]);
    assert_eq!(reader.interfaces().len(), 3);
}

#[test]
fn filters_select_frames_of_files() {
    let mut tcp = vec![0; 54];
    tcp[12] = 8;
    tcp[14] = 0x45;
    tcp[23] = 6;
    tcp[36..38].copy_from_slice(&443u16.to_be_bytes());
    let https = Filter::compile("tcp port 443", LinkType::Ethernet).unwrap();
    assert!(https.matches(&tcp, 54));
    assert!(!https.matches(&tcp[..30], 54), "ports beyond what was captured do not match");
    assert!(Filter::compile("greater 1000", LinkType::Ethernet).unwrap().matches(&tcp, 1000));
    assert!(!Filter::compile("greater 1000", LinkType::Ethernet).unwrap().matches(&tcp, 999));
    assert!(Filter::compile("", LinkType::RawIp).unwrap().matches(&[], 0));
    assert!(Filter::compile("tcp port 443", LinkType::RawIp).unwrap().matches(&tcp[14..], 40));
    let error = Filter::compile("tcp prot 443", LinkType::Ethernet).unwrap_err().to_string();
    assert_eq!(
        error,
        "filter expression `tcp prot 443`: can't parse filter expression: syntax error"
    );
}

#[test]
fn our_interpreter_agrees_with_libpcap() {
    let expressions = [
        "tcp",
        "udp port 53",
        "ip6",
        "vlan 5",
        "vlan 5 and ip",
        "tcp[tcpflags] & tcp-syn != 0",
        "ip[2:2] > 100",
        "host 10.0.0.1 or net 192.168.0.0/16",
        "not port 80",
        "ip[0] & 0xf != 5",
        "len < 200",
        "ip6 proto 17",
        "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
        "ether multicast",
        "portrange 1000-2000",
        "mpls",
        "arp",
    ];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut frame = [0u8; 128];
    let mut agreed = [0usize; 2];
    for expression in expressions {
        let ours = Filter::compile(expression, LinkType::Ethernet).unwrap();
        let handle = pcap::Capture::dead(pcap::Linktype(1)).unwrap();
        let theirs = handle.compile(expression, true).unwrap();
        for _ in 0..1000 {
            for byte in &mut frame {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *byte = (random >> 56) as u8;
            }
            let kinds = [0x0800, 0x86dd, 0x8100, 0x0806, 0x8847u16];
            frame[12..14].copy_from_slice(&kinds[random as usize >> 8 & 3].to_be_bytes());
            frame[14] = 0x45 + (random >> 20 & 1) as u8;
            frame[20..22].fill(0);
            frame[23] = [6, 17][random as usize >> 30 & 1];
            let len = 20 + (random >> 40) as usize % 108;
            let expected = theirs.filter(&frame[..len]);
            assert_eq!(
                ours.matches(&frame[..len], len as u32),
                expected,
                "{expression}: {:x?}",
                &frame[..len]
            );
            agreed[usize::from(expected)] += 1;
        }
    }
    assert!(agreed[0] > 1000 && agreed[1] > 1000, "{agreed:?}");
}

/// Names of taps in the order in which they are asked for, and the function that asks.
fn names() -> (std::sync::Arc<std::sync::Mutex<Vec<String>>>, capture::TapNames) {
    let names = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let shared = std::sync::Arc::clone(&names);
    let taps = Box::new(move |name: &str| {
        let mut names = shared.lock().unwrap();
        names.push(name.to_owned());
        TapId(names.len() as u32)
    });
    (names, taps)
}

/// `tcpdump -i any` shows a frame at each interface that it passes.
#[test]
fn interfaces_that_frames_name_are_taps() {
    let mut content = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 276] {
        content.extend(word.to_le_bytes());
    }
    for (time, index) in (0_u32..).zip([11_u32, 5, 12, 11, 5]) {
        for word in [7, time, 20, 20] {
            content.extend(word.to_le_bytes());
        }
        content.extend([8, 0, 0, 0]);
        content.extend(index.to_be_bytes());
        content.extend([0; 12]);
    }
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "any.pcap", &content);
    let (names, taps) = names();
    let mut file = CaptureFile::open(&path, taps).unwrap();
    let mut seen = Vec::new();
    while let Some(frame) = file.next_frame().unwrap() {
        seen.push(frame.tap.0);
    }
    assert_eq!(seen, [1, 2, 3, 1, 2]);
    assert_eq!(*names.lock().unwrap(), ["any.pcap#11", "any.pcap#5", "any.pcap#12"]);
}
