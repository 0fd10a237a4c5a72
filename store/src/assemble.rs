use fact::{MessageSpan, TcpTrouble, Value};
use wire::{Endpoint, Tap, TapId, TapKind, Transport};

use crate::calls::{Observation, OpenCall};
use crate::hash::{Fingerprint, Map};
use crate::model::{
    AttributeValue, Call, Hop, Message, Peer, ProcessInfo, SpanId, TcpTotals, Trace, TraceId,
};
use crate::path::{Step, path};
use crate::side::Side;

/// Names for what calls know by number only.
#[derive(Debug)]
pub(crate) struct Names {
    node: String,
    taps: Map<TapId, Tap>,
    cgroups: Map<u64, String>,
    most_cgroups: usize,
}

impl Names {
    pub(crate) fn new(node: String, most_cgroups: usize) -> Self {
        Self { node, taps: Map::default(), cgroups: Map::default(), most_cgroups }
    }

    pub(crate) fn add_tap(&mut self, tap: Tap) {
        self.taps.insert(tap.id, tap);
    }

    pub(crate) fn add_cgroup(&mut self, id: u64, name: String) {
        if self.cgroups.len() < self.most_cgroups || self.cgroups.contains_key(&id) {
            self.cgroups.insert(id, name);
        }
    }

    fn kind(&self, tap: TapId) -> TapKind {
        self.taps.get(&tap).map_or(TapKind::Other, |tap| tap.kind)
    }
}

/// A trace of a finished tree.
pub(crate) fn trace(root: Call, w3c: Option<TraceId>) -> Trace {
    let trace_id = w3c.unwrap_or_else(|| {
        let first = root.hops.first();
        let seq = first.and_then(|hop| hop.request.or(hop.response)).map_or(0, |m| m.seq[0]);
        let start = first.and_then(|hop| hop.request.or(hop.response)).map_or(0, |m| m.first_ns);
        let id =
            Fingerprint::new().with_number(root.span_id.0).with_number(u64::from(seq)).with_number(start);
        TraceId(id.bits128().max(1))
    });
    Trace { trace_id, root }
}

/// A call with its children, from all that was seen of it.
pub(crate) fn call(mut open: OpenCall, mut children: Vec<Call>, names: &Names) -> Call {
    let steps = path(std::mem::take(&mut open.observations), |tap| names.kind(tap));
    children.sort_by_key(|child| (child.start_unix_ns, child.span_id));
    let first = steps.first().map(|step| &step.seen);
    let last = steps.last().map(|step| &step.seen);
    let client = peer(open.client.as_ref(), first.map(|o| o.client), names);
    let server = peer(open.server.as_ref(), last.map(|o| o.server), names);
    let start = open.start.as_nanos();
    let end = open.end.as_nanos();
    let attributes = open.attributes.iter().map(|(key, value)| {
        let value = match value {
            Value::Text(text) => AttributeValue::Text(text.to_owned()),
            Value::Int(n) => AttributeValue::Int(n),
            Value::Bool(b) => AttributeValue::Bool(b),
        };
        (key.to_owned(), value)
    });
    Call {
        span_id: SpanId(identity(open.transport, first).bits64()),
        protocol: open.protocol.as_str().to_owned(),
        attributes: attributes.collect(),
        outcome: open.outcome.as_str().to_owned(),
        hops: steps.iter().map(|step| hop(step, names)).collect(),
        start_unix_ns: client.sent_ns.map_or(start, |sent| sent.min(start)),
        end_unix_ns: client.received_ns.map_or(end, |received| received.max(end)),
        client,
        server,
        cause: open.cause,
        guess: open.guess,
        tcp: steps.iter().map(|step| totals(step.seen.tcp)).fold(TcpTotals::default(), TcpTotals::most),
        operation: open.operation,
        children,
    }
}

fn identity(transport: Transport, first: Option<&Observation>) -> Fingerprint {
    let id = Fingerprint::new().with(transport.as_str().as_bytes());
    let Some(first) = first else { return id };
    let part = |id: Fingerprint, m: Option<MessageSpan>| match m {
        Some(m) => id.with(&[1]).with_number(u64::from(m.seq.start.0)).with_number(m.first.as_nanos()),
        None => id.with(&[0]),
    };
    let id =
        id.with(first.client.to_string().as_bytes()).with(&[0]).with(first.server.to_string().as_bytes());
    part(part(id, first.request), first.response)
}

fn peer(side: Option<&Side>, seen: Option<Endpoint>, names: &Names) -> Peer {
    let end = side.map(|side| side.local).or(seen);
    Peer {
        address: end.map(|end| end.address.to_string()).unwrap_or_default(),
        port: end.map_or(0, |end| end.port),
        process: side.map(|side| ProcessInfo {
            pid: side.process.pid,
            tid: side.process.tid,
            command: side.process.command().to_owned(),
            cgroup: match names.cgroups.get(&side.process.cgroup) {
                Some(name) => name.clone(),
                None => side.process.cgroup.to_string(),
            },
        }),
        sent_ns: side.and_then(|side| side.sent).map(wire::Timestamp::as_nanos),
        received_ns: side.and_then(|side| side.received).map(wire::Timestamp::as_nanos),
        finished_ns: side.and_then(|side| side.finished).map(wire::Timestamp::as_nanos),
    }
}

fn hop(step: &Step, names: &Names) -> Hop {
    let o = &step.seen;
    Hop {
        tap: names.taps.get(&o.tap).map_or_else(|| format!("tap{}", o.tap.0), |tap| tap.name.clone()),
        kind: names.kind(o.tap).as_str().to_owned(),
        node: names.node.clone(),
        request_ns: step.request.map(wire::Timestamp::as_nanos),
        response_ns: step.response.map(wire::Timestamp::as_nanos),
        retransmissions: o.tcp.retransmissions,
        flow: o.flow.0,
        client: o.client.to_string(),
        server: o.server.to_string(),
        outcome: o.outcome.as_str().to_owned(),
        request: o.request.map(message),
        response: o.response.map(message),
        tcp: totals(o.tcp),
    }
}

fn message(m: MessageSpan) -> Message {
    let seq = [m.seq.start.0, m.seq.end.0];
    Message { seq, bytes: m.bytes, first_ns: m.first.as_nanos(), last_ns: m.last.as_nanos() }
}

const fn totals(t: TcpTrouble) -> TcpTotals {
    TcpTotals {
        retransmissions: t.retransmissions,
        out_of_order: t.out_of_order,
        zero_windows: t.zero_windows,
        rtt_ns: t.rtt_ns,
        missing_bytes: t.missing_bytes,
    }
}
