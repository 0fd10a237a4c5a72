//! Who calls whom, over traces.

use std::collections::BTreeMap;

use fact::Protocol;
use serde::{Deserialize, Serialize};

use crate::model::{Peer, Trace, protocol_text};

/// Calls of one service by another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEdge {
    /// Command of the calling process, else its address.
    pub client: String,
    /// Command of the called process, else its address and port.
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

/// Who calls whom, over `traces`; in the order of client, server and protocol.
pub fn service_map(traces: &[Trace]) -> Vec<ServiceEdge> {
    let mut edges: BTreeMap<(String, String, Protocol), ServiceEdge> = BTreeMap::new();
    for trace in traces {
        trace.visit(|call| {
            let client = name(&call.client, false);
            let server = name(&call.server, true);
            let key = (client.clone(), server.clone(), call.protocol);
            let edge = edges.entry(key).or_insert_with(|| ServiceEdge {
                client,
                server,
                protocol: call.protocol,
                calls: 0,
                errors: 0,
                total_ns: 0,
                max_ns: 0,
            });
            edge.calls += 1;
            edge.errors += u64::from(call.is_error());
            edge.total_ns = edge.total_ns.saturating_add(call.duration_ns());
            edge.max_ns = edge.max_ns.max(call.duration_ns());
        });
    }
    edges.into_values().collect()
}

fn name(peer: &Peer, with_port: bool) -> String {
    match &peer.process {
        Some(process) => process.command.clone(),
        None if with_port => peer.endpoint().to_string(),
        None => peer.address.to_string(),
    }
}
