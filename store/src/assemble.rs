use std::cmp::Reverse;

use analyzer::fact::{MessageSpan, TcpTrouble, Value};
use wire::{Endpoint, Tap, TapId, TapKind};

use crate::calls::{Observation, OpenCall};
use crate::hash::{Fingerprint, Map};
use crate::model::{
    AttributeValue, Call, Hop, Message, Peer, ProcessInfo, SpanId, TcpTotals, Trace, TraceId,
};
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
    sort_by_path(&mut open.observations, names);
    children.sort_by_key(|child| (child.start_unix_ns, child.span_id));
    let first = open.observations.first();
    let last = open.observations.last();
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
        span_id: SpanId(identity(&open).bits64()),
        protocol: open.protocol.as_str().to_owned(),
        attributes: attributes.collect(),
        outcome: open.outcome.as_str().to_owned(),
        hops: open.observations.iter().map(|o| hop(o, names)).collect(),
        start_unix_ns: client.sent_ns.map_or(start, |sent| sent.min(start)),
        end_unix_ns: client.received_ns.map_or(end, |received| received.max(end)),
        client,
        server,
        cause: open.cause,
        guess: open.guess,
        tcp: open.observations.iter().map(|o| totals(o.tcp)).fold(TcpTotals::default(), TcpTotals::most),
        operation: open.operation,
        children,
    }
}

/// Nearest to the client first: it sees the request first and the response last. A veth and the bridge that it is a
/// port of often give one packet the same time; then the order in which a packet leaves a container decides.
fn sort_by_path(observations: &mut [Observation], names: &Names) {
    observations.sort_by_cached_key(|o| {
        let response = o.response.map(|m| m.first);
        let name = names.taps.get(&o.tap).map(|tap| tap.name.clone());
        (
            o.request.is_none(),
            o.request.map(|m| m.first),
            Reverse(response),
            names.kind(o.tap),
            name,
            o.tap,
            o.flow,
        )
    });
    // Where the request was not seen, the response alone tells the place.
    let with_request = observations.iter().take_while(|o| o.request.is_some()).count();
    for from in with_request..observations.len() {
        let response = observations.get(from).and_then(|o| o.response).map(|m| m.first);
        let place =
            observations.iter().take(from).position(|o| o.response.is_some_and(|m| Some(m.first) < response));
        if let Some(part) = place.and_then(|to| observations.get_mut(to..=from)) {
            part.rotate_right(1);
        }
    }
}

fn identity(call: &OpenCall) -> Fingerprint {
    let id = Fingerprint::new().with(call.transport.as_str().as_bytes());
    let Some(first) = call.observations.first() else { return id };
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

fn hop(o: &Observation, names: &Names) -> Hop {
    Hop {
        tap: names.taps.get(&o.tap).map_or_else(|| format!("tap{}", o.tap.0), |tap| tap.name.clone()),
        kind: names.kind(o.tap).as_str().to_owned(),
        node: names.node.clone(),
        request_ns: o.request.map(|m| m.first.as_nanos()),
        response_ns: o.response.map(|m| m.first.as_nanos()),
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
