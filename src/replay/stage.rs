use std::sync::Arc;

use analyzer::Analyzer;
use metrics::{Metered, Metrics, Names};
use wire::decode::{Decoded, Undecoded};
use wire::{RawFrame, TapId, Timestamp};

use super::direct::Direct;
use super::feed::Stage;
use super::found::{Counted, Finds, Place, Wanted};
use crate::output::Captured;

/// What every analyzer of a replay is made of.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) analyzer: analyzer::Config,
    pub(super) wanted: Wanted,
    /// Metrics to count into, if they are wanted.
    pub(super) metrics: Option<(Arc<Metrics>, Arc<dyn Names>)>,
}

/// An analyzer, and what takes its findings.
pub(super) struct Shard<F> {
    analyzer: Analyzer,
    sink: Counted<F>,
}

impl<F: Finds> Shard<F> {
    pub(super) fn new(plan: &Plan, finds: F) -> Self {
        let sink = match &plan.metrics {
            Some((metrics, names)) => {
                Counted::Metered(Box::new(Metered::new(finds, metrics.clone(), names.clone())))
            }
            None => Counted::Plain(finds),
        };
        Self { analyzer: Analyzer::new(plan.analyzer.clone()), sink }
    }

    pub(super) fn frame(&mut self, number: u64, frame: &RawFrame<'_>) {
        self.sink.inner().stand(Place::frame(number));
        self.analyzer.frame(number, frame, &mut self.sink);
    }

    /// A packet that was put together from fragments, of which the frame of that number was the last.
    pub(super) fn packet(&mut self, number: u64, packet: &Decoded<'_>) {
        self.sink.inner().stand(Place::frame(number));
        self.analyzer.packet(number, packet, &mut self.sink);
    }

    /// The frame of that number gave no packet; by then so many more datagrams had waited for fragments in vain.
    pub(super) fn undecoded(&mut self, number: u64, tap: TapId, reason: Undecoded, given_up: u64) {
        self.sink.inner().stand(Place::frame(number));
        Analyzer::undecoded(tap, reason, given_up, &mut self.sink);
    }

    pub(super) fn tick(&mut self, number: u64, now: Timestamp) {
        self.sink.inner().stand(Place::tick(number));
        self.analyzer.tick(now, &mut self.sink);
        self.sink.inner().mark(now);
    }

    pub(super) fn finds(&mut self) -> &mut F {
        self.sink.inner()
    }

    /// Closes everything; the last findings are with what took the others.
    pub(super) fn finish(mut self) -> F {
        self.sink.inner().stand(Place::tick(u64::MAX));
        self.analyzer.finish(&mut self.sink);
        self.sink.finish()
    }
}

/// Everything in one thread: findings are written as they are made.
pub(super) struct Single<'a>(pub(super) Shard<Direct<'a>>);

impl Single<'_> {
    pub(super) fn finish(self) -> (Captured, anyhow::Result<()>) {
        self.0.finish().finish()
    }
}

impl Stage for Single<'_> {
    fn frame(&mut self, number: u64, frame: &RawFrame<'_>) {
        self.0.frame(number, frame);
    }

    fn tick(&mut self, number: u64, now: Timestamp) {
        self.0.tick(number, now);
    }

    fn go_on(&mut self) -> bool {
        self.0.finds().is_well()
    }
}
