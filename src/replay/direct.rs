//! Facts of the only shard on their way to the recorder, in the same thread.

use fact::{Exchange, FlowRecord};
use wire::Timestamp;

use super::order::Position;
use crate::pipeline::{Destination, OwnedFact, Recorder};

/// Records the facts of a frame at once, as they come in order, and those of a tick at its end.
pub(super) struct DirectOutlet<'a> {
    recorder: &'a mut Recorder,
    position: Position,
    /// Facts of the present tick.
    waiting: Vec<(Position, OwnedFact)>,
    /// What failed first.
    result: anyhow::Result<()>,
}

impl<'a> DirectOutlet<'a> {
    pub(super) fn new(recorder: &'a mut Recorder) -> Self {
        Self { recorder, position: Position::default(), waiting: Vec::new(), result: Ok(()) }
    }

    /// Whether everything could be written so far.
    pub(super) const fn is_ok(&self) -> bool {
        self.result.is_ok()
    }

    /// Writes out all records so far.
    pub(super) fn show(&mut self) {
        let result = self.recorder.show();
        self.set_result(result.map_err(Into::into));
    }

    /// Records what is left.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        let rest = self.record_waiting();
        self.result.and(rest)
    }

    fn record_waiting(&mut self) -> anyhow::Result<()> {
        self.waiting.sort_by_key(|(position, _)| *position);
        Ok(self.waiting.drain(..).try_for_each(|(_, fact)| self.recorder.record(fact))?)
    }

    fn tick(&mut self, now: Timestamp) -> anyhow::Result<()> {
        self.record_waiting()?;
        let traces = self.recorder.tick(now)?;
        Ok(self.recorder.write_traces(&traces)?)
    }

    fn set_result(&mut self, result: anyhow::Result<()>) {
        if self.result.is_ok() {
            self.result = result;
        }
    }
}

impl Destination for DirectOutlet<'_> {
    #[inline]
    fn on_frame(&mut self, number: u64) {
        self.position = Position::frame(number);
    }

    fn on_tick(&mut self, number: u64) {
        self.position = Position::tick(number);
    }

    fn on_tick_end(&mut self, now: Timestamp) {
        let result = self.tick(now);
        self.set_result(result);
    }

    fn on_exchange(&mut self, exchange: &Exchange) {
        if self.position.in_frame() {
            let result = self.recorder.record_exchange(exchange);
            self.set_result(result.map_err(Into::into));
        } else {
            self.waiting.push((self.position.of_flow(exchange.flow.0), exchange.into()));
        }
    }

    fn on_flow_closed(&mut self, flow: &FlowRecord) {
        if self.position.in_frame() {
            let result = self.recorder.write_flow(flow);
            self.set_result(result.map_err(Into::into));
        } else {
            self.waiting.push((self.position.of_flow(flow.id.0), flow.into()));
        }
    }
}
