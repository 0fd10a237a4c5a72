use std::collections::HashMap;
use std::sync::Arc;

use analyzer::fact::{Exchange, FlowId, FlowOpening, FlowRecord};
use analyzer::{Fact, Sink};
use wire::{Endpoint, TapId, Transport};

use crate::edge::{Edge, UNKNOWN};
use crate::families::{Metrics, RequestSample};
use crate::names::Names;
use crate::snapshot::Snapshot;

/// A flow that is open: its edge as last known, and what was counted of it.
#[derive(Debug)]
struct Open {
    edge: Arc<Edge>,
    /// Nothing before the first report, which also counts the flow as opened: only then protocol and names are known, and
    /// most flows are over by then.
    counted: Option<Box<Snapshot>>,
}

/// What ended before the names of its two ends were known: a process is named by its system calls, which are read a
/// little later than its packets.
#[derive(Debug)]
enum Unnamed {
    Exchange(RequestSample, Ends),
    Closed(Box<FlowRecord>),
}

/// Who talked to whom, where, in which protocol: what names are looked up for.
#[derive(Clone, Copy, Debug)]
struct Ends {
    tap: TapId,
    protocol: &'static str,
    client: Endpoint,
    server: Endpoint,
}

/// Things that wait for names; when there are more, the newest are counted as `unknown` at once.
const MOST_UNNAMED: usize = 8_192;

/// A sink that counts what passes and passes it on.
pub struct Metered<S> {
    inner: S,
    metrics: Arc<Metrics>,
    names: Arc<dyn Names>,
    open: HashMap<FlowId, Open>,
    /// What waits since before the last [`name`](Self::name), and since then.
    unnamed: [Vec<Unnamed>; 2],
}

impl<S> Metered<S> {
    /// Counts into `metrics` what goes to `inner`, which must get the facts of one analyzer only.
    pub fn new(inner: S, metrics: Arc<Metrics>, names: Arc<dyn Names>) -> Self {
        Self { inner, metrics, names, open: HashMap::new(), unnamed: Default::default() }
    }

    /// The sink behind.
    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Counts what has waited for names for a whole interval between two calls; to be called about once a second.
    pub fn name(&mut self) {
        let [old, young] = &mut self.unnamed;
        std::mem::swap(old, young);
        let ripe = std::mem::take(young);
        for one in ripe {
            match one {
                Unnamed::Exchange(sample, ends) => self.metrics.requests.add(&self.edge(ends).0, &sample),
                Unnamed::Closed(flow) => self.count_closed(&flow),
            }
        }
    }

    /// Counts everything that still waits for names.
    pub fn finish(&mut self) {
        self.name();
        self.name();
    }

    /// The edge, and whether both of its ends have names.
    fn edge(&self, Ends { tap, protocol, client, server }: Ends) -> (Arc<Edge>, bool) {
        let names = (self.names.workload(client), self.names.workload(server));
        let named = names.0.is_some() && names.1.is_some();
        let or_unknown = |name: Option<Arc<str>>| name.unwrap_or_else(|| UNKNOWN.into());
        let mut edge =
            Edge::new(self.names.tap_kind(tap), protocol, or_unknown(names.0), or_unknown(names.1));
        if self.metrics.config.addresses {
            edge.addresses = Some((client, server));
        }
        (Arc::new(edge), named)
    }

    fn wait(&mut self, one: Unnamed) -> Option<Unnamed> {
        let [old, young] = &mut self.unnamed;
        if old.len() + young.len() >= MOST_UNNAMED || !self.names.may_learn() {
            return Some(one);
        }
        young.push(one);
        None
    }

    fn opened(&mut self, flow: &FlowOpening) {
        let ends = Ends {
            tap: flow.tap,
            protocol: flow.transport.as_str(),
            client: flow.client,
            server: flow.server,
        };
        let (edge, _) = self.edge(ends);
        self.open.insert(flow.id, Open { edge, counted: None });
    }

    fn progress(&mut self, flow: &FlowRecord) {
        let (edge, _) = self.edge(ends(flow));
        let before = self.open.remove(&flow.id);
        let was_active = before.as_ref().filter(|open| open.counted.is_some()).map(|open| open.edge.clone());
        let counted = self.count(flow, &edge, before.and_then(|open| open.counted));
        self.metrics.flows.active(was_active.as_ref(), Some(&edge));
        self.open.insert(flow.id, Open { edge, counted: Some(Box::new(counted)) });
    }

    fn closed(&mut self, flow: &FlowRecord) {
        // A flow that was reported before had its chance of a name.
        let reported = self.open.get(&flow.id).is_some_and(|open| open.counted.is_some());
        if !reported
            && !self.edge(ends(flow)).1
            && self.wait(Unnamed::Closed(Box::new(flow.clone()))).is_none()
        {
            return;
        }
        self.count_closed(flow);
    }

    fn count_closed(&mut self, flow: &FlowRecord) {
        let (edge, _) = self.edge(ends(flow));
        let before = self.open.remove(&flow.id);
        let was_active = before.as_ref().filter(|open| open.counted.is_some()).map(|open| open.edge.clone());
        self.count(flow, &edge, before.and_then(|open| open.counted));
        self.metrics.flows.active(was_active.as_ref(), None);
        if let Some(reason) = flow.close_reason {
            self.metrics.flows.closed(&edge, reason);
            self.metrics.tcp.closed(&edge, reason);
        }
    }

    /// Counts what is new of a flow; returns all that is counted now.
    fn count(&self, flow: &FlowRecord, edge: &Arc<Edge>, before: Option<Box<Snapshot>>) -> Snapshot {
        if before.is_none() {
            self.metrics.flows.opened(edge);
        }
        let before = before.unwrap_or_default();
        let counted = Snapshot::of(flow);
        self.metrics.flows.add(edge, flow, &before);
        if flow.transport == Transport::Tcp {
            self.metrics.tcp.add(edge, flow, &counted, &before);
        }
        counted
    }

    fn exchange(&mut self, exchange: &Exchange) {
        let Exchange { tap, client, server, .. } = *exchange;
        let ends = Ends { tap, protocol: exchange.protocol.as_str(), client, server };
        let known = self.open.get(&exchange.flow).map(|open| &open.edge);
        let known = known.filter(|edge| {
            edge.protocol == ends.protocol && &*edge.client != UNKNOWN && &*edge.server != UNKNOWN
        });
        let (edge, named) = known.map_or_else(|| self.edge(ends), |edge| (edge.clone(), true));
        let sample = RequestSample::of(exchange);
        let now = if named { Some(sample) } else { self.unnamed_exchange(sample, ends) };
        if let Some(sample) = now {
            self.metrics.requests.add(&edge, &sample);
        }
    }

    fn unnamed_exchange(&mut self, sample: RequestSample, ends: Ends) -> Option<RequestSample> {
        match self.wait(Unnamed::Exchange(sample, ends)) {
            Some(Unnamed::Exchange(sample, _)) => Some(sample),
            _ => None,
        }
    }
}

fn ends(flow: &FlowRecord) -> Ends {
    let protocol = flow.l7.map_or(flow.transport.as_str(), |l7| l7.protocol.as_str());
    Ends { tap: flow.tap, protocol, client: flow.client, server: flow.server }
}

impl<S: Sink> Sink for Metered<S> {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::FlowOpened(flow) => self.opened(flow),
            Fact::FlowProgress(flow) => self.progress(flow),
            Fact::FlowClosed(flow) => self.closed(flow),
            Fact::Exchange(exchange) => self.exchange(exchange),
            Fact::Undecoded { reason, .. } => self.metrics.own.undecoded(reason),
            Fact::StreamGap { bytes, .. } => {
                self.metrics.own.gap_bytes.inc_by(bytes);
            }
            Fact::Inference { result, times, .. } => self.metrics.own.inferred(result, times),
            Fact::Evicted { table, entries } => self.metrics.own.evicted(table.as_str(), entries),
            _ => {}
        }
        self.inner.emit(fact);
    }
}
