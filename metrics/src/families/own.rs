use std::borrow::Cow;

use fact::{Inference, Table};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use wire::Drops;
use wire::decode::Undecoded;

use super::Metrics;

type Labels<const N: usize> = [(&'static str, Cow<'static, str>); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;

/// How a system call or exchange fared in the join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinResult {
    /// It found its counterpart.
    Joined,
    /// It found none in time.
    Unmatched,
    /// Several fitted.
    Ambiguous,
}

impl JoinResult {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Unmatched => "unmatched",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// Wirespan itself: what it saw, what it lost, what it costs.
#[derive(Debug)]
pub(crate) struct Own {
    capture_packets: Counters<1>,
    capture_bytes: Counters<1>,
    capture_drops: Counters<2>,
    undecoded: Counters<1>,
    pub(crate) gap_bytes: Counter,
    inference: Counters<1>,
    evictions: Counters<1>,
    channel_drops: Counter,
    ebpf_records: Counter,
    ebpf_drops: Counter,
    join: Counters<1>,
    memory: Family<Labels<1>, Gauge>,
    cpu: Counter<f64, std::sync::atomic::AtomicU64>,
    resident: Gauge,
}

impl Own {
    pub(crate) fn register(registry: &mut Registry, version: &'static str) -> Self {
        let it = Self {
            capture_packets: Family::default(),
            capture_bytes: Family::default(),
            capture_drops: Family::default(),
            undecoded: Family::default(),
            gap_bytes: Counter::default(),
            inference: Family::default(),
            evictions: Family::default(),
            channel_drops: Counter::default(),
            ebpf_records: Counter::default(),
            ebpf_drops: Counter::default(),
            join: Family::default(),
            memory: Family::default(),
            cpu: Counter::default(),
            resident: Gauge::default(),
        };
        let r = registry;
        r.register("build", "Version of the program", Info::new([("version", version)]));
        r.register("capture_packets", "Packets that reached analysis, by tap", it.capture_packets.clone());
        r.register(
            "capture_bytes",
            "Bytes on the wire of the packets that reached analysis, by tap",
            it.capture_bytes.clone(),
        );
        r.register(
            "capture_drops",
            "Packets lost before analysis, by tap and reason",
            it.capture_drops.clone(),
        );
        r.register(
            "frames_undecoded",
            "Frames that gave no TCP or UDP packet, by reason",
            it.undecoded.clone(),
        );
        r.register("stream_gap_bytes", "Bytes of streams that were never captured", it.gap_bytes.clone());
        r.register(
            "protocol_inference",
            "Conversations by what finding out their protocol came to",
            it.inference.clone(),
        );
        r.register(
            "table_evictions",
            "Entries that had to go before their time because a table was full",
            it.evictions.clone(),
        );
        r.register("channel_drops", "Facts dropped because the store was too slow", it.channel_drops.clone());
        r.register("ebpf_records", "Records of system calls read from the kernel", it.ebpf_records.clone());
        r.register(
            "ebpf_drops",
            "Records of system calls lost in the kernel's ring buffer",
            it.ebpf_drops.clone(),
        );
        r.register("join", "Exchanges and system calls by how their join went", it.join.clone());
        r.register_with_unit("memory", "Memory by part", Unit::Bytes, it.memory.clone());
        r.register_with_unit(
            "process_cpu",
            "CPU time of the process, user and system",
            Unit::Seconds,
            it.cpu.clone(),
        );
        r.register_with_unit(
            "process_resident_memory",
            "Resident memory of the process",
            Unit::Bytes,
            it.resident.clone(),
        );
        // Counters with a closed set of labels start at 0, so that the first increase is seen as one.
        for reason in Undecoded::ALL {
            let _ = it.undecoded.get_or_create(&[("reason", reason.as_str().into())]);
        }
        for result in Inference::ALL {
            let _ = it.inference.get_or_create(&[("result", result.as_str().into())]);
        }
        for table in Table::ALL {
            let _ = it.evictions.get_or_create(&[("table", table.as_str().into())]);
        }
        for result in [JoinResult::Joined, JoinResult::Unmatched, JoinResult::Ambiguous] {
            let _ = it.join.get_or_create(&[("result", result.as_str().into())]);
        }
        it
    }

    pub(crate) fn undecoded(&self, reason: Undecoded) {
        self.undecoded.get_or_create(&[("reason", reason.as_str().into())]).inc();
    }

    pub(crate) fn inferred(&self, result: Inference, times: u64) {
        self.inference.get_or_create(&[("result", result.as_str().into())]).inc_by(times);
    }

    pub(crate) fn evicted(&self, table: &'static str, entries: u64) {
        self.evictions.get_or_create(&[("table", table.into())]).inc_by(entries);
    }
}

/// What the binary tells; every figure is what was added since the last call, unless it says otherwise.
impl Metrics {
    /// Packets and bytes on the wire that a tap gave.
    pub fn captured(&self, tap: &str, packets: u64, bytes: u64) {
        let labels = [("tap", Cow::Owned(tap.to_owned()))];
        self.own.capture_packets.get_or_create(&labels).inc_by(packets);
        self.own.capture_bytes.get_or_create(&labels).inc_by(bytes);
    }

    /// Packets that were lost before analysis. Where one ring serves many interfaces the kernel does not say whose they were: `tap`
    /// then names the ring.
    pub fn dropped(&self, tap: &str, drops: Drops) {
        let by = |reason: &'static str| [("tap", Cow::Owned(tap.to_owned())), ("reason", reason.into())];
        self.own.capture_drops.get_or_create(&by("kernel")).inc_by(drops.kernel);
        self.own.capture_drops.get_or_create(&by("failed")).inc_by(drops.failed);
    }

    /// Facts that the store's channel had no room for.
    pub fn channel_dropped(&self, facts: u64) {
        self.own.channel_drops.inc_by(facts);
    }

    /// Records of system calls: read, and lost in the kernel.
    pub fn ebpf(&self, records: u64, drops: u64) {
        self.own.ebpf_records.inc_by(records);
        self.own.ebpf_drops.inc_by(drops);
    }

    /// Results of joins.
    pub fn joined(&self, result: JoinResult, count: u64) {
        self.own.join.get_or_create(&[("result", result.as_str().into())]).inc_by(count);
    }

    /// Entries of a table outside of the analyzer that had to go before their time.
    pub fn evicted(&self, table: &'static str, entries: u64) {
        self.own.evicted(table, entries);
    }

    /// Memory that a part of the program holds now, in bytes.
    pub fn memory(&self, part: &'static str, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.own.memory.get_or_create(&[("part", part.into())]).set(bytes);
    }

    /// CPU time in seconds since the last call, and resident memory in bytes now.
    pub fn process(&self, cpu_seconds: f64, resident_bytes: u64) {
        self.own.cpu.inc_by(cpu_seconds.max(0.0));
        self.own.resident.set(i64::try_from(resident_bytes).unwrap_or(i64::MAX));
    }
}
