use std::borrow::Cow;
use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use wire::Direction;

use crate::capped::Capped;
use crate::edge::{Edge, Series};
use crate::tally::FlowTally;

/// Flows of every transport.
#[derive(Debug)]
pub(crate) struct Flows {
    bytes: Capped<Counter>,
    packets: Capped<Counter>,
    opened: Capped<Counter>,
    closed: Capped<Counter>,
    active: Capped<Gauge>,
}

impl Flows {
    pub(crate) fn register(registry: &mut Registry, cap: usize) -> Self {
        let it = Self {
            bytes: Capped::new(cap),
            packets: Capped::new(cap),
            opened: Capped::new(cap),
            closed: Capped::new(cap),
            active: Capped::new(cap),
        };
        registry.register(
            "flow_bytes",
            "Bytes of the innermost IP packets, headers included",
            it.bytes.clone(),
        );
        registry.register("flow_packets", "Packets", it.packets.clone());
        registry.register(
            "flows_opened",
            "Flows opened, counted a second after the first packet or when they end",
            it.opened.clone(),
        );
        registry.register("flows_closed", "Flows that ended, by reason", it.closed.clone());
        registry.register(
            "flows_active",
            "Flows that are open; those shorter than a second may never show",
            it.active.clone(),
        );
        it
    }

    /// Moves the flow in the number of active ones.
    pub(crate) fn active(&self, from: Option<&Arc<Edge>>, to: Option<&Arc<Edge>>) {
        if from == to {
            return;
        }
        if let Some(edge) = from {
            self.active.at(&Series::of(edge)).dec();
        }
        if let Some(edge) = to {
            self.active.at(&Series::of(edge)).inc();
        }
    }

    pub(crate) fn add(&self, edge: &Arc<Edge>, tally: &FlowTally) {
        if tally.opened > 0 {
            self.opened.at(&Series::of(edge)).inc_by(tally.opened);
        }
        for &(reason, times) in &tally.closed {
            self.closed.at(&Series::with(edge, ("reason", reason.as_str().into()))).inc_by(times);
        }
        for direction in Direction::BOTH {
            let traffic = &tally.traffic[direction];
            if traffic.packets > 0 {
                let series = Series::with(edge, ("direction", Cow::Borrowed(direction.as_str())));
                self.packets.at(&series).inc_by(traffic.packets);
                self.bytes.at(&series).inc_by(traffic.ip_bytes);
            }
        }
    }
}
