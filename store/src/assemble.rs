//! Assembles the calls of a finished tree from what was observed, and the trace from them.

use std::fmt::Write as _;
use std::sync::Arc;

use fact::MessageSpan;
use wire::{Endpoint, Tap, TapId, TapKind, Timestamp, Transport, invariant};

use crate::calls::{Observation, OpenCall};
use crate::culprit::culprit;
use crate::hash::{Fingerprint, Map};
use crate::model::{Call, Hop, Message, Peer, ProcessInfo, SpanId, TcpTotals, Trace, TraceId};
use crate::path::{Step, path};
use crate::side::Side;
use crate::timing::timing;
use crate::workloads::Workloads;

/// Names of taps and control groups, which calls know by number only, and of workloads.
#[derive(Debug)]
pub(crate) struct Names {
    node: Arc<str>,
    taps: Map<TapId, (Arc<str>, TapKind)>,
    cgroups: Map<u64, Arc<str>>,
    most_cgroups: usize,
    workloads: Option<Arc<dyn Workloads>>,
}

impl Names {
    pub(crate) fn new(node: &str, most_cgroups: usize) -> Self {
        Self {
            node: node.into(),
            taps: Map::default(),
            cgroups: Map::default(),
            most_cgroups,
            workloads: None,
        }
    }

    pub(crate) fn add_tap(&mut self, tap: Tap) {
        self.taps.insert(tap.id, (tap.name.into(), tap.kind));
    }

    pub(crate) fn add_cgroup(&mut self, id: u64, name: String) {
        if self.cgroups.len() < self.most_cgroups || self.cgroups.contains_key(&id) {
            self.cgroups.insert(id, name.into());
        }
    }

    pub(crate) fn set_workloads(&mut self, workloads: Arc<dyn Workloads>) {
        self.workloads = Some(workloads);
    }

    fn tap(&self, tap: TapId) -> Arc<str> {
        self.taps.get(&tap).map_or_else(|| format!("tap{}", tap.0).into(), |(name, _)| name.clone())
    }

    fn kind(&self, tap: TapId) -> TapKind {
        self.taps.get(&tap).map_or(TapKind::Other, |&(_, kind)| kind)
    }

    fn cgroup(&self, id: u64) -> Arc<str> {
        self.cgroups.get(&id).map_or_else(|| id.to_string().into(), Arc::clone)
    }
}

/// A trace of a finished tree.
pub(crate) fn trace(root: Call, w3c: Option<TraceId>) -> Trace {
    let trace_id = w3c.unwrap_or_else(|| {
        let first = root.hops.first();
        let seq = first.and_then(|hop| hop.request.or(hop.response)).map_or(0, |m| m.seq[0]);
        let start = first.and_then(|hop| hop.request.or(hop.response)).map_or(0, |m| m.first_ns);
        let id = Fingerprint::new()
            .with_number(root.span_id.0)
            .with_number(u64::from(seq))
            .with_number(start);
        TraceId(id.bits128().max(1))
    });
    let longest = culprit(&root).map(|culprit| culprit.record());
    Trace { trace_id, root, longest }
}

/// A call with its children, from all that was seen of it.
pub(crate) fn call(mut open: OpenCall, mut children: Vec<Call>, names: &Names) -> Option<Call> {
    let steps = path(std::mem::take(&mut open.observations), |tap| names.kind(tap));
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else {
        invariant!("a call was seen at one tap at least");
        return None;
    };
    children.sort_by_key(|child| (child.start_unix_ns, child.span_id));
    let undecided = open.undecided();
    sent_before(open.client.as_mut(), steps.iter().filter_map(|step| step.request));
    sent_before(open.server.as_mut(), steps.iter().filter_map(|step| step.response));
    let client = peer(open.client.as_ref(), first.seen.client, names);
    let server = peer(open.server.as_ref(), last.seen.server, names);
    let timing = timing(&open, &steps);
    Some(Call {
        span_id: SpanId(identity(open.transport, &first.seen).bits64()),
        protocol: open.protocol,
        attributes: open.attributes.into(),
        outcome: open.outcome,
        hops: steps.iter().map(|step| hop(step, names)).collect(),
        start_unix_ns: timing.start.as_nanos(),
        end_unix_ns: timing.end.as_nanos(),
        connect_ns: timing.connect_ns,
        send_ns: timing.send_ns,
        wait_ns: timing.wait_ns,
        transfer_ns: timing.receive_ns,
        service_ns: timing.service_ns,
        unread_ns: timing.unread_ns,
        network_ns: timing.network_ns,
        syn_repeats: timing.syn_repeats,
        client,
        server,
        cause: open.cause,
        undecided,
        guess: open.guess,
        tcp: steps
            .iter()
            .map(|step| TcpTotals::from(step.seen.tcp))
            .fold(TcpTotals::default(), TcpTotals::most),
        operation: open.operation,
        children,
    })
}

/// A process began to send before its first packet passed a tap. The record of a send that blocked
/// may not know its beginning.
fn sent_before(side: Option<&mut Side>, passed: impl Iterator<Item = Timestamp>) {
    if let Some(sent) = side.and_then(|side| side.sent.as_mut())
        && let Some(first) = passed.min()
    {
        *sent = first.min(*sent);
    }
}

/// What the id of a call is made of: the same in every run on the same input.
fn identity(transport: Transport, first: &Observation) -> Fingerprint {
    let part = |id: Fingerprint, m: Option<MessageSpan>| match m {
        Some(m) => {
            id.with(&[1]).with_number(u64::from(m.seq.start.0)).with_number(m.first.as_nanos())
        }
        None => id.with(&[0]),
    };
    let mut id = Fingerprint::new().with(transport.as_str().as_bytes());
    // Writing to a fingerprint cannot fail.
    let _ = write!(id, "{}\0{}", first.client, first.server);
    part(part(id, first.request), first.response)
}

fn peer(side: Option<&Side>, seen: Endpoint, names: &Names) -> Peer {
    let endpoint = side.map_or(seen, |side| side.local);
    let process = side.map(|side| &side.process);
    Peer {
        address: endpoint.address,
        port: endpoint.port,
        workload: names.workloads.as_ref().and_then(|known| known.workload(endpoint, process)),
        process: side.map(|side| ProcessInfo {
            pid: side.process.pid,
            tid: side.process.tid,
            command: side.process.command().to_owned(),
            cgroup: names.cgroup(side.process.cgroup),
        }),
        sent_ns: side.and_then(|side| side.sent).map(Timestamp::as_nanos),
        received_ns: side.and_then(|side| side.received).map(Timestamp::as_nanos),
        first_received_ns: side.and_then(|side| side.first_received).map(Timestamp::as_nanos),
        last_received_ns: side.and_then(|side| side.last_received).map(Timestamp::as_nanos),
        finished_ns: side.and_then(|side| side.finished).map(Timestamp::as_nanos),
    }
}

fn hop(step: &Step, names: &Names) -> Hop {
    let o = &step.seen;
    Hop {
        tap: names.tap(o.tap),
        kind: names.kind(o.tap),
        node: names.node.clone(),
        request_ns: step.request.map(Timestamp::as_nanos),
        response_ns: step.response.map(Timestamp::as_nanos),
        connect_ns: o.connect_ns,
        waited_until_ns: o.waited_until.map(Timestamp::as_nanos),
        retransmissions: o.tcp.retransmissions,
        flow: o.flow.0,
        client: o.client,
        server: o.server,
        outcome: o.outcome,
        request: o.request.map(Message::from),
        response: o.response.map(Message::from),
        tcp: o.tcp.into(),
    }
}
