//! All families together, and what the binary adds to them.

use std::sync::Arc;

use prometheus_client::registry::Registry;
use wire::Drops;

use crate::config::Config;
use crate::edge::Edge;
use crate::exemplars::Exemplars;
use crate::families::{
    Build, Flows, Internal, InvariantFailures, JoinResult, PREFIX, Requests, Tcp,
};
use crate::tally::Tally;
use crate::text::{Format, to_prometheus};
use crate::traced_call::TracedCall;

/// All families.
#[derive(Debug)]
pub struct Metrics {
    pub(crate) config: Config,
    pub(crate) requests: Requests,
    pub(crate) internal: Internal,
    flows: Flows,
    tcp: Tcp,
    exemplars: Exemplars,
    registry: Registry,
}

impl Metrics {
    /// Makes and registers every family.
    pub fn new(config: Config) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let flows = Flows::register(&mut registry, config.max_series);
        let tcp = Tcp::register(&mut registry, config.max_series);
        let requests = Requests::register(&mut registry, config.max_series);
        Build::register(&mut registry, config.version);
        let internal = Internal::register(&mut registry, config.max_series);
        internal.create_closed_sets();
        InvariantFailures::register(&mut registry);
        let exemplars = Exemplars::new(config.max_series);
        Self { config, requests, internal, flows, tcp, exemplars, registry }
    }

    /// Adds what a shard counted on one edge.
    pub(crate) fn add(&self, edge: &Arc<Edge>, tally: &Tally) {
        self.flows.add(edge, &tally.flows);
        self.tcp.add(edge, &tally.tcp);
        self.requests.add(edge, &tally.requests);
    }

    /// Writes all families as text.
    pub fn encode(&self, format: Format) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        match format {
            Format::OpenMetrics => self.exemplars.annotate(&text),
            Format::Prometheus => to_prometheus(&text),
        }
    }

    /// Whether operations of HTTP requests have routes, so that a [`TracedCall`] needs its path.
    pub fn has_routes(&self) -> bool {
        self.config.routes
    }

    /// Makes a call of a finished trace the exemplar of the bucket that its duration is counted in.
    pub fn set_exemplar(&self, call: &TracedCall<'_>) {
        let operation = call.labelled_operation(self.config.routes);
        let series =
            self.requests.duration_series(&Arc::new(call.edge(self.config.addresses)), operation);
        self.exemplars.set(&series, call.trace_id, call.duration_ns, call.end_unix_ns);
    }

    /// Counts what the network had of a call of a finished trace, on the edge of one of its taps.
    pub fn add_call_network(&self, call: &TracedCall<'_>, network_ns: u64) {
        self.requests.add_network(&Arc::new(call.edge(self.config.addresses)), network_ns);
    }
}

/// Figures that come from the binary and not from facts. Each is what was added since the last
/// call, unless its method sets a value.
impl Metrics {
    /// Adds packets and bytes on the wire that came from a tap.
    pub fn add_captured(&self, tap: &str, packets: u64, bytes: u64) {
        self.internal.add_captured(tap, packets, bytes);
    }

    /// Adds packets that were lost before analysis. Where one ring serves many interfaces the
    /// kernel does not attribute the loss to one of them: `tap` names the ring then.
    pub fn add_capture_drops(&self, tap: &str, drops: Drops) {
        self.internal.add_capture_drops(tap, drops);
    }

    /// Adds facts that the store's channel had no room for.
    pub fn add_channel_drops(&self, facts: u64) {
        self.internal.add_channel_drops(facts);
    }

    /// Adds records of system calls: read, and lost in the kernel.
    pub fn add_ebpf_records(&self, records: u64, drops: u64) {
        self.internal.add_ebpf_records(records, drops);
    }

    /// Adds results of joins.
    pub fn add_join_results(&self, result: JoinResult, count: u64) {
        self.internal.add_join_results(result, count);
    }

    /// Adds entries that a full table outside of the analyzer evicted.
    pub fn add_evictions(&self, table: &'static str, entries: u64) {
        self.internal.add_evictions(table, entries);
    }

    /// Sets the memory that a part of the program holds now, in bytes.
    pub fn set_memory(&self, part: &'static str, bytes: u64) {
        self.internal.set_memory(part, bytes);
    }

    /// Adds CPU time in seconds since the last call, and sets the resident memory in bytes.
    pub fn update_process(&self, cpu_seconds: f64, resident_bytes: u64) {
        self.internal.update_process(cpu_seconds, resident_bytes);
    }
}
