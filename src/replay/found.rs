use analyzer::fact::{Exchange, FlowRecord};
use analyzer::{Fact, Sink};
use metrics::Metered;
use wire::Timestamp;

use crate::output::Captured;

/// A finding that becomes a record, as one thread hands it to another.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Exchange(Box<Exchange>),
    Flow(Box<FlowRecord>),
    /// Everything before this time has been found.
    Tick(Timestamp),
}

/// Where a finding stands among all others. Findings of one frame keep the order in which they were made; those of one tick are
/// ordered by flow, because the analyzer may visit flows in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    number: u64,
    /// Ticks stand before the frame of the same number.
    frame: bool,
    flow: u64,
}

impl Place {
    pub(super) const fn frame(number: u64) -> Self {
        Self { number, frame: true, flow: 0 }
    }

    pub(super) const fn tick(number: u64) -> Self {
        Self { number, frame: false, flow: 0 }
    }

    const fn of_flow(self, flow: u64) -> Self {
        if self.frame { self } else { Self { flow, ..self } }
    }

    const fn last(self) -> Self {
        Self { flow: u64::MAX, ..self }
    }
}

/// Keeps what becomes a record, with its place, and counts the rest.
#[derive(Debug, Default)]
pub(super) struct Collector {
    pub(super) place: Place,
    pub(super) found: Vec<(Place, Found)>,
    pub(super) counts: Captured,
    /// Whether flow records are wanted.
    pub(super) flows: bool,
    /// Whether ticks are passed on: by one of all threads.
    pub(super) ticks: bool,
}

impl Collector {
    /// Marks that all findings up to the present place are there.
    pub(super) fn mark(&mut self, now: Timestamp) {
        if self.ticks {
            self.found.push((self.place.last(), Found::Tick(now)));
        }
    }
}

impl Sink for Collector {
    fn emit(&mut self, fact: Fact<'_>) {
        self.counts.emit(fact);
        match fact {
            Fact::Exchange(exchange) => {
                let place = self.place.of_flow(exchange.flow.0);
                self.found.push((place, Found::Exchange(Box::new(exchange.clone()))));
            }
            Fact::FlowClosed(flow) if self.flows => {
                let place = self.place.of_flow(flow.id.0);
                self.found.push((place, Found::Flow(Box::new(flow.clone()))));
            }
            _ => {}
        }
    }
}

/// A collector, with metrics if they are wanted.
pub(super) enum Collected {
    Plain(Collector),
    Counted(Metered<Collector>),
}

impl Collected {
    pub(super) fn collector(&mut self) -> &mut Collector {
        match self {
            Self::Plain(collector) => collector,
            Self::Counted(metered) => metered.inner_mut(),
        }
    }
}

impl Sink for Collected {
    fn emit(&mut self, fact: Fact<'_>) {
        match self {
            Self::Plain(collector) => collector.emit(fact),
            Self::Counted(metered) => metered.emit(fact),
        }
    }
}
