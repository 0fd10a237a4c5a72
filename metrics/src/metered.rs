use std::collections::HashMap;
use std::sync::Arc;

use fact::{Exchange, FlowId, FlowRecord, Value};
use fact::{Fact, Sink};
use foldhash::fast::FixedState;
use wire::{Endpoint, TapId, TapKind};

use crate::edge::{Edge, UNKNOWN};
use crate::families::Metrics;
use crate::names::Names;
use crate::route::routed;
use crate::snapshot::Snapshot;
use crate::tally::{Edges, Sample};

/// What was reported of an open flow. Before the first report, which also counts the flow as opened, there is nothing: only then
/// protocol and names are known, and most flows are over by then.
#[derive(Debug)]
struct Reported {
    edge: Arc<Edge>,
    counted: Snapshot,
}

/// Where the last exchange of a flow was counted.
#[derive(Clone, Copy, Debug)]
struct Asked {
    flow: FlowId,
    protocol: &'static str,
    /// Index of the edge's tally, and of the operation in it, as of this round.
    edge: usize,
    operation: usize,
    round: u64,
}

/// Flows whose last exchange is remembered; of those that share a place the last one is.
const REMEMBERED: usize = 1024;

/// What ended before the names of its two ends were known: a process is named by its system calls, which are read a
/// little later than its packets.
#[derive(Debug)]
enum Unnamed {
    Exchange { operation: String, sample: Sample, ends: Ends },
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

/// A sink that counts what passes and passes it on. Flows and requests are counted in numbers of its own, which go to the families
/// with [`name`](Self::name) and [`finish`](Self::finish).
pub struct Metered<S> {
    inner: S,
    metrics: Arc<Metrics>,
    names: Arc<dyn Names>,
    unknown: Arc<str>,
    /// The tap that was asked for last, and its kind, which never changes.
    last_tap: Option<(TapId, TapKind)>,
    reported: HashMap<FlowId, Box<Reported>, FixedState>,
    asked: Vec<Option<Asked>>,
    edges: Edges,
    /// Where operations with routes are put together.
    room: String,
    /// Times that `edges` was emptied.
    round: u64,
    /// What waits since before the last [`name`](Self::name), and since then.
    unnamed: [Vec<Unnamed>; 2],
}

impl<S> Metered<S> {
    /// Counts into `metrics` what goes to `inner`, which must get the facts of one analyzer only.
    pub fn new(inner: S, metrics: Arc<Metrics>, names: Arc<dyn Names>) -> Self {
        Self {
            inner,
            metrics,
            names,
            unknown: UNKNOWN.into(),
            last_tap: None,
            reported: HashMap::default(),
            asked: vec![None; REMEMBERED],
            edges: Edges::default(),
            room: String::new(),
            round: 0,
            unnamed: Default::default(),
        }
    }

    /// The sink behind.
    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The sink behind; what was not told to the families is lost.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// Counts what has waited for names for a whole interval between two calls, and brings the families up to date; to be called
    /// about once a second.
    pub fn name(&mut self) {
        let [old, young] = &mut self.unnamed;
        std::mem::swap(old, young);
        let ripe = std::mem::take(young);
        for one in ripe {
            match one {
                Unnamed::Exchange { operation, sample, ends } => {
                    let (edge, _) = self.edge(ends);
                    let edge = self.tally_of(edge);
                    self.count_exchange(edge, &operation, 0, sample);
                }
                Unnamed::Closed(flow) => {
                    let (edge, _) = self.edge(ends(&flow));
                    let index = self.tally_of(edge);
                    self.count_closed(&flow, index);
                }
            }
        }
        self.flush();
    }

    /// Counts everything that still waits for names, and brings the families up to date.
    pub fn finish(&mut self) {
        self.name();
        self.name();
    }

    fn flush(&mut self) {
        self.round += 1;
        for (edge, tally) in self.edges.take() {
            self.metrics.add(&edge, &tally);
        }
    }

    fn flush_requests(&mut self, index: usize) {
        let requests = self.edges.tally(index).map(|tally| std::mem::take(&mut tally.requests));
        if let (Some(edge), Some(requests)) = (self.edges.edge(index), requests) {
            self.metrics.requests.add(edge, &requests);
        }
    }

    /// The edge, and whether both of its ends have names.
    fn edge(&mut self, Ends { tap, protocol, client, server }: Ends) -> (Edge, bool) {
        let names = match self.names.knows_any() {
            true => (self.names.workload(client), self.names.workload(server)),
            false => (None, None),
        };
        let named = names.0.is_some() && names.1.is_some();
        let kind = match self.last_tap {
            Some((last, kind)) if last == tap => kind,
            _ => self.names.tap_kind(tap),
        };
        self.last_tap = Some((tap, kind));
        let or_unknown = |name: Option<Arc<str>>| name.unwrap_or_else(|| self.unknown.clone());
        let mut edge = Edge::new(kind, protocol, or_unknown(names.0), or_unknown(names.1));
        if self.metrics.config.addresses {
            edge.addresses = Some((client, server));
        }
        (edge, named)
    }

    /// Index of the tally of `edge`.
    fn tally_of(&mut self, edge: Edge) -> usize {
        if self.edges.is_full() {
            self.flush();
        }
        self.edges.find(edge)
    }

    fn wait(&mut self, one: Unnamed) -> Option<Unnamed> {
        let [old, young] = &mut self.unnamed;
        if old.len() + young.len() >= MOST_UNNAMED || !self.names.may_learn() {
            return Some(one);
        }
        young.push(one);
        None
    }

    fn progress(&mut self, flow: &FlowRecord) {
        let (edge, _) = self.edge(ends(flow));
        let index = self.tally_of(edge);
        let before = self.reported.remove(&flow.id);
        if let Some(tally) = self.edges.tally(index) {
            tally.flow(flow, before.as_ref().map(|before| &before.counted));
        }
        let Some(edge) = self.edges.edge(index) else { return };
        self.metrics.flows.active(before.as_ref().map(|before| &before.edge), Some(edge));
        let reported = Reported { edge: edge.clone(), counted: Snapshot::of(flow) };
        self.reported.insert(flow.id, Box::new(reported));
    }

    fn closed(&mut self, flow: &FlowRecord) {
        let ends = ends(flow);
        let learns = self.names.may_learn();
        if let Some(asked) = self.asked(flow.id, ends.protocol).filter(|_| !learns) {
            return self.count_closed(flow, asked.edge);
        }
        let (edge, named) = self.edge(ends);
        // A flow that was reported before had its chance of a name.
        let waits = learns && !named && !self.reported.contains_key(&flow.id);
        if !waits || self.wait(Unnamed::Closed(Box::new(flow.clone()))).is_some() {
            let index = self.tally_of(edge);
            self.count_closed(flow, index);
        }
    }

    /// Counts the end of a flow on the edge of that index.
    fn count_closed(&mut self, flow: &FlowRecord, index: usize) {
        let reported = self.reported.remove(&flow.id);
        if let Some(tally) = self.edges.tally(index) {
            tally.flow(flow, reported.as_ref().map(|reported| &reported.counted));
            tally.closed(flow);
        }
        self.metrics.flows.active(reported.as_ref().map(|reported| &reported.edge), None);
    }

    fn exchange(&mut self, exchange: &Exchange) {
        if !self.metrics.config.routes {
            return self.asked_for(exchange, &exchange.operation);
        }
        let path = match exchange.attributes.get("url.path") {
            Some(Value::Text(path)) => Some(path),
            _ => None,
        };
        let mut room = std::mem::take(&mut self.room);
        let operation = routed(exchange.protocol.as_str(), &exchange.operation, path, &mut room);
        self.asked_for(exchange, operation);
        self.room = room;
    }

    /// Counts an exchange under `operation`.
    fn asked_for(&mut self, exchange: &Exchange, operation: &str) {
        let Exchange { tap, client, server, .. } = *exchange;
        let ends = Ends { tap, protocol: exchange.protocol.as_str(), client, server };
        let sample = Sample::of(exchange);
        if let Some(asked) = self.asked(exchange.flow, ends.protocol) {
            let operation = self.count_exchange(asked.edge, operation, asked.operation, sample);
            if operation != asked.operation {
                self.remember(Asked { operation, ..asked });
            }
            return;
        }
        let (edge, named) = self.edge(ends);
        if !named && self.names.may_learn() {
            let waits = Unnamed::Exchange { operation: operation.to_owned(), sample, ends };
            if self.wait(waits).is_none() {
                return;
            }
        }
        let edge = self.tally_of(edge);
        let round = self.round;
        let operation = self.count_exchange(edge, operation, 0, sample);
        if named || !self.names.may_learn() {
            let (flow, protocol) = (exchange.flow, ends.protocol);
            self.remember(Asked { flow, protocol, edge, operation, round });
        }
    }

    /// Where the last exchange of a flow was counted, if that is remembered.
    fn asked(&self, flow: FlowId, protocol: &'static str) -> Option<Asked> {
        let asked = (*self.asked.get(place(flow))?)?;
        let same = asked.flow == flow && asked.round == self.round && asked.protocol == protocol;
        same.then_some(asked)
    }

    fn remember(&mut self, asked: Asked) {
        if let Some(place) = self.asked.get_mut(place(asked.flow)) {
            *place = Some(asked);
        }
    }

    /// Counts an exchange; returns the index of its operation.
    fn count_exchange(&mut self, edge: usize, operation: &str, hint: usize, sample: Sample) -> usize {
        if self.edges.tally(edge).is_some_and(|tally| !tally.requests.has_room(operation)) {
            self.flush_requests(edge);
        }
        self.edges.tally(edge).map_or(0, |tally| tally.requests.add(operation, hint, sample))
    }
}

fn place(FlowId(flow): FlowId) -> usize {
    // Flows are numbered by frames, so neighbours are seldom far from each other: mixed, they spread.
    (flow.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % REMEMBERED
}

fn ends(flow: &FlowRecord) -> Ends {
    let protocol = flow.l7.map_or(flow.transport.as_str(), |l7| l7.protocol.as_str());
    Ends { tap: flow.tap, protocol, client: flow.client, server: flow.server }
}

impl<S: Sink> Sink for Metered<S> {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
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
