//! A sink that counts what passes.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use fact::{Exchange, Fact, FlowId, FlowRecord, Sink, Value};
use foldhash::fast::RandomState;
use wire::{TapId, TapKind, invariant};

use crate::deferred::{Deferred, DeferredQueue};
use crate::edge::{Edge, UNKNOWN};
use crate::edge_key::EdgeKey;
use crate::metrics::Metrics;
use crate::names::Names;
use crate::route::routed;
use crate::series_cache::{CacheEntry, SeriesCache};
use crate::snapshot::Snapshot;
use crate::tally::{Edges, InternalTally, Sample};

/// What of an open flow was counted, and where: facts hold totals, counters get differences. Before
/// the first progress fact there is none. That one also counts the flow as opened: only then its
/// protocol and its names are known, and most flows have ended before.
#[derive(Debug)]
struct Baseline {
    edge: Arc<Edge>,
    counted: Snapshot,
}

/// A sink that counts what passes and passes it on. It counts in numbers of its own, which
/// [`flush`](Self::flush) and [`finish`](Self::finish) add to the families: facts take no lock.
pub struct Metered<S> {
    inner: S,
    metrics: Arc<Metrics>,
    names: Arc<dyn Names>,
    unknown: Arc<str>,
    /// The tap that was looked up last, and its kind, which never changes.
    last_tap: Option<(TapId, TapKind)>,
    /// Seeded at random: who sends packets can choose the numbers of flows.
    baselines: HashMap<FlowId, Box<Baseline>, RandomState>,
    cache: SeriesCache,
    edges: Edges,
    internal: InternalTally,
    deferred: DeferredQueue,
    /// Memory in which operations with routes are written.
    route_buffer: String,
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
            baselines: HashMap::default(),
            cache: SeriesCache::default(),
            edges: Edges::default(),
            internal: InternalTally::default(),
            deferred: DeferredQueue::default(),
            route_buffer: String::new(),
        }
    }

    /// The sink behind.
    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The sink behind. What was not flushed to the families is lost.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// Counts what has waited for names for a whole interval between two calls, and adds everything
    /// to the families. To be called about once a second.
    pub fn flush(&mut self) {
        for deferred in self.deferred.take_due() {
            match deferred {
                Deferred::Exchange { key, operation, sample } => {
                    let (edge, _) = self.edge(key);
                    let index = self.tally_index(edge);
                    self.count_exchange(index, &operation, 0, sample);
                }
                Deferred::FlowClosed(flow) => {
                    let (edge, _) = self.edge(EdgeKey::of_flow(&flow));
                    let index = self.tally_index(edge);
                    self.count_closed(&flow, index);
                }
            }
        }
        self.flush_tallies();
    }

    /// Counts everything that still waits for names, and adds everything to the families.
    pub fn finish(&mut self) {
        self.flush();
        self.flush();
    }

    fn flush_tallies(&mut self) {
        self.cache.clear();
        for (edge, tally) in self.edges.take() {
            self.metrics.add(&edge, &tally);
        }
        self.metrics.internal.add(&std::mem::take(&mut self.internal));
    }

    fn flush_requests(&mut self, index: usize) {
        let Some((edge, tally)) = self.edges.at(index) else {
            invariant!("an index is that of a tally");
            return;
        };
        self.metrics.requests.add(edge, &std::mem::take(&mut tally.requests));
    }

    /// The edge, and whether both of its ends have names.
    fn edge(&mut self, key: EdgeKey) -> (Edge, bool) {
        let EdgeKey { tap, protocol, client, server } = key;
        let names = match self.names.has_workloads() {
            true => (self.names.workload(client), self.names.workload(server)),
            false => (None, None),
        };
        let is_named = names.0.is_some() && names.1.is_some();
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
        (edge, is_named)
    }

    /// Index of the tally of `edge`, good until the next call.
    fn tally_index(&mut self, edge: impl Borrow<Edge> + Into<Arc<Edge>>) -> usize {
        if let Some(index) = self.edges.get(edge.borrow()) {
            return index;
        }
        if self.edges.is_full() {
            self.flush_tallies();
        }
        self.edges.insert(edge.into())
    }

    /// Puts what waits for names aside, if it may get them and there is room.
    fn defer(&mut self, deferred: impl FnOnce() -> Deferred) -> bool {
        let waits = self.names.may_gain_workloads() && !self.deferred.is_full();
        if waits {
            self.deferred.push(deferred());
        }
        waits
    }

    fn on_flow_progress(&mut self, flow: &FlowRecord) {
        let (edge, _) = self.edge(EdgeKey::of_flow(flow));
        let index = self.tally_index(edge);
        let Some((edge, tally)) = self.edges.at(index) else {
            invariant!("an index is that of a tally");
            return;
        };
        let mut left = None;
        match self.baselines.entry(flow.id) {
            Entry::Occupied(entry) => {
                let Baseline { edge: last_edge, counted } = &mut **entry.into_mut();
                tally.add_flow(flow, Some(counted));
                counted.update(flow);
                let last = std::mem::replace(last_edge, edge.clone());
                if last != *edge {
                    tally.flows.add_active(1);
                    left = Some(last);
                }
            }
            Entry::Vacant(entry) => {
                tally.add_flow(flow, None);
                tally.flows.add_active(1);
                entry
                    .insert(Box::new(Baseline { edge: edge.clone(), counted: Snapshot::of(flow) }));
            }
        }
        if let Some(edge) = left {
            self.count_left(edge);
        }
    }

    /// Counts an open flow less on an edge.
    fn count_left(&mut self, edge: Arc<Edge>) {
        let index = self.tally_index(edge);
        match self.edges.at(index) {
            Some((_, tally)) => tally.flows.add_active(-1),
            None => {
                invariant!("an index is that of a tally");
            }
        }
    }

    fn on_flow_closed(&mut self, flow: &FlowRecord) {
        let key = EdgeKey::of_flow(flow);
        let may_gain_names = self.names.may_gain_workloads();
        if let Some(entry) = self.cache.get(flow.id, key.protocol).filter(|_| !may_gain_names) {
            return self.count_closed(flow, entry.edge);
        }
        let (edge, is_named) = self.edge(key);
        // A flow with a baseline was open for a second: its names are known by now or never.
        let may_wait = !is_named && !self.baselines.contains_key(&flow.id);
        if !may_wait || !self.defer(|| Deferred::FlowClosed(Box::new(flow.clone()))) {
            let index = self.tally_index(edge);
            self.count_closed(flow, index);
        }
    }

    /// Counts the end of a flow on the edge of that index.
    fn count_closed(&mut self, flow: &FlowRecord, index: usize) {
        let baseline = self.baselines.remove(&flow.id);
        let Some((_, tally)) = self.edges.at(index) else {
            invariant!("an index is that of a tally");
            return;
        };
        tally.add_flow(flow, baseline.as_ref().map(|baseline| &baseline.counted));
        tally.add_closed(flow);
        if let Some(baseline) = baseline {
            self.count_left(baseline.edge);
        }
    }

    fn on_exchange(&mut self, exchange: &Exchange) {
        if !self.metrics.config.routes {
            return self.count_request(exchange, &exchange.operation);
        }
        let path = match exchange.attributes.get("url.path") {
            Some(Value::Text(path)) => Some(path),
            _ => None,
        };
        let mut buffer = std::mem::take(&mut self.route_buffer);
        let operation = routed(exchange.protocol.as_str(), &exchange.operation, path, &mut buffer);
        self.count_request(exchange, operation);
        self.route_buffer = buffer;
    }

    /// Counts an exchange under `operation`.
    fn count_request(&mut self, exchange: &Exchange, operation: &str) {
        let key = EdgeKey::of_exchange(exchange);
        let sample = Sample::of(exchange);
        if let Some(entry) = self.cache.get(exchange.flow, key.protocol) {
            let operation = self.count_exchange(entry.edge, operation, entry.operation, sample);
            if operation != entry.operation {
                self.cache.insert(CacheEntry { operation, ..entry });
            }
            return;
        }
        let (edge, is_named) = self.edge(key);
        let deferred = || Deferred::Exchange { key, operation: operation.to_owned(), sample };
        if !is_named && self.defer(deferred) {
            return;
        }
        let edge = self.tally_index(edge);
        let operation = self.count_exchange(edge, operation, 0, sample);
        if is_named || !self.names.may_gain_workloads() {
            let (flow, protocol) = (exchange.flow, key.protocol);
            self.cache.insert(CacheEntry { flow, protocol, edge, operation });
        }
    }

    /// Counts an exchange; returns the index of its operation.
    fn count_exchange(
        &mut self,
        index: usize,
        operation: &str,
        hint: usize,
        sample: Sample,
    ) -> usize {
        if self.edges.at(index).is_some_and(|(_, tally)| !tally.requests.has_room(operation)) {
            self.flush_requests(index);
        }
        let Some((_, tally)) = self.edges.at(index) else {
            invariant!("an index is that of a tally");
            return 0;
        };
        tally.requests.add(operation, hint, sample)
    }
}

impl<S: Sink> Sink for Metered<S> {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::FlowProgress(flow) => self.on_flow_progress(flow),
            Fact::FlowClosed(flow) => self.on_flow_closed(flow),
            Fact::Exchange(exchange) => self.on_exchange(exchange),
            Fact::Undecoded { reason, .. } => self.internal.add_undecoded(reason),
            Fact::Stray { .. } => self.internal.stray += 1,
            Fact::StreamGap { bytes, .. } => self.internal.gap_bytes += bytes,
            Fact::Inference { result, times, .. } => self.internal.add_inference(result, times),
            Fact::Evicted { table, entries } => self.internal.add_evictions(table, entries),
            _ => {}
        }
        self.inner.emit(fact);
    }
}
