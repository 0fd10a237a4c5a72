//! Spans of a trace: process, tap, call.

use fact::Phases;

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
    /// Where the time between went; the connection was opened before that.
    pub phases: Phases,
}

/// All observations of all calls of a trace: of each call client process, taps in path order,
/// server process, and then of the calls that it caused.
pub fn flatten(trace: &Trace) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut stack: Vec<(&Call, Option<SpanId>)> = vec![(&trace.root, None)];
    while let Some((call, mut parent)) = stack.pop() {
        let mut push = |observed_at, index: usize, hop, process, times: Times| {
            let span_id = SpanId(span_id(call, observed_at, index));
            spans.push(Span {
                trace_id: trace.trace_id,
                span_id,
                parent_span_id: parent,
                observed_at,
                call,
                hop,
                process,
                start_unix_ns: times.start,
                end_unix_ns: times.end.max(times.start),
                phases: times.phases(),
            });
            parent = Some(span_id);
        };
        if let Some(process) = &call.client.process {
            push(ObservedAt::ClientProcess, 0, None, Some(process), Times::of_client(call));
        }
        for (index, hop) in call.hops.iter().enumerate() {
            push(ObservedAt::Tap, index, Some(hop), None, Times::of_hop(call, hop));
        }
        if let Some(process) = &call.server.process {
            push(ObservedAt::ServerProcess, 0, None, Some(process), Times::of_server(call));
        }
        stack.extend(call.children.iter().rev().map(|child| (child, parent)));
    }
    spans
}

/// When the messages of a call passed one point, in nanoseconds since the epoch.
#[derive(Clone, Copy, Debug)]
struct Times {
    connect_ns: Option<u64>,
    start: u64,
    request_last: Option<u64>,
    response_first: Option<u64>,
    /// A response is or was waited for.
    is_answered: bool,
    end: u64,
}

impl Times {
    fn of_client(call: &Call) -> Self {
        let start = call.start_unix_ns.saturating_add(call.connect_ns.unwrap_or(0));
        let request_last = start.saturating_add(call.send_ns);
        Self {
            connect_ns: call.connect_ns,
            start,
            request_last: call.wait_ns.map(|_| request_last),
            response_first: call.wait_ns.map(|wait| request_last.saturating_add(wait)),
            is_answered: call.wait_ns.is_some(),
            end: call.end_unix_ns,
        }
    }

    fn of_hop(call: &Call, hop: &Hop) -> Self {
        let (request, response) = (hop.request, hop.response);
        let end = response.or(request).map_or(call.end_unix_ns, |m| m.last_ns);
        Self {
            connect_ns: hop.connect_ns,
            start: request.or(response).map_or(call.start_unix_ns, |m| m.first_ns),
            request_last: request.map(|m| m.last_ns),
            response_first: response.map(|m| m.first_ns),
            is_answered: response.is_some() || hop.waited_until_ns.is_some(),
            end: hop.waited_until_ns.map_or(end, |until| until.max(end)),
        }
    }

    fn of_server(call: &Call) -> Self {
        let server = &call.server;
        Self {
            connect_ns: None,
            start: server.received_ns.or(server.sent_ns).unwrap_or(call.start_unix_ns),
            request_last: server.last_received_ns.or(server.received_ns),
            response_first: server.sent_ns,
            is_answered: server.sent_ns.is_some(),
            end: server.finished_ns.unwrap_or(call.end_unix_ns),
        }
    }

    fn phases(self) -> Phases {
        let Self { connect_ns, start, end, .. } = self;
        let end = end.max(start);
        let (send_end, wait_end) = match (self.request_last, self.response_first) {
            (Some(last), Some(first)) => {
                let wait_end = first.clamp(start, end);
                (last.clamp(start, wait_end), wait_end)
            }
            (Some(last), None) if self.is_answered => (last.clamp(start, end), end),
            (Some(_), None) => (end, end),
            (None, _) => (start, start),
        };
        let waits = self.request_last.is_some() && self.is_answered;
        Phases {
            connect_ns,
            send_ns: send_end - start,
            wait_ns: waits.then(|| wait_end - send_end),
            receive_ns: end - wait_end,
        }
    }
}

fn span_id(call: &Call, at: ObservedAt, index: usize) -> u64 {
    let id = Fingerprint::new().with_number(call.span_id.0).with(at.as_str().as_bytes());
    id.with_number(index as u64).bits64()
}
