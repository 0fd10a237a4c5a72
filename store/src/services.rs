//! Who calls whom, over traces.

use std::collections::BTreeMap;

use fact::Protocol;
use serde::{Deserialize, Serialize};

use crate::model::{Peer, Trace, protocol_text};

/// Calls of one service by another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEdge {
    /// Workload that calls, else its address.
    pub client: String,
    /// Workload that is called, else its address and port.
    pub server: String,
    /// Application protocol.
    #[serde(with = "protocol_text")]
    pub protocol: Protocol,
    /// Calls.
    pub calls: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Sum of their durations in nanoseconds.
    pub total_ns: u64,
    /// Longest duration in nanoseconds.
    pub max_ns: u64,
}

/// Who calls whom, as trace after trace is added.
#[derive(Debug, Default)]
pub(crate) struct ServiceMap {
    edges: BTreeMap<(String, String, Protocol), Totals>,
}

#[derive(Debug, Default)]
struct Totals {
    calls: u64,
    errors: u64,
    total_ns: u64,
    max_ns: u64,
}

impl ServiceMap {
    pub(crate) fn add(&mut self, trace: &Trace) {
        trace.visit(|call| {
            let key = (name(&call.client, false), name(&call.server, true), call.protocol);
            let totals = self.edges.entry(key).or_default();
            totals.calls += 1;
            totals.errors += u64::from(call.is_error());
            totals.total_ns = totals.total_ns.saturating_add(call.duration_ns());
            totals.max_ns = totals.max_ns.max(call.duration_ns());
        });
    }

    /// In the order of client, server and protocol.
    pub(crate) fn into_edges(self) -> Vec<ServiceEdge> {
        let edge = |((client, server, protocol), totals): ((String, String, Protocol), Totals)| {
            let Totals { calls, errors, total_ns, max_ns } = totals;
            ServiceEdge { client, server, protocol, calls, errors, total_ns, max_ns }
        };
        self.edges.into_iter().map(edge).collect()
    }
}

fn name(peer: &Peer, with_port: bool) -> String {
    match peer.name() {
        Some(name) => name.to_owned(),
        None if with_port => peer.endpoint().to_string(),
        None => peer.address.to_string(),
    }
}
