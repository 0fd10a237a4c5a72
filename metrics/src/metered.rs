use std::collections::HashMap;
use std::sync::Arc;

use analyzer::fact::{Exchange, FlowId, FlowOpening, FlowRecord};
use analyzer::{Fact, Sink};
use wire::{Endpoint, TapId, Transport};

use crate::edge::{Edge, UNKNOWN};
use crate::families::Metrics;
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

/// A sink that counts what passes and passes it on.
pub struct Metered<S> {
    inner: S,
    metrics: Arc<Metrics>,
    names: Arc<dyn Names>,
    open: HashMap<FlowId, Open>,
}

impl<S> Metered<S> {
    /// Counts into `metrics` what goes to `inner`, which must get the facts of one analyzer only.
    pub fn new(inner: S, metrics: Arc<Metrics>, names: Arc<dyn Names>) -> Self {
        Self { inner, metrics, names, open: HashMap::new() }
    }

    /// The sink behind.
    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    fn edge(&self, tap: TapId, protocol: &'static str, client: Endpoint, server: Endpoint) -> Arc<Edge> {
        let name = |endpoint| self.names.workload(endpoint).unwrap_or_else(|| UNKNOWN.into());
        let mut edge = Edge::new(self.names.tap_kind(tap), protocol, name(client), name(server));
        if self.metrics.config.addresses {
            edge.addresses = Some((client, server));
        }
        Arc::new(edge)
    }

    fn opened(&mut self, flow: &FlowOpening) {
        let edge = self.edge(flow.tap, flow.transport.as_str(), flow.client, flow.server);
        self.open.insert(flow.id, Open { edge, counted: None });
    }

    fn progress(&mut self, flow: &FlowRecord, closed: bool) {
        let protocol = flow.l7.map_or(flow.transport.as_str(), |l7| l7.protocol.as_str());
        let edge = self.edge(flow.tap, protocol, flow.client, flow.server);
        let mut open =
            self.open.remove(&flow.id).unwrap_or_else(|| Open { edge: edge.clone(), counted: None });
        let was_active = open.counted.is_some().then(|| open.edge.clone());
        if was_active.is_none() {
            self.metrics.flows.opened(&edge);
        }
        let counted = Snapshot::of(flow);
        {
            let before = open.counted.take().unwrap_or_default();
            self.metrics.flows.add(&edge, flow, &before);
            if flow.transport == Transport::Tcp {
                self.metrics.tcp.add(&edge, flow, &counted, &before);
            }
        }
        self.metrics.flows.active(was_active.as_ref(), (!closed).then_some(&edge));
        if closed {
            if let Some(reason) = flow.close_reason {
                self.metrics.flows.closed(&edge, reason);
                self.metrics.tcp.closed(&edge, reason);
            }
        } else {
            self.open.insert(flow.id, Open { edge, counted: Some(Box::new(counted)) });
        }
    }

    fn exchange(&mut self, exchange: &Exchange) {
        let protocol = exchange.protocol.as_str();
        let known =
            self.open.get(&exchange.flow).map(|open| &open.edge).filter(|edge| edge.protocol == protocol);
        let edge = match known {
            Some(edge) if &*edge.client != UNKNOWN && &*edge.server != UNKNOWN => edge.clone(),
            _ => self.edge(exchange.tap, protocol, exchange.client, exchange.server),
        };
        self.metrics.requests.add(&edge, exchange);
    }
}

impl<S: Sink> Sink for Metered<S> {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::FlowOpened(flow) => self.opened(flow),
            Fact::FlowProgress(flow) => self.progress(flow, false),
            Fact::FlowClosed(flow) => self.progress(flow, true),
            Fact::Exchange(exchange) => self.exchange(exchange),
            Fact::Undecoded { reason, .. } => self.metrics.own.undecoded(reason),
            Fact::StreamGap { bytes, .. } => {
                self.metrics.own.gap_bytes.inc_by(bytes);
            }
            Fact::Evicted { table, entries } => self.metrics.own.evicted(table.as_str(), entries),
            _ => {}
        }
        self.inner.emit(fact);
    }
}
