use analyzer::fact::{Exchange, FlowRecord};
use analyzer::{Fact, Sink};
use metrics::Metered;
use wire::Timestamp;

use super::recorder::Recorder;
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

    pub(super) const fn of_flow(self, flow: u64) -> Self {
        if self.frame { self } else { Self { flow, ..self } }
    }

    pub(super) const fn last(self) -> Self {
        Self { flow: u64::MAX, ..self }
    }
}

/// Takes what is found, knowing the place of everything.
pub(super) trait Finds: Sink {
    /// What comes next stands at `place`.
    fn stand(&mut self, place: Place);
    /// All findings up to the present place are there.
    fn mark(&mut self, now: Timestamp);
}

/// Which findings become records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) flows: bool,
    pub(super) exchanges: bool,
}

/// Keeps what becomes a record, with its place, and counts the rest.
#[derive(Debug)]
struct Collector {
    place: Place,
    found: Vec<(Place, Found)>,
    counts: Captured,
    wanted: Wanted,
}

impl Collector {
    fn new(wanted: Wanted) -> Self {
        Self { place: Place::default(), found: Vec::new(), counts: Captured::default(), wanted }
    }
}

impl Finds for Collector {
    fn stand(&mut self, place: Place) {
        self.place = place;
    }

    fn mark(&mut self, now: Timestamp) {
        self.found.push((self.place.last(), Found::Tick(now)));
    }
}

impl Sink for Collector {
    fn emit(&mut self, fact: Fact<'_>) {
        self.counts.emit(fact);
        match fact {
            Fact::Exchange(exchange) if self.wanted.exchanges => {
                let place = self.place.of_flow(exchange.flow.0);
                self.found.push((place, Found::Exchange(Box::new(exchange.clone()))));
            }
            Fact::FlowClosed(flow) if self.wanted.flows => {
                let place = self.place.of_flow(flow.id.0);
                self.found.push((place, Found::Flow(Box::new(flow.clone()))));
            }
            _ => {}
        }
    }
}

/// Writes what is found: at once in a frame, where it comes in order, and at the end of a tick.
pub(super) struct Direct<'a> {
    recorder: &'a mut Recorder,
    collector: Collector,
    result: anyhow::Result<()>,
}

impl<'a> Direct<'a> {
    pub(super) fn new(recorder: &'a mut Recorder, wanted: Wanted) -> Self {
        Self { recorder, collector: Collector::new(wanted), result: Ok(()) }
    }

    /// Whether everything could be written so far.
    pub(super) fn is_well(&self) -> bool {
        self.result.is_ok()
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> (Captured, anyhow::Result<()>) {
        let rest = self.recorder.record(&mut self.collector.found);
        (self.collector.counts, self.result.and(rest))
    }

    fn keep(&mut self, result: anyhow::Result<()>) {
        if self.result.is_ok() {
            self.result = result;
        }
    }
}

impl Finds for Direct<'_> {
    fn stand(&mut self, place: Place) {
        self.collector.stand(place);
    }

    fn mark(&mut self, now: Timestamp) {
        self.collector.mark(now);
        let result = self.recorder.record(&mut self.collector.found);
        self.keep(result);
    }
}

impl Sink for Direct<'_> {
    fn emit(&mut self, fact: Fact<'_>) {
        if !self.collector.place.frame {
            return self.collector.emit(fact);
        }
        self.collector.counts.emit(fact);
        let wanted = self.collector.wanted;
        let result = match fact {
            Fact::Exchange(exchange) if wanted.exchanges => self.recorder.exchange(exchange),
            Fact::FlowClosed(flow) if wanted.flows => self.recorder.flow(flow),
            _ => return,
        };
        self.keep(result);
    }
}

/// Findings, counted in metrics on their way if those are wanted.
pub(super) enum Counted<F> {
    Plain(F),
    Metered(Box<Metered<F>>),
}

impl<F> Counted<F> {
    pub(super) fn inner(&mut self) -> &mut F {
        match self {
            Self::Plain(inner) => inner,
            Self::Metered(metered) => metered.inner_mut(),
        }
    }

    /// Brings the metrics up to date.
    pub(super) fn finish(self) -> F {
        match self {
            Self::Plain(inner) => inner,
            Self::Metered(mut metered) => {
                metered.finish();
                metered.into_inner()
            }
        }
    }
}

impl<F: Sink> Sink for Counted<F> {
    fn emit(&mut self, fact: Fact<'_>) {
        match self {
            Self::Plain(inner) => inner.emit(fact),
            Self::Metered(metered) => metered.emit(fact),
        }
    }
}
