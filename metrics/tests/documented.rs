//! The families that users read about are the families that exist.

use std::collections::BTreeSet;

use fact::{Metric, TcpCounter};
use metrics::{Config, Format, Metrics};

#[test]
fn the_documented_families_are_the_registered_ones() {
    let page = include_str!("../../docs/metrics.md");
    let documented: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.starts_with("wirespan_"))
        .collect();
    // Families without series are not in the text; their source names them.
    let sources = [
        include_str!("../src/families/flows.rs"),
        include_str!("../src/families/own.rs"),
        include_str!("../src/families/requests.rs"),
        include_str!("../src/families/tcp.rs"),
    ]
    .join("\n");
    let counters = TcpCounter::ALL.iter().filter(|c| matches!(c.metric(), Some(Metric::Family(_))));
    let counters: Vec<String> = counters.map(|counter| format!("tcp_{}", counter.as_str())).collect();
    let registered: Vec<&str> = sources
        .split(".register")
        .skip(1)
        .filter_map(|call| call.split_once('(')?.1.trim_start().strip_prefix('"')?.split('"').next())
        .chain(counters.iter().map(String::as_str))
        .collect();
    assert!(registered.len() > 25, "found only {registered:?}");
    for name in &registered {
        assert!(documented.iter().any(|d| stem(d) == *name), "wirespan_{name} is not in docs/metrics.md");
    }
    for name in &documented {
        assert!(registered.contains(&stem(name)), "{name} is documented but not registered");
    }
    let text = Metrics::new(Config::default()).encode(Format::Prometheus);
    for line in text.lines().filter_map(|l| l.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap_or_default();
        assert!(documented.contains(name), "{name} is exposed but not in docs/metrics.md");
    }
}

/// The name as registered: without prefix, unit and type suffix.
fn stem(name: &str) -> &str {
    let mut stem = name.trim_start_matches("wirespan_");
    for suffix in ["_total", "_info", "_seconds"] {
        stem = stem.strip_suffix(suffix).unwrap_or(stem);
    }
    match stem {
        "memory_bytes" => "memory",
        "process_resident_memory_bytes" => "process_resident_memory",
        other => other,
    }
}
