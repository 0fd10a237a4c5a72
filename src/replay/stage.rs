use std::sync::Arc;

use analyzer::Analyzer;
use metrics::{Metered, Metrics, Names};
use wire::{RawFrame, Timestamp};

use super::feed::Stage;
use super::found::{Collected, Collector, Found, Place};
use super::recorder::Recorder;
use crate::output::Captured;

/// What every analyzer of a replay is made of.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) analyzer: analyzer::Config,
    /// Whether flow records are wanted.
    pub(super) flows: bool,
    /// Metrics to count into, if they are wanted.
    pub(super) metrics: Option<(Arc<Metrics>, Arc<dyn Names>)>,
}

/// An analyzer with the collector of its findings.
pub(super) struct Shard {
    analyzer: Analyzer,
    sink: Collected,
}

impl Shard {
    /// The `index`th of all shards, from 0.
    pub(super) fn new(plan: &Plan, index: usize) -> Self {
        let collector = Collector { flows: plan.flows, ticks: index == 0, ..Collector::default() };
        let sink = match &plan.metrics {
            Some((metrics, names)) => {
                Collected::Counted(Metered::new(collector, metrics.clone(), names.clone()))
            }
            None => Collected::Plain(collector),
        };
        Self { analyzer: Analyzer::new(plan.analyzer.clone()), sink }
    }

    pub(super) fn frame(&mut self, number: u64, frame: &RawFrame<'_>) {
        self.sink.collector().place = Place::frame(number);
        self.analyzer.frame(number, frame, &mut self.sink);
    }

    pub(super) fn tick(&mut self, number: u64, now: Timestamp) {
        self.sink.collector().place = Place::tick(number);
        self.analyzer.tick(now, &mut self.sink);
        self.sink.collector().mark(now);
    }

    pub(super) fn found(&mut self) -> &mut Vec<(Place, Found)> {
        &mut self.sink.collector().found
    }

    /// Closes everything and returns the last findings and the counts.
    pub(super) fn finish(mut self) -> (Vec<(Place, Found)>, Captured) {
        self.sink.collector().place = Place::tick(u64::MAX);
        self.analyzer.finish(&mut self.sink);
        let collector = self.sink.collector();
        (std::mem::take(&mut collector.found), std::mem::take(&mut collector.counts))
    }
}

/// Everything in one thread: findings are written after every batch of frames.
pub(super) struct Single<'a> {
    pub(super) shard: Shard,
    pub(super) recorder: &'a mut Recorder,
    pub(super) result: anyhow::Result<()>,
}

impl Stage for Single<'_> {
    fn frame(&mut self, number: u64, frame: &RawFrame<'_>) {
        self.shard.frame(number, frame);
    }

    fn tick(&mut self, number: u64, now: Timestamp) {
        self.shard.tick(number, now);
    }

    fn go_on(&mut self) -> bool {
        self.result = self.recorder.record(self.shard.found());
        self.result.is_ok()
    }
}
