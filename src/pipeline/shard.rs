//! One analyzer and the outlet of its facts. Threads and sources of frames are the command's.

use std::sync::Arc;

use analyzer::{Analyzer, Usage};
use fact::{Fact, Sink};
use metrics::{Metered, Metrics, Names};
use wire::decode::{Decoded, Undecoded};
use wire::{RawFrame, TapId, Timestamp};

use super::outlet::{Destination, Outlet, Wanted};
use crate::output::Captured;

/// What every shard of a command is made from.
#[derive(Clone)]
pub(crate) struct ShardConfig {
    pub(crate) analyzer: analyzer::Config,
    pub(crate) wanted: Wanted,
    /// The metrics that facts are counted in, if any.
    pub(crate) metrics: Option<(Arc<Metrics>, Arc<dyn Names>)>,
}

/// An analyzer of the frames of some connections, and the outlet of its facts.
pub(crate) struct Shard<D> {
    analyzer: Analyzer,
    sink: MaybeMetered<Outlet<D>>,
}

impl<D: Destination> Shard<D> {
    pub(crate) fn new(config: &ShardConfig, destination: D) -> Self {
        let outlet = Outlet::new(destination, config.wanted);
        let sink = match &config.metrics {
            Some((metrics, names)) => {
                let metered = Metered::new(outlet, metrics.clone(), names.clone());
                MaybeMetered::Metered(Box::new(metered))
            }
            None => MaybeMetered::Plain(outlet),
        };
        Self { analyzer: Analyzer::new(config.analyzer.clone()), sink }
    }

    /// Takes a frame. `number` is unique over all shards, and the flow that the frame opens is
    /// named by it.
    pub(crate) fn on_frame(&mut self, number: u64, frame: &RawFrame<'_>) {
        self.destination().on_frame(number);
        self.analyzer.frame(number, frame, &mut self.sink);
    }

    /// Takes a packet that was put together from fragments elsewhere; the frame of this number was
    /// the last of them.
    pub(crate) fn on_packet(&mut self, number: u64, packet: &Decoded<'_>) {
        self.destination().on_frame(number);
        self.analyzer.packet(number, packet, &mut self.sink);
    }

    /// Takes note that the frame of this number gave no packet, and that since the last note
    /// `given_up` datagrams were removed whose fragments did not all come.
    pub(crate) fn on_undecoded(
        &mut self,
        number: u64,
        tap: TapId,
        reason: Undecoded,
        given_up: u64,
    ) {
        self.destination().on_frame(number);
        Analyzer::undecoded(tap, reason, given_up, &mut self.sink);
    }

    /// Moves the analyzer's time to `now`, before the frame of this number.
    pub(crate) fn on_tick(&mut self, number: u64, now: Timestamp) {
        self.destination().on_tick(number);
        self.analyzer.tick(now, &mut self.sink);
        self.destination().on_tick_end(now);
    }

    /// Adds what was counted since the last call to the metrics. To be called about once a second
    /// while metrics are read.
    pub(crate) fn update_metrics(&mut self) {
        if let MaybeMetered::Metered(metered) = &mut self.sink {
            metered.flush();
        }
    }

    /// Memory that the analyzer holds. Walks over all flows.
    pub(crate) fn usage(&self) -> Usage {
        self.analyzer.usage()
    }

    pub(crate) fn destination(&mut self) -> &mut D {
        self.sink.inner().destination()
    }

    /// Closes all flows at `end`, the end of the input for all shards, and returns the destination,
    /// which has all facts then, and their counts.
    pub(crate) fn finish(mut self, end: Timestamp) -> (D, Captured) {
        self.destination().on_tick(u64::MAX);
        self.analyzer.finish_at(end, &mut self.sink);
        self.sink.finish().into_parts()
    }
}

/// A sink whose facts are counted in metrics, if there are any.
enum MaybeMetered<S> {
    Plain(S),
    Metered(Box<Metered<S>>),
}

impl<S> MaybeMetered<S> {
    fn inner(&mut self) -> &mut S {
        match self {
            Self::Plain(inner) => inner,
            Self::Metered(metered) => metered.inner_mut(),
        }
    }
}

impl<S: Sink> MaybeMetered<S> {
    /// Adds the last counts to the metrics.
    fn finish(self) -> S {
        match self {
            Self::Plain(inner) => inner,
            Self::Metered(mut metered) => {
                metered.finish();
                metered.into_inner()
            }
        }
    }
}

impl<S: Sink> Sink for MaybeMetered<S> {
    fn emit(&mut self, fact: Fact<'_>) {
        match self {
            Self::Plain(inner) => inner.emit(fact),
            Self::Metered(metered) => metered.emit(fact),
        }
    }
}
