//! Spans of a trace: process, tap, call.

use crate::hash::Fingerprint;
use crate::model::{Call, Hop, ProcessInfo, SpanId, Trace, TraceId};

/// Who saw a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObservedAt {
    /// The process that asked.
    ClientProcess,
    /// A tap on the way.
    Tap,
    /// The process that answered.
    ServerProcess,
}

impl ObservedAt {
    /// Name in `span` records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientProcess => "client_process",
            Self::Tap => "tap",
            Self::ServerProcess => "server_process",
        }
    }
}

/// One observation of a call as a span. Its parent is the observation before it on the path; that
/// of the first is the last observation of the calling process's own call.
#[derive(Clone, Debug)]
pub struct Span<'a> {
    /// The trace.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// Its parent; none for the first of the root.
    pub parent_span_id: Option<SpanId>,
    /// Who saw it.
    pub observed_at: ObservedAt,
    /// The call that it is an observation of.
    pub call: &'a Call,
    /// Where a tap saw it.
    pub hop: Option<&'a Hop>,
    /// Which process saw it.
    pub process: Option<&'a ProcessInfo>,
    /// First sign of it there, in nanoseconds since the epoch.
    pub start_unix_ns: u64,
    /// Last sign of it there, in nanoseconds since the epoch.
    pub end_unix_ns: u64,
}

/// All observations of all calls of a trace: of each call client process, taps in path order,
/// server process, and then of the calls that it caused.
pub fn flatten(trace: &Trace) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut stack: Vec<(&Call, Option<SpanId>)> = vec![(&trace.root, None)];
    while let Some((call, mut parent)) = stack.pop() {
        let mut push = |observed_at, index: usize, hop, process, (start, end): (u64, u64)| {
            let span_id = SpanId(span_id(call, observed_at, index));
            spans.push(Span {
                trace_id: trace.trace_id,
                span_id,
                parent_span_id: parent,
                observed_at,
                call,
                hop,
                process,
                start_unix_ns: start,
                end_unix_ns: end.max(start),
            });
            parent = Some(span_id);
        };
        if let Some(process) = &call.client.process {
            let start = call.client.sent_ns.unwrap_or(call.start_unix_ns);
            let end = call.client.received_ns.unwrap_or(call.end_unix_ns);
            push(ObservedAt::ClientProcess, 0, None, Some(process), (start, end));
        }
        for (index, hop) in call.hops.iter().enumerate() {
            let start = hop.request.or(hop.response).map_or(call.start_unix_ns, |m| m.first_ns);
            let end = hop.response.or(hop.request).map_or(call.end_unix_ns, |m| m.last_ns);
            push(ObservedAt::Tap, index, Some(hop), None, (start, end));
        }
        if let Some(process) = &call.server.process {
            let start =
                call.server.received_ns.or(call.server.sent_ns).unwrap_or(call.start_unix_ns);
            let end = call.server.finished_ns.unwrap_or(call.end_unix_ns);
            push(ObservedAt::ServerProcess, 0, None, Some(process), (start, end));
        }
        stack.extend(call.children.iter().rev().map(|child| (child, parent)));
    }
    spans
}

fn span_id(call: &Call, at: ObservedAt, index: usize) -> u64 {
    let id = Fingerprint::new().with_number(call.span_id.0).with(at.as_str().as_bytes());
    id.with_number(index as u64).bits64()
}
