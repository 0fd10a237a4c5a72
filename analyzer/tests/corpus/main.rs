//! Flow records of real captures against what tshark 4.0 says of them.
//!
//! The captures and their oracles stand in `../shared/corpus/captures`, outside of this repository; without them
//! there is nothing to compare. `CORPUS=name` compares only captures whose name contains it.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that stops and tells")]

mod compare;
mod read;

use std::path::Path;

use analyzer::fact::FlowRecord;
use analyzer::{Analyzer, Config, Fact, Sink};
use wire::Timestamp;

use compare::Score;

/// Captures in which tshark mixes what several interfaces or VLANs saw; Wirespan keeps them apart.
const MIXED: [&str; 3] = ["vlan-collisions", "http-range-multiflows", "mysql__auth"];

#[derive(Default)]
struct Records(Vec<FlowRecord>);

impl Sink for Records {
    fn emit(&mut self, fact: Fact<'_>) {
        if let Fact::FlowClosed(record) = fact {
            self.0.push(record.clone());
        }
    }
}

/// Captures that the reader of this test cannot read to their end: a format that is not supported, a block with an unknown
/// option, a time with more than a million microseconds.
const UNREADABLE: [&str; 3] = [".snoop", "pcapng-example", "timestamp_invalid_micro"];

/// Records of a capture, with a tick for every second of frame time.
fn records(path: &Path) -> Vec<FlowRecord> {
    let mut analyzer = Analyzer::new(Config::default());
    let mut sink = Records::default();
    let mut number = 0;
    let mut second = 0;
    read::frames(path, |frame| {
        number += 1;
        let now = frame.time.as_nanos() / 1_000_000_000;
        if now > second {
            second = now;
            analyzer.tick(Timestamp::from_parts(now, 0), &mut sink);
        }
        analyzer.frame(number, &frame, &mut sink);
    });
    analyzer.finish(&mut sink);
    assert_eq!(analyzer.usage().flows, 0);
    assert_eq!(analyzer.usage().reassembly_bytes, 0, "{path:?} leaves bytes behind");
    sink.0
}

#[test]
fn flow_records_agree_with_tshark() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/captures");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no corpus in ../shared/corpus/captures");
        return;
    };
    let wanted = std::env::var("CORPUS").unwrap_or_default();
    let mut names: Vec<String> = entries
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| n.contains(&wanted))
        .collect();
    names.sort();
    let mut score = Score::default();
    for name in names.iter().filter(|n| n.ends_with(".oracle.json")) {
        let oracle: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap();
        let capture = name.trim_end_matches(".oracle.json");
        if UNREADABLE.iter().any(|part| capture.contains(part)) {
            continue;
        }
        let flags = !MIXED.iter().any(|mixed| capture.contains(mixed));
        score.compare(capture, &oracle, &records(&folder.join(capture)), flags);
    }
    score.print();
    if wanted.is_empty() {
        for (category, least) in [
            ("streams", 0.995),
            ("counts", 0.995),
            ("analysis", 0.98),
            ("handshake", 0.995),
            ("ack_rtt", 0.97),
        ] {
            assert!(score.ratio(category) >= least, "{category} {:.4} < {least}", score.ratio(category));
        }
    }
}
