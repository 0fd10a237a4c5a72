//! What a pcapng file may hold besides one interface and its packets.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::sync::{Arc, Mutex};

use capture::{CaptureFile, FrameBlock};
use tempfile::TempDir;
use wire::{Drops, Source, SourceError, TapId};

/// Blocks of one byte order.
#[derive(Clone, Copy)]
struct Blocks {
    big: bool,
}

impl Blocks {
    fn u16(self, value: u16) -> [u8; 2] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn u32(self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
        let total = self.u32((12 + body.len() + padding.len()) as u32);
        [&self.u32(kind), &total, body, &padding, &total].concat()
    }

    fn section(self) -> Vec<u8> {
        let body = [&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &[0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
        [&self.u16(code)[..], &self.u16(value.len() as u16), value, &padding].concat()
    }

    fn interface(self, snap_len: u32, options: &[Vec<u8>]) -> Vec<u8> {
        self.interface_of(1, snap_len, options)
    }

    fn interface_of(self, link_type: u16, snap_len: u32, options: &[Vec<u8>]) -> Vec<u8> {
        let head = [&self.u16(link_type)[..], &self.u16(0), &self.u32(snap_len)].concat();
        self.block(1, &[head, options.concat()].concat())
    }

    fn u64(self, value: u64) -> [u8; 8] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    /// Interface statistics: `isb_ifdrop` and `isb_osdrop` among others.
    fn statistics(self, interface: u32, by_interface: u64, by_kernel: u64) -> Vec<u8> {
        let counts = [(4, 1000), (5, by_interface), (6, 900), (7, by_kernel), (8, 800)];
        let options = counts.map(|(code, count)| self.option(code, &self.u64(count))).concat();
        self.block(5, &[&self.u32(interface)[..], &[0; 8], &options].concat())
    }

    fn packet(self, interface: u32, units: u64, wire_len: u32, bytes: &[u8]) -> Vec<u8> {
        self.packet_with(interface, units, wire_len, bytes, &self.option(1, b"a comment"))
    }

    fn packet_with(
        self,
        interface: u32,
        units: u64,
        wire_len: u32,
        bytes: &[u8],
        options: &[u8],
    ) -> Vec<u8> {
        let head = [interface, (units >> 32) as u32, units as u32, bytes.len() as u32, wire_len];
        let padding = vec![0; bytes.len().next_multiple_of(4) - bytes.len()];
        self.block(
            6,
            &[&head.map(|word| self.u32(word)).concat()[..], bytes, &padding, options].concat(),
        )
    }

    fn simple_packet(self, wire_len: u32, bytes: &[u8]) -> Vec<u8> {
        self.block(3, &[&self.u32(wire_len), bytes].concat())
    }
}

/// Two sections of different byte order, with interfaces of all kinds of resolution, and blocks
/// that nobody knows.
fn file() -> Vec<u8> {
    let (little, big) = (Blocks { big: false }, Blocks { big: true });
    let offset = little.option(14, &1_700_000_000_u64.to_le_bytes());
    [
        little.section(),
        little.interface(4, &[little.option(2, b"one"), little.option(9, &[0x80 | 10])]),
        little.interface(0, &[little.option(2, b"two"), little.option(9, &[3]), offset]),
        little.block(0x8000_0001, &vec![7; 700_001]),
        little.packet(0, 3 << 10 | 512, 60, b"a"),
        little.packet(1, 2500, 5, b"bcdef"),
        little.simple_packet(9, b"ghij"),
        big.section(),
        big.block(0x0000_0bad, b"custom"),
        big.interface(0, &[big.option(2, b"two"), big.option(9, &[9])]),
        big.packet(0, 42, 3, b"klm"),
    ]
    .concat()
}

type Frame = (u64, u32, u32, Vec<u8>);

fn read(path: &std::path::Path) -> (Vec<Frame>, Vec<String>, Option<SourceError>) {
    let names = Arc::new(Mutex::new(Vec::new()));
    let taps = names.clone();
    let tap = Box::new(move |name: &str| {
        let mut taps = taps.lock().unwrap();
        taps.push(name.to_owned());
        TapId(taps.len() as u32 - 1)
    });
    let mut file = CaptureFile::open(path, tap).unwrap();
    let (mut frames, mut block, mut end) = (Vec::new(), FrameBlock::default(), None);
    loop {
        match file.next_block(&mut block) {
            Ok(true) => frames.extend(
                block.frames().map(|f| (f.time.as_nanos(), f.tap.0, f.wire_len, f.bytes.to_vec())),
            ),
            Ok(false) => break,
            Err(error) => end = Some(error),
        }
    }
    let names = names.lock().unwrap().clone();
    (frames, names, end)
}

#[test]
fn sections_resolutions_and_unknown_blocks() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("all.pcapng");
    std::fs::write(&path, file()).unwrap();
    let (frames, names, end) = read(&path);
    assert!(end.is_none(), "{end:?}");
    assert_eq!(names, ["all.pcapng#one", "all.pcapng#two"]);
    let expected: [Frame; 4] = [
        (3_500_000_000, 0, 60, b"a".into()),
        (1_700_000_002_500_000_000, 1, 5, b"bcdef".into()),
        (0, 0, 9, b"ghij".into()),
        (42, 1, 3, b"klm".into()),
    ];
    assert_eq!(frames, expected);
}

#[test]
fn a_cut_anywhere_is_told_where_the_block_begins_that_is_not_whole() {
    let folder = TempDir::new().unwrap();
    let whole = file();
    // Where blocks begin.
    let mut starts = vec![0];
    let mut at = 0;
    while at < whole.len() {
        let raw = *whole[at + 4..].first_chunk::<4>().unwrap();
        at += if starts.len() <= 7 { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) }
            as usize;
        starts.push(at);
    }
    let cuts = (24..whole.len()).filter(|cut| !(300..700_000).contains(cut) || cut % 50_021 == 0);
    for cut in cuts {
        let path = folder.path().join("cut.pcapng");
        std::fs::write(&path, &whole[..cut]).unwrap();
        let (frames, _, end) = read(&path);
        let block = starts.partition_point(|start| *start <= cut) - 1;
        match end {
            None => assert_eq!(starts[block], cut),
            Some(SourceError::CutShort { offset, frames: n, .. }) => {
                assert_eq!(
                    (offset as usize, n as usize),
                    (starts[block], frames.len()),
                    "cut at {cut}"
                );
            }
            Some(error) => panic!("{error}"),
        }
    }
}

#[test]
fn compressed_in_several_members() {
    let folder = TempDir::new().unwrap();
    let whole = file();
    let (first, second) = whole.split_at(400_000);
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    for (name, content) in [
        ("a.pcapng.gz", [gzip(first), gzip(second)].concat()),
        ("a.pcapng.zst", [zstd(first), zstd(second)].concat()),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let (frames, _, end) = read(&path);
        assert!(end.is_none() && frames.len() == 4, "{name}: {end:?}");
    }
}

/// Opens a file with taps numbered from 1 in the order in which they are named.
fn open(path: &std::path::Path) -> (CaptureFile, Arc<Mutex<Vec<String>>>) {
    let names = Arc::new(Mutex::new(Vec::new()));
    let taps = names.clone();
    let tap = Box::new(move |name: &str| {
        let mut taps = taps.lock().unwrap();
        taps.push(name.to_owned());
        TapId(taps.len() as u32)
    });
    (CaptureFile::open(path, tap).unwrap(), names)
}

#[test]
fn what_the_capturing_program_lost_is_told_by_tap() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("losses.pcapng");
    for big in [false, true] {
        let b = Blocks { big };
        let lost = |count: u64| b.option(4, &b.u64(count));
        let content = [
            b.section(),
            b.interface(0, &[b.option(2, b"one")]),
            b.interface(0, &[b.option(2, b"two")]),
            b.interface(0, &[b.option(2, b"three")]),
            b.packet_with(0, 1, 1, b"a", &lost(2)),
            b.packet_with(1, 2, 1, b"b", &lost(7)),
            // The first statistics of an interface hold until the next.
            b.statistics(0, 1, 0),
            b.packet_with(0, 3, 1, b"c", &lost(1)),
            b.statistics(0, 3, 1),
            b.statistics(2, 5, 0),
            b.statistics(9, 5, 0),
            // Another section, as where files were put together.
            b.section(),
            b.interface(0, &[b.option(2, b"two")]),
            b.packet(0, 4, 1, b"d"),
            b.statistics(0, 0, 10),
        ]
        .concat();
        std::fs::write(&path, content).unwrap();
        let (mut file, names) = open(&path);
        let mut frames = 0;
        while file.next_frame().unwrap().is_some() {
            frames += 1;
        }
        assert_eq!(frames, 4);
        let of = |kernel, interface, unattributed| Drops {
            kernel,
            interface,
            unattributed,
            ..Drops::default()
        };
        let mut drops = file.drops_by_tap();
        drops.sort_by_key(|(tap, _)| *tap);
        let expected = [of(1, 3, 0), of(10, 0, 7), of(0, 5, 0)];
        assert_eq!(
            drops,
            [(TapId(1), expected[0]), (TapId(2), expected[1]), (TapId(3), expected[2])]
        );
        let names = names.lock().unwrap();
        assert_eq!(*names, ["losses.pcapng#one", "losses.pcapng#two", "losses.pcapng#three"]);
        assert_eq!(file.drops(), of(11, 8, 7));
        assert_eq!(file.drops(), Drops::default());
    }
}

#[test]
fn interfaces_that_frames_name_are_taps() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("any.pcapng");
    let b = Blocks { big: false };
    let cooked = |index: u32| [&[8, 0, 0, 0][..], &index.to_be_bytes(), &[0; 12]].concat();
    let any = b.interface_of(276, 0, &[b.option(2, b"any")]);
    let frames: Vec<_> = [3, 2, 3].map(|index| b.packet(0, 1, 20, &cooked(index))).concat();
    std::fs::write(&path, [b.section(), any.clone(), frames.clone()].concat()).unwrap();
    let (mut file, names) = open(&path);
    let mut taps = Vec::new();
    while let Some(frame) = file.next_frame().unwrap() {
        taps.push(frame.tap.0);
    }
    assert_eq!(taps, [1, 2, 1]);
    assert_eq!(*names.lock().unwrap(), ["any.pcapng#3", "any.pcapng#2"]);

    let other = b.interface(0, &[b.option(2, b"eth0")]);
    std::fs::write(&path, [b.section(), any, other, frames].concat()).unwrap();
    let (mut file, names) = open(&path);
    while file.next_frame().unwrap().is_some() {}
    assert_eq!(*names.lock().unwrap(), ["any.pcapng#any#3", "any.pcapng#any#2"]);
}
