//! Numbers of whole requests and responses in real captures against what tshark 4.0 counts,
//! compared as the corpus's `score.py` compares them for the program, and for mDNS and LLMNR
//! besides.
//!
//! The captures and their oracles stand in `../shared/corpus/captures`, outside of this repository;
//! without them there is nothing to compare. `CORPUS=name` compares only captures whose name
//! contains it.

use std::collections::BTreeMap;
use std::path::Path;

use analyzer::{Analyzer, Config};
use capture::CaptureFile;
use fact::Protocol;
use fact::{Fact, Sink};
use serde_json::Value;
use wire::{InputClock, TapId};

/// Captures in which tshark counts otherwise, and why that is not what was said on the wire. They
/// count as differences all the same.
const EXPLAINED: &[(&str, &str)] = &[
    (
        "l4-007",
        "tshark without out-of-order reassembly misses the response; with it, it counts one as well",
    ),
    (
        "tls_ciphers",
        "three of the ClientHellos have the form of SSL 2.0, which tshark does not count as handshake messages",
    ),
];

/// Part of the captures that have to agree, by protocol; all of them for the others.
const AT_LEAST: &[(&str, f64)] = &[("http", 26.0 / 28.0), ("tls", 0.9)];

/// Protocols of which nothing is read yet.
const NOT_READ: &[Protocol] = &[];

/// Whole requests and responses by protocol, and by protocol and operation.
#[derive(Default)]
struct Counts(BTreeMap<String, [u64; 2]>);

impl Sink for Counts {
    fn emit(&mut self, fact: Fact<'_>) {
        if let Fact::Exchange(exchange) = fact {
            let protocol = exchange.protocol.as_str();
            let operation = exchange
                .operation
                .strip_prefix('H')
                .filter(|o| *o == "PUB")
                .unwrap_or(&exchange.operation);
            for name in [protocol.to_owned(), format!("{protocol}:{operation}")] {
                let [requests, responses] = self.0.entry(name).or_default();
                *requests += u64::from(exchange.request.is_some_and(|m| m.whole));
                *responses += u64::from(exchange.response.is_some_and(|m| m.whole));
            }
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
        if let Some(now) = clock.on_frame(frame.time) {
            analyzer.tick(now, &mut counts);
        }
        analyzer.frame(number, &frame, &mut counts);
    }
    analyzer.finish(&mut counts);
    counts
}

/// A protocol (and operation), its requests, and its responses where the oracle tells them.
type Expected = (Protocol, &'static str, u64, Option<u64>);

/// What the oracle's counts amount to: interim responses are not the answer to a request, 101 is; a
/// gRPC call is no HTTP/2 exchange.
fn expected(oracle: &Value) -> Vec<Expected> {
    let count = |layer: &str, name: &str| oracle["l7"][layer]["counts"][name].as_u64().unwrap_or(0);
    let listed = |layer: &str| {
        let layer = &oracle["l7"][layer];
        let complete = !layer["truncated_list"].as_bool().unwrap_or(false);
        layer["messages"].as_array().filter(|_| complete)
    };
    let mut out = Vec::new();
    let http = [count("http", "request"), count("http", "response")];
    if http != [0, 0] {
        let responses = listed("http")
            .map_or(http[1], |all| all.iter().filter(|m| is_answer(m)).count() as u64);
        out.push((Protocol::new("http"), "http", http[0], Some(responses)));
    }
    for protocol in [Protocol::new("dns"), Protocol::new("mdns"), Protocol::new("llmnr")] {
        let name = protocol.as_str();
        let counts = [count(name, "query"), count(name, "response")];
        if counts != [0, 0] {
            out.push((protocol, name, counts[0], Some(counts[1])));
        }
    }
    let is_command = |m: &&Value| m["kind"] == "array" && m["dir"] == "c2s";
    let commands = listed("resp").map_or(0, |all| all.iter().filter(is_command).count() as u64);
    let requests = [
        (
            Protocol::new("http2"),
            "http2",
            count("http2", "request").saturating_sub(count("grpc", "requests")),
        ),
        (Protocol::new("grpc"), "grpc", count("grpc", "requests")),
        (Protocol::new("mysql"), "mysql", count("mysql", "command")),
        (
            Protocol::new("postgresql"),
            "postgresql",
            count("pgsql", "fe:Simple query") + count("pgsql", "fe:Execute"),
        ),
        (Protocol::new("redis"), "redis", commands),
        (Protocol::new("kafka"), "kafka", count("kafka", "request")),
        (Protocol::new("mongodb"), "mongodb", count("mongo", "request")),
        (Protocol::new("mqtt"), "mqtt:PUBLISH", count("mqtt", "PUBLISH")),
        (Protocol::new("amqp"), "amqp:basic.publish", count("amqp", "method:Basic.40")),
        (Protocol::new("amqp"), "amqp:basic.deliver", count("amqp", "method:Basic.60")),
        (Protocol::new("nats"), "nats:PUB", count("nats", "PUB") + count("nats", "HPUB")),
        (Protocol::new("memcached"), "memcached", count("memcache", "text_request")),
        (Protocol::new("dubbo"), "dubbo", count("dubbo", "request")),
        (Protocol::new("tls"), "tls", count("tls", "client_hello")),
    ];
    out.extend(
        requests.into_iter().filter(|(.., n)| *n > 0).map(|(p, name, n)| (p, name, n, None)),
    );
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
        for (protocol, what, requests, responses) in wanted {
            if NOT_READ.contains(&protocol) {
                continue;
            }
            let have = found.0.get(what).copied().unwrap_or_default();
            let agrees = have[0] == requests && responses.is_none_or(|n| have[1] == n);
            let [good, all] = ratios.entry(protocol.as_str()).or_default();
            *all += 1;
            *good += u32::from(agrees);
            if !agrees {
                let why = EXPLAINED
                    .iter()
                    .find(|(part, _)| name.contains(part))
                    .map_or("", |(_, why)| *why);
                eprintln!("{name} {what}: {have:?}, tshark {requests} {responses:?} {why}");
            }
        }
    }
    eprintln!("{ratios:?} agree");
    for (protocol, [good, all]) in ratios {
        let least =
            AT_LEAST.iter().find(|(name, _)| *name == protocol).map_or(1.0, |(_, least)| *least);
        assert!(f64::from(good) >= least * f64::from(all), "{protocol}: {good} of {all}");
    }
}
