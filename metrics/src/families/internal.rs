//! Families about Wirespan itself: what it saw, what it lost, what it costs.

use std::borrow::Cow;

use fact::{Inference, Table};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use wire::Drops;
use wire::decode::Undecoded;

use super::info::table;
use super::label_family::LabelFamily;
use crate::tally::InternalTally;

type FloatCounter = Counter<f64, std::sync::atomic::AtomicU64>;

/// Result of the join for a system call or an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinResult {
    /// It found its counterpart.
    Joined,
    /// It found none in time.
    Unmatched,
    /// Several fitted.
    Ambiguous,
    /// Its process had requests in hand, and which of them caused it is not sure.
    Undecided,
    /// A record of a system call came after its place in time was passed.
    Late,
}

impl JoinResult {
    const ALL: [Self; 5] =
        [Self::Joined, Self::Unmatched, Self::Ambiguous, Self::Undecided, Self::Late];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Unmatched => "unmatched",
            Self::Ambiguous => "ambiguous",
            Self::Undecided => "undecided",
            Self::Late => "late",
        }
    }
}

table! {
    /// Wirespan itself: what it saw, what it lost, what it costs.
    pub(crate) struct Internal {
        capture_packets: LabelFamily<Counter>, "capture_packets", ["tap"],
            "Packets that reached analysis, by tap";
        capture_bytes: LabelFamily<Counter>, "capture_bytes", ["tap"],
            "Bytes on the wire of the packets that reached analysis, by tap";
        capture_drops: LabelFamily<Counter>, "capture_drops", ["tap", "reason"],
            "Packets lost before analysis, by tap and reason";
        undecoded: LabelFamily<Counter>, "frames_undecoded", ["reason"],
            "Frames that gave no TCP or UDP packet, by reason";
        stray: Counter, "stray_packets", [],
            "Packets of TCP connections that came after the record of their flow";
        gap_bytes: Counter, "stream_gap_bytes", [],
            "Bytes of streams that were never captured";
        inference: LabelFamily<Counter>, "protocol_inference", ["result"],
            "Conversations by what finding out their protocol came to";
        evictions: LabelFamily<Counter>, "table_evictions", ["table"],
            "Entries that had to go before their time because a table was full";
        channel_drops: Counter, "channel_drops", [],
            "Facts dropped because the store was too slow";
        ebpf_records: Counter, "ebpf_records", [],
            "Records of system calls read from the kernel";
        ebpf_drops: Counter, "ebpf_drops", [],
            "Records of system calls lost in the kernel's ring buffer";
        join: LabelFamily<Counter>, "join", ["result"],
            "Exchanges and system calls by how their join went";
        memory: LabelFamily<Gauge>, "memory" in Bytes, ["part"],
            "Memory by part";
        cpu: FloatCounter, "process_cpu" in Seconds, [],
            "CPU time of the process, user and system";
        resident: Gauge, "process_resident_memory" in Bytes, [],
            "Resident memory of the process";
    }
}

impl Internal {
    /// Creates the series of every closed set of label values.
    pub(crate) fn create_closed_sets(&self) {
        self.undecoded.create_all(Undecoded::ALL.map(Undecoded::as_str));
        self.inference.create_all(Inference::ALL.map(Inference::as_str));
        self.evictions.create_all(Table::ALL.map(Table::as_str));
        self.join.create_all(JoinResult::ALL.map(JoinResult::as_str));
    }

    /// Adds what a shard counted.
    pub(crate) fn add(&self, tally: &InternalTally) {
        let InternalTally { undecoded, inference, evictions, stray, gap_bytes } = tally;
        for (reason, &count) in
            Undecoded::ALL.iter().zip(undecoded).filter(|&(_, &count)| count > 0)
        {
            self.undecoded.get_or_create([reason.as_str().into()]).inc_by(count);
        }
        for (result, &count) in
            Inference::ALL.iter().zip(inference).filter(|&(_, &count)| count > 0)
        {
            self.inference.get_or_create([result.as_str().into()]).inc_by(count);
        }
        for (table, &entries) in
            Table::ALL.iter().zip(evictions).filter(|&(_, &entries)| entries > 0)
        {
            self.add_evictions(table.as_str(), entries);
        }
        self.stray.inc_by(*stray);
        self.gap_bytes.inc_by(*gap_bytes);
    }

    pub(crate) fn add_captured(&self, tap: &str, packets: u64, bytes: u64) {
        let tap = || [Cow::Owned(tap.to_owned())];
        self.capture_packets.get_or_create(tap()).inc_by(packets);
        self.capture_bytes.get_or_create(tap()).inc_by(bytes);
    }

    pub(crate) fn add_capture_drops(&self, tap: &str, drops: Drops) {
        let live = [("kernel", drops.kernel), ("failed", drops.failed)];
        // Only capture files tell of these.
        let of_files = [("interface", drops.interface), ("unattributed", drops.unattributed)];
        let of_files = of_files.into_iter().filter(|(_, count)| *count > 0);
        for (reason, count) in live.into_iter().chain(of_files) {
            self.capture_drops.get_or_create([tap.to_owned().into(), reason.into()]).inc_by(count);
        }
    }

    pub(crate) fn add_channel_drops(&self, facts: u64) {
        self.channel_drops.inc_by(facts);
    }

    pub(crate) fn add_ebpf_records(&self, records: u64, drops: u64) {
        self.ebpf_records.inc_by(records);
        self.ebpf_drops.inc_by(drops);
    }

    pub(crate) fn add_join_results(&self, result: JoinResult, count: u64) {
        self.join.get_or_create([result.as_str().into()]).inc_by(count);
    }

    pub(crate) fn add_evictions(&self, table: &'static str, entries: u64) {
        self.evictions.get_or_create([table.into()]).inc_by(entries);
    }

    pub(crate) fn set_memory(&self, part: &'static str, bytes: u64) {
        self.memory.get_or_create([part.into()]).set(gauge_value(bytes));
    }

    pub(crate) fn update_process(&self, cpu_seconds: f64, resident_bytes: u64) {
        self.cpu.inc_by(cpu_seconds.max(0.0));
        self.resident.set(gauge_value(resident_bytes));
    }
}

fn gauge_value(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
