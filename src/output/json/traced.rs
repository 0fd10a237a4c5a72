//! The `span` record of an observation in a finished trace.

use serde::Serialize;
use store::{Attributes, ProcessInfo, Span as Observation};

use super::End;

/// The `span` record of one observation of a call in a finished trace: at a tap, or by one of the
/// processes.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "span")]
pub(crate) struct TracedSpan<'a> {
    protocol: &'static str,
    operation: &'a str,
    trace_id: String,
    span_id: String,
    parent_span_id: Option<String>,
    observed_at: &'static str,
    tap: Option<&'a str>,
    flow: Option<u64>,
    client: End,
    server: End,
    start_unix_ns: u64,
    end_unix_ns: u64,
    duration_ns: u64,
    connect_ns: Option<u64>,
    send_ns: u64,
    wait_ns: Option<u64>,
    transfer_ns: u64,
    network_ns: Option<u64>,
    outcome: &'static str,
    request: Option<store::Message>,
    response: Option<store::Message>,
    attributes: &'a Attributes,
    tcp: store::TcpTotals,
    process: Option<&'a ProcessInfo>,
}

impl<'a> From<&Observation<'a>> for TracedSpan<'a> {
    fn from(span: &Observation<'a>) -> Self {
        let (call, hop) = (span.call, span.hop);
        let client = hop.map_or_else(|| call.client.endpoint(), |hop| hop.client);
        let server = hop.map_or_else(|| call.server.endpoint(), |hop| hop.server);
        Self {
            protocol: call.protocol.as_str(),
            operation: &call.operation,
            trace_id: span.trace_id.to_string(),
            span_id: span.span_id.to_string(),
            parent_span_id: span.parent_span_id.map(|id| id.to_string()),
            observed_at: span.observed_at.as_str(),
            tap: hop.map(|hop| &*hop.tap),
            flow: hop.map(|hop| hop.flow),
            client: End::from(client).with_workload(call.client.workload.clone()),
            server: End::from(server).with_workload(call.server.workload.clone()),
            start_unix_ns: span.start_unix_ns,
            end_unix_ns: span.end_unix_ns,
            duration_ns: span.end_unix_ns.saturating_sub(span.start_unix_ns),
            connect_ns: span.phases.connect_ns,
            send_ns: span.phases.send_ns,
            wait_ns: span.phases.wait_ns,
            transfer_ns: span.phases.receive_ns,
            network_ns: call.network_ns,
            outcome: hop.map_or(call.outcome, |hop| hop.outcome).as_str(),
            request: hop.and_then(|hop| hop.request),
            response: hop.and_then(|hop| hop.response),
            attributes: &call.attributes,
            tcp: hop.map_or(call.tcp, |hop| hop.tcp),
            process: span.process,
        }
    }
}
