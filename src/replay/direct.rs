use fact::{Fact, Sink};
use wire::Timestamp;

use super::found::{Finds, Found, Place, Wanted};
use super::recorder::Recorder;
use crate::output::Captured;

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
        if !self.collector.place.in_frame() {
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

/// Keeps what waits for its place among others, and counts everything.
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
