//! Flow records of real captures against what tshark 4.0 says of them.
//!
//! What is compared, and how much must agree, is what the corpus's `score.py` compares for the
//! program.
//!
//! The captures and their oracles stand in `../shared/corpus/captures`, outside of this repository;
//! without them there is nothing to compare. `CORPUS=name` compares only captures whose name
//! contains it.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that stops and tells")]

mod compare;
mod read;

use std::path::Path;

use analyzer::{Analyzer, Config};
use fact::FlowRecord;
use fact::{Fact, Sink};
use wire::InputClock;

use compare::Score;

/// Captures in which tshark mixes what several interfaces saw; Wirespan keeps them apart.
const MIXED: [&str; 2] = ["http-range-multiflows", "mysql__auth"];

/// Five of 516 handshake times differ, and cannot agree: four are negative with tshark, which stand
/// as 0 in our records (a SYN/ACK captured before its SYN, and wild time stamps in format-081,
/// malformed-091 and malformed-099), and one is a fraction of a million microseconds, which tshark
/// prints as ".1000000000" and the oracle reads as a tenth of a second.
const HANDSHAKE: f64 = 0.99;

#[derive(Default)]
struct Records(Vec<FlowRecord>);

impl Sink for Records {
    fn emit(&mut self, fact: Fact<'_>) {
        if let Fact::FlowClosed(record) = fact {
            self.0.push(record.clone());
        }
    }
}

/// Records of a capture as far as it can be read; none if it is no capture.
fn records(path: &Path) -> Option<Vec<FlowRecord>> {
    let mut analyzer = Analyzer::new(Config::default());
    let (mut clock, mut sink) = (InputClock::default(), Records::default());
    let mut number = 0;
    let readable = read::frames(path, |frame| {
        number += 1;
        if let Some(now) = clock.on_frame(frame.time) {
            analyzer.tick(now, &mut sink);
        }
        analyzer.frame(number, &frame, &mut sink);
    });
    analyzer.finish(&mut sink);
    assert_eq!(analyzer.usage().flows, 0);
    assert_eq!(analyzer.usage().reassembly_bytes, 0, "{path:?} leaves bytes behind");
    readable.then_some(sink.0)
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
        let flags = !MIXED.iter().any(|mixed| capture.contains(mixed));
        let format = oracle["format"]["type"].as_str().unwrap();
        let readable = matches!(format, "pcap" | "pcapng") && oracle["read"]["packets"] != 0;
        match records(&folder.join(capture)) {
            Some(records) => score.compare(capture, &oracle, &records, flags),
            None => assert!(!readable, "{capture} was refused"),
        }
    }
    score.print();
    if wanted.is_empty() {
        for (category, least) in [
            ("streams", 0.995),
            ("counts", 0.995),
            ("analysis", 0.98),
            ("handshake", HANDSHAKE),
            ("ack_rtt", 0.97),
        ] {
            assert!(
                score.ratio(category) >= least,
                "{category} {:.4} < {least}",
                score.ratio(category)
            );
        }
    }
}
