//! Numbers of whole requests and responses in real captures against what tshark 4.0 counts, compared as the corpus's `score.py`
//! compares them for the program, and for mDNS and LLMNR besides.
//!
//! The captures and their oracles stand in `../shared/corpus/captures`, outside of this repository; without them
//! there is nothing to compare. `CORPUS=name` compares only captures whose name contains it.

use std::collections::BTreeMap;
use std::path::Path;

use analyzer::fact::Protocol;
use analyzer::{Analyzer, Config, Fact, Sink};
use capture::CaptureFile;
use serde_json::Value;
use wire::{InputClock, TapId};

/// Captures in which tshark counts otherwise, and why that is not what was said on the wire. They count as differences all the same.
const EXPLAINED: [(&str, &str); 2] = [
    ("vlan-collisions", "tshark takes the same connection on three VLANs for one"),
    ("l4-007", "tshark without out-of-order reassembly misses the response; with it, it counts one as well"),
];

/// Part of the captures that have to agree, by protocol; all of them for the others.
const AT_LEAST: [(&str, f64); 1] = [("http", 26.0 / 28.0)];

/// Whole requests and responses by protocol.
#[derive(Default)]
struct Counts(BTreeMap<&'static str, [u64; 2]>);

impl Sink for Counts {
    fn emit(&mut self, fact: Fact<'_>) {
        if let Fact::Exchange(exchange) = fact {
            let [requests, responses] = self.0.entry(exchange.protocol.as_str()).or_default();
            *requests += u64::from(exchange.request.is_some_and(|m| m.whole));
            *responses += u64::from(exchange.response.is_some_and(|m| m.whole));
        }
    }
}

fn found(path: &Path) -> Counts {
    let mut counts = Counts::default();
    let mut taps = 0;
    let tap = Box::new(move |_: &str| {
        taps += 1;
        TapId(taps)
    });
    let Ok(mut file) = CaptureFile::open(path, tap) else { return counts };
    let mut analyzer = Analyzer::new(Config::default());
    let mut clock = InputClock::default();
    let mut number = 0;
    while let Ok(Some(frame)) = file.next_frame() {
        number += 1;
        if let Some(now) = clock.frame(frame.time) {
            analyzer.tick(now, &mut counts);
        }
        analyzer.frame(number, &frame, &mut counts);
    }
    analyzer.finish(&mut counts);
    counts
}

/// What the oracle's counts amount to: interim responses are not the answer to a request, 101 is.
fn expected(oracle: &Value) -> Vec<(&'static str, [u64; 2])> {
    let count = |layer: &str, name: &str| oracle["l7"][layer]["counts"][name].as_u64().unwrap_or(0);
    let mut out = Vec::new();
    let http = [count("http", "request"), count("http", "response")];
    if http != [0, 0] {
        let layer = &oracle["l7"]["http"];
        let complete = !layer["truncated_list"].as_bool().unwrap_or(false);
        let listed = layer["messages"].as_array().filter(|_| complete);
        let responses = listed.map_or(http[1], |all| all.iter().filter(|m| is_answer(m)).count() as u64);
        out.push((Protocol::Http.as_str(), [http[0], responses]));
    }
    for protocol in [Protocol::Dns, Protocol::Mdns, Protocol::Llmnr] {
        let name = protocol.as_str();
        let counts = [count(name, "query"), count(name, "response")];
        if counts != [0, 0] {
            out.push((name, counts));
        }
    }
    out
}

fn is_answer(message: &Value) -> bool {
    let code = match &message["code"] {
        Value::String(text) => text.parse().unwrap_or(200),
        other => other.as_u64().unwrap_or(200),
    };
    message["kind"] == "response" && (code >= 200 || code == 101)
}

#[test]
fn requests_and_responses_agree_with_tshark() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/captures");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no corpus in ../shared/corpus/captures");
        return;
    };
    let wanted = std::env::var("CORPUS").unwrap_or_default();
    let mut names: Vec<String> = entries
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| !n.ends_with(".json") && !n.ends_with(".md") && n.contains(&wanted))
        .collect();
    names.sort();
    let mut ratios: BTreeMap<&str, [u32; 2]> = BTreeMap::new();
    for name in &names {
        let Ok(oracle) = std::fs::read_to_string(folder.join(format!("{name}.oracle.json"))) else {
            continue;
        };
        let oracle: Value = serde_json::from_str(&oracle).unwrap();
        let wanted = expected(&oracle);
        if wanted.is_empty() {
            continue;
        }
        let found = found(&folder.join(name));
        for (protocol, counts) in wanted {
            let have = found.0.get(protocol).copied().unwrap_or_default();
            let [good, all] = ratios.entry(protocol).or_default();
            *all += 1;
            *good += u32::from(have == counts);
            if have != counts {
                let why = EXPLAINED.iter().find(|(part, _)| name.contains(part)).map_or("", |(_, why)| *why);
                eprintln!("{name} {protocol}: {have:?}, tshark {counts:?} {why}");
            }
        }
    }
    eprintln!("{ratios:?} agree");
    for (protocol, [good, all]) in ratios {
        let least = AT_LEAST.iter().find(|(name, _)| *name == protocol).map_or(1.0, |(_, least)| *least);
        assert!(f64::from(good) >= least * f64::from(all), "{protocol}: {good} of {all}");
    }
}
