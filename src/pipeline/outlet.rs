//! The way of facts out of a shard.

use fact::{Exchange, Fact, FlowRecord, Sink};
use wire::Timestamp;

use crate::output::Captured;

/// Which facts become records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) exchanges: bool,
    pub(crate) flows: bool,
}

/// Where the facts of one shard go. A destination that keeps a fact makes it an
/// [`OwnedFact`](super::OwnedFact).
pub(crate) trait Destination {
    /// The facts that follow are found in the frame of this number.
    fn on_frame(&mut self, _number: u64) {}

    /// The facts that follow come from time alone, before the frame of this number.
    fn on_tick(&mut self, _number: u64) {}

    /// The shard has handed over every fact up to the tick at `now`.
    fn on_tick_end(&mut self, _now: Timestamp) {}

    /// Takes an exchange, where exchanges are wanted.
    fn on_exchange(&mut self, exchange: &Exchange);

    /// Takes the record of a flow that was closed, where flows are wanted.
    fn on_flow_closed(&mut self, flow: &FlowRecord);

    /// Takes the present figures of a flow, open or closed, whether flows are wanted or not.
    fn on_flow_figures(&mut self, _flow: &FlowRecord) {}
}

/// Counts the facts of one shard, and passes on those that are wanted.
#[derive(Debug)]
pub(crate) struct Outlet<D> {
    destination: D,
    wanted: Wanted,
    counts: Captured,
}

impl<D> Outlet<D> {
    pub(crate) fn new(destination: D, wanted: Wanted) -> Self {
        Self { destination, wanted, counts: Captured::default() }
    }

    pub(crate) const fn destination(&mut self) -> &mut D {
        &mut self.destination
    }

    pub(crate) fn into_parts(self) -> (D, Captured) {
        (self.destination, self.counts)
    }
}

impl<D: Destination> Sink for Outlet<D> {
    fn emit(&mut self, fact: Fact<'_>) {
        self.counts.emit(fact);
        match fact {
            Fact::Exchange(exchange) if self.wanted.exchanges => {
                self.destination.on_exchange(exchange);
            }
            Fact::FlowProgress(flow) => self.destination.on_flow_figures(flow),
            Fact::FlowClosed(flow) => {
                self.destination.on_flow_figures(flow);
                if self.wanted.flows {
                    self.destination.on_flow_closed(flow);
                }
            }
            _ => {}
        }
    }
}
