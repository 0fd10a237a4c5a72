//! The `flow` record.

use std::net::IpAddr;
use std::sync::Arc;

use fact::{FlowRecord, Handshake, Trouble, TunnelRecord};
use serde::Serialize;
use wire::Endpoint;

use super::End;
use super::direction::Direction;

/// The `flow` record.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "flow")]
pub(crate) struct Flow<'a> {
    id: u64,
    tap: &'a str,
    protocol: &'static str,
    client: End,
    server: End,
    client_by: &'static str,
    vlans: &'a [u16],
    tunnels: Vec<Tunnel>,
    start_unix_ns: u64,
    end_unix_ns: u64,
    state: &'static str,
    close_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<&'static str>,
    to_server: Direction,
    to_client: Direction,
    handshake: Option<Shake>,
    connect_ns: Option<u64>,
    l7: Option<&'static str>,
    requests: u64,
    responses: u64,
    errors: u64,
}

#[derive(Debug, Serialize)]
struct Tunnel {
    kind: &'static str,
    id: Option<u32>,
    outer_source: Option<IpAddr>,
    outer_destination: Option<IpAddr>,
}

impl From<&TunnelRecord> for Tunnel {
    fn from(t: &TunnelRecord) -> Self {
        Self {
            kind: t.kind,
            id: t.id,
            outer_source: t.outer_source,
            outer_destination: t.outer_destination,
        }
    }
}

#[derive(Debug, Serialize)]
struct Shake {
    complete: bool,
    syn_to_syn_ack_ns: Option<i64>,
    syn_ack_to_ack_ns: Option<i64>,
    rtt_ns: Option<i64>,
}

impl From<Handshake> for Shake {
    fn from(h: Handshake) -> Self {
        Self {
            complete: h.complete,
            syn_to_syn_ack_ns: h.syn_to_syn_ack_ns,
            syn_ack_to_ack_ns: h.syn_ack_to_ack_ns,
            rtt_ns: h.rtt_ns(),
        }
    }
}

impl<'a> Flow<'a> {
    pub(crate) fn new(record: &'a FlowRecord, tap: &'a str) -> Self {
        let l7 = record.l7;
        Self {
            id: record.id.0,
            tap,
            protocol: record.transport.as_str(),
            client: record.client.into(),
            server: record.server.into(),
            client_by: record.client_by.as_str(),
            vlans: &record.vlans,
            tunnels: record.tunnels.iter().map(Tunnel::from).collect(),
            start_unix_ns: record.start.as_nanos(),
            end_unix_ns: record.end.as_nanos(),
            state: record.state.as_str(),
            close_reason: record.close_reason.map(|reason| reason.as_str()),
            trouble: record.trouble.map(Trouble::as_str),
            notes: record.notes.names().collect(),
            to_server: (&record.directions.to_server).into(),
            to_client: (&record.directions.to_client).into(),
            handshake: record.handshake.map(Shake::from),
            connect_ns: record.handshake.and_then(|handshake| handshake.connect_ns),
            l7: l7.map(|l7| l7.protocol.as_str()),
            requests: l7.map_or(0, |l7| l7.requests),
            responses: l7.map_or(0, |l7| l7.responses),
            errors: l7.map_or(0, |l7| l7.errors),
        }
    }

    /// The record with the names of the workloads at its ends, as far as `workload` knows them.
    pub(crate) fn with_workloads(
        self,
        record: &FlowRecord,
        workload: impl Fn(Endpoint) -> Option<Arc<str>>,
    ) -> Self {
        let [client, server] = [record.client, record.server]
            .map(|endpoint| End::from(endpoint).with_workload(workload(endpoint)));
        Self { client, server, ..self }
    }
}
