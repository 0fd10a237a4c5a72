//! The `summary` record.

use std::collections::BTreeMap;
use std::io::Write;

use fact::{Fact, Sink};
use fact::{Outcome, Table};
use serde::Serialize;
use store::Counters;
use wire::Drops;
use wire::decode::Undecoded;

use super::units::{bytes, count};

/// The `summary` record: what was seen, and everything lost or skipped by reason.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(tag = "type", rename = "summary")]
pub(crate) struct Summary {
    /// Frames handed to the analyzer.
    pub(crate) packets: u64,
    /// Their bytes on the wire.
    pub(crate) bytes: u64,
    /// Flows that were opened.
    pub(crate) flows: u64,
    /// Exchanges.
    pub(crate) spans: u64,
    /// Of these, ended in an error of client or server, a reset, or without an answer.
    pub(crate) spans_with_errors: u64,
    /// Traces that were completed; none where calls were not joined into traces.
    pub(crate) traces: Option<u64>,
    /// Records of system calls.
    pub(crate) system_calls: u64,
    /// Time from the first to the last frame, in nanoseconds.
    pub(crate) duration_ns: u64,
    /// Frames before the filter expression had its say.
    pub(crate) captured: u64,
    /// Frames that the filter expression passed over.
    pub(crate) filtered: u64,
    /// Frames that came through a ring and were not analysed, by reason; only of live captures.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) skipped: BTreeMap<&'static str, u64>,
    /// Frames that gave no packet, by reason.
    pub(crate) undecoded: BTreeMap<&'static str, u64>,
    /// Of these, frames of link types that are not decoded, by number and name; only of captures.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) link_types: BTreeMap<String, u64>,
    /// Packets of TCP connections that came after the record of their flow.
    #[serde(skip_serializing_if = "super::json::is_zero")]
    pub(crate) stray_packets: u64,
    /// Capture files that went on where another one ended, so that both have the same taps.
    #[serde(skip_serializing_if = "super::json::is_zero")]
    pub(crate) continued_files: u64,
    /// Bytes of streams that were never captured.
    pub(crate) stream_gap_bytes: u64,
    /// Entries that left a full table, by table.
    pub(crate) evicted: BTreeMap<&'static str, u64>,
    /// Times a ring was full, so that the kernel dropped frames.
    pub(crate) ring_freezes: u64,
    /// Frames and facts lost inside of this node, by reason.
    pub(crate) dropped: BTreeMap<&'static str, u64>,
    /// Packets that the programs which wrote capture files say were lost, by tap and reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) dropped_by_tap: BTreeMap<String, BTreeMap<&'static str, u64>>,
}

/// What one thread adds to a summary while it works: plain counters, no names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Captured {
    flows: u64,
    spans: u64,
    errors: u64,
    undecoded: [u64; Undecoded::ALL.len()],
    stray: u64,
    gap_bytes: u64,
    evicted: [u64; Table::ALL.len()],
}

impl Sink for Captured {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::FlowOpened(_) => self.flows += 1,
            Fact::Exchange(exchange) => {
                self.spans += 1;
                self.errors += u64::from(exchange.outcome != Outcome::Ok);
            }
            Fact::Undecoded { reason, .. } => self.undecoded[reason.index()] += 1,
            Fact::Stray { .. } => self.stray += 1,
            Fact::StreamGap { bytes, .. } => self.gap_bytes += bytes,
            Fact::Evicted { table, entries } => self.evicted[table as usize] += entries,
            _ => {}
        }
    }
}

impl Summary {
    /// Adds what one thread found.
    pub(crate) fn add(&mut self, found: &Captured) {
        self.flows += found.flows;
        self.spans += found.spans;
        self.spans_with_errors += found.errors;
        self.stray_packets += found.stray;
        self.stream_gap_bytes += found.gap_bytes;
        for reason in Undecoded::ALL {
            add(&mut self.undecoded, reason.as_str(), found.undecoded[reason.index()]);
        }
        for table in Table::ALL {
            add(&mut self.evicted, table.as_str(), found.evicted[table as usize]);
        }
    }

    /// Adds what a source lost.
    pub(crate) fn lost(&mut self, drops: Drops) {
        self.ring_freezes += drops.freezes;
        for (reason, n) in by_reason(drops) {
            self.dropped_by(reason, n);
        }
    }

    /// Adds what was lost at one tap of a capture file.
    pub(crate) fn lost_at(&mut self, tap: String, drops: Drops) {
        self.lost(drops);
        let at_tap = self.dropped_by_tap.entry(tap).or_default();
        for (reason, n) in by_reason(drops) {
            add(at_tap, reason, n);
        }
    }

    /// Adds a loss by its reason.
    pub(crate) fn dropped_by(&mut self, reason: &'static str, n: u64) {
        add(&mut self.dropped, reason, n);
    }

    /// Adds what a store made and what it could not keep.
    pub(crate) fn add_store(&mut self, counters: &Counters) {
        self.traces = Some(counters.traces);
        self.dropped_by("observations_of_one_call", counters.excess_observations);
    }

    /// Adds frames that were passed over by their reason.
    pub(crate) fn skipped_by(&mut self, reason: &'static str, n: u64) {
        add(&mut self.skipped, reason, n);
    }

    /// Prints the lines for people on standard error.
    pub(crate) fn print(&self) {
        let mut stderr = std::io::stderr().lock();
        for line in self.lines() {
            // Standard error may be closed; there is no other place to tell.
            let _ = writeln!(stderr, "{line}");
        }
    }

    /// The lines for people, in the manner of tcpdump's last words.
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("{} captured, {}", count(self.captured, "packet"), bytes(self.bytes)),
            format!(
                "{} analysed in {}, {}{}",
                count(self.packets, "packet"),
                count(self.flows, "flow"),
                count(self.spans, "exchange"),
                if self.spans_with_errors > 0 {
                    format!(" ({} with errors)", self.spans_with_errors)
                } else {
                    String::new()
                }
            ),
        ];
        for (place, failures) in wire::invariant_failures() {
            lines.push(format!(
                "{} in {place}: this is a bug, and what is told above may be wrong",
                count(failures, "failed invariant")
            ));
        }
        if self.filtered > 0 {
            lines.push(format!("{} passed over by the filter", count(self.filtered, "packet")));
        }
        if !self.skipped.is_empty() {
            let total = self.skipped.values().sum();
            let reasons: Vec<_> = self
                .skipped
                .iter()
                .map(|(reason, n)| format!("{n} {}", reason.replace('_', " ")))
                .collect();
            lines.push(format!("{} skipped ({})", count(total, "packet"), reasons.join(", ")));
        }
        for (link_type, n) in &self.link_types {
            lines.push(format!("{} not decoded: link type {link_type}", count(*n, "packet")));
        }
        let named: u64 = self.link_types.values().sum();
        for (reason, n) in &self.undecoded {
            let n =
                if *reason == Undecoded::LinkType.as_str() { n.saturating_sub(named) } else { *n };
            if n > 0 {
                lines.push(format!(
                    "{} not decoded: {}",
                    count(n, "packet"),
                    reason.replace('_', " ")
                ));
            }
        }
        if self.continued_files > 0 {
            lines.push(format!(
                "{} continued by the next: read as one capture (`--rotated never` keeps them apart)",
                count(self.continued_files, "file")
            ));
        }
        if self.stray_packets > 0 {
            lines.push(format!(
                "{} after the record of their connection",
                count(self.stray_packets, "packet")
            ));
        }
        if self.stream_gap_bytes > 0 {
            lines.push(format!(
                "{} of streams never captured",
                count(self.stream_gap_bytes, "byte")
            ));
        }
        for (table, n) in &self.evicted {
            lines.push(format!(
                "{} evicted: {} limit reached",
                count(*n, "entry").replace("entrys", "entries"),
                table.replace('_', " ")
            ));
        }
        let by_kernel = self.dropped.get("kernel").copied().unwrap_or(0);
        lines.push(format!("{} dropped by kernel", count(by_kernel, "packet")));
        for (reason, n) in self.dropped.iter().filter(|(reason, _)| **reason != "kernel") {
            lines.push(format!("{n} dropped: {}", reason.replace('_', " ")));
        }
        lines
    }
}

/// Packets that were lost before analysis, by reason.
const fn by_reason(drops: Drops) -> [(&'static str, u64); 4] {
    [
        ("kernel", drops.kernel),
        ("kernel_failed", drops.failed),
        ("interface", drops.interface),
        ("unattributed", drops.unattributed),
    ]
}

fn add(map: &mut BTreeMap<&'static str, u64>, name: &'static str, n: u64) {
    if n > 0 {
        *map.entry(name).or_default() += n;
    }
}
