//! Packets of each direction of each TCP connection, compared with what tshark counted in the same
//! captures.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use pcap_file::pcap::PcapReader;
use wire::decode::{DecodeConfig, Decoder, Layer4, Route};
use wire::{LinkType, RawFrame, TapId, Timestamp};

type Connection = (IpAddr, u16, IpAddr, u16);

/// Captures that are not compared, with the reason.
const LEFT_OUT: &[(&str, &str)] = &[("solaris.snoop", "a snoop file, no pcap")];

fn frame(link: u16, nanos: u64, wire_len: u32, bytes: &[u8]) -> RawFrame<'_> {
    RawFrame {
        time: Timestamp::from_nanos(nanos),
        tap: TapId(0),
        link_type: LinkType::from_number(link),
        wire_len,
        vlan: None,
        bytes,
    }
}

/// Section header, interface description, enhanced and simple packet blocks; the rest is skipped
/// unread.
fn pcapng_frames(mut rest: &[u8], f: &mut impl FnMut(RawFrame<'_>)) {
    let (mut big_endian, mut links) = (false, Vec::new());
    while rest.len() >= 12 {
        if rest.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            big_endian = rest[8..].starts_with(&[0x1a, 0x2b, 0x3c, 0x4d]);
            links.clear();
        }
        let word = |at: usize| {
            let word: [u8; 4] = rest[at..at + 4].try_into().unwrap();
            if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
        };
        match word(0) {
            1 => links.push(if big_endian { word(8) >> 16 } else { word(8) & 0xffff } as u16),
            3 => {
                let len = (word(4) - 16).min(word(8)) as usize;
                f(frame(links[0], 0, word(8), &rest[12..12 + len]));
            }
            6 => {
                let micros = u64::from(word(12)) << 32 | u64::from(word(16));
                let bytes = &rest[28..28 + word(20) as usize];
                f(frame(links[word(8) as usize], micros.saturating_mul(1000), word(24), bytes));
            }
            _ => {}
        }
        rest = &rest[word(4) as usize..];
    }
}

fn each_frame(path: &Path, mut f: impl FnMut(RawFrame<'_>)) -> Result<(), String> {
    let bytes = fs::read(path).map_err(|e| e.to_string())?;
    if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        pcapng_frames(&bytes, &mut f);
    } else {
        let mut reader = PcapReader::new(&bytes[..]).map_err(|e| e.to_string())?;
        let link = u32::from(reader.header().datalink) as u16;
        while let Some(packet) = reader.next_raw_packet() {
            let p = packet.map_err(|e| e.to_string())?;
            let nanos = u64::from(p.ts_sec) * 1_000_000_000 + u64::from(p.ts_frac);
            f(frame(link, nanos, p.orig_len, &p.data));
        }
    }
    Ok(())
}

fn counted(path: &Path) -> (BTreeMap<Connection, u64>, Result<(), String>) {
    let mut decoder = Decoder::new(DecodeConfig::default());
    let mut counts = BTreeMap::new();
    let mut router = Decoder::new(DecodeConfig::default());
    let end = each_frame(path, |frame| {
        let route = router.route(&frame);
        let Ok(decoded) = decoder.decode(&frame) else { return };
        let Layer4::Tcp(_) = decoded.layer4 else { return };
        let (from, to) =
            (decoded.key.endpoint(decoded.side), decoded.key.endpoint(decoded.side.other()));
        *counts.entry((from.address, from.port, to.address, to.port)).or_insert(0) += 1;
        let hash = match route {
            Route::Frame(hash) | Route::Packet(hash, _) => hash,
            other => panic!("{}: {other:?}", path.display()),
        };
        assert_eq!(hash, decoded.key.spread(), "{}: {:?}", path.display(), decoded.key);
    });
    (counts, end)
}

fn expected(oracle: &serde_json::Value) -> BTreeMap<Connection, u64> {
    let mut counts = BTreeMap::new();
    for stream in oracle["tcp_streams"].as_array().into_iter().flatten() {
        let end = |who: &str| {
            let address: IpAddr = stream[who]["ip"].as_str().unwrap().parse().unwrap();
            (address.to_canonical(), stream[who]["port"].as_u64().unwrap() as u16)
        };
        let (client, server) = (end("client"), end("server"));
        for (from, to, direction) in [(client, server, "c2s"), (server, client, "s2c")] {
            let packets = stream[direction]["packets"].as_u64().unwrap_or(0);
            if packets > 0 {
                *counts.entry((from.0, from.1, to.0, to.1)).or_insert(0) += packets;
            }
        }
    }
    counts
}

#[test]
fn tcp_packets_of_every_connection_agree() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/captures");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: no capture corpus beside the repository");
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    let mut differences = Vec::new();
    let mut compared = 0;
    for oracle_path in paths.iter().filter(|p| p.to_string_lossy().ends_with(".oracle.json")) {
        let capture = PathBuf::from(oracle_path.to_string_lossy().trim_end_matches(".oracle.json"));
        let name = capture.file_name().unwrap().to_string_lossy().into_owned();
        if let Some((_, why)) = LEFT_OUT.iter().find(|(part, _)| name.contains(part)) {
            eprintln!("left out: {name}: {why}");
            continue;
        }
        let oracle = serde_json::from_slice(&fs::read(oracle_path).unwrap()).unwrap();
        let (ours, end) = counted(&capture);
        let theirs = expected(&oracle);
        compared += 1;
        if ours != theirs {
            let only_ours: Vec<_> =
                ours.iter().filter(|(k, v)| theirs.get(k) != Some(v)).take(4).collect();
            let only_theirs: Vec<_> =
                theirs.iter().filter(|(k, v)| ours.get(k) != Some(v)).take(4).collect();
            differences
                .push(format!("{name}: ours {only_ours:?} tshark {only_theirs:?} ({end:?})"));
        }
    }
    assert!(compared > 0, "no capture was compared");
    assert!(
        differences.is_empty(),
        "{} of {compared} differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}
