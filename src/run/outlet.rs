//! Facts of a shard on their way to the thread that owns the store, and to the list of flows.

use std::sync::Arc;

use fact::{Exchange, FlowRecord};

use crate::live::{BoardUpdater, Shared, StoreMessage, StoreSender};
use crate::pipeline::{Destination, OwnedFact};

/// Sends facts in batches, without ever waiting for the receiver.
pub(super) struct StoreOutlet {
    shared: Arc<Shared>,
    /// Number of the shard.
    index: usize,
    sender: StoreSender,
    batch: Vec<OwnedFact>,
    batch_size: usize,
    board: BoardUpdater,
    dropped: u64,
}

impl StoreOutlet {
    pub(super) fn new(
        shared: Arc<Shared>,
        index: usize,
        sender: StoreSender,
        batch_size: usize,
    ) -> Self {
        let (batch, board) = (Vec::new(), BoardUpdater::default());
        Self { shared, index, sender, batch, batch_size, board, dropped: 0 }
    }

    /// Sends the batch if there is room for it; else drops and counts it.
    pub(super) fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(self.batch_size));
        if let Err(StoreMessage::Facts(lost)) = self.sender.try_send(StoreMessage::Facts(batch)) {
            self.dropped += lost.len() as u64;
            self.shared.metrics.add_channel_drops(lost.len() as u64);
        }
    }

    /// Sends the batch as soon as there is room: nothing is captured any more.
    fn flush_waiting(&mut self) {
        self.sender.send(StoreMessage::Facts(std::mem::take(&mut self.batch)));
    }

    /// Sends the last batch; returns how many facts found no room since the start.
    pub(super) fn finish(mut self) -> u64 {
        self.flush_waiting();
        self.dropped
    }

    fn push(&mut self, fact: OwnedFact) {
        self.batch.push(fact);
        if self.batch.len() >= self.batch_size {
            // At the end of a run all flows are closed at once, which is more than the channel
            // holds.
            if self.shared.stopping() { self.flush_waiting() } else { self.flush() }
        }
    }
}

impl Destination for StoreOutlet {
    fn on_exchange(&mut self, exchange: &Exchange) {
        self.push(exchange.into());
    }

    fn on_flow_closed(&mut self, flow: &FlowRecord) {
        self.push(flow.into());
    }

    fn on_flow_figures(&mut self, flow: &FlowRecord) {
        if let Some(shard) = self.shared.shards.get(self.index) {
            self.board.update(&shard.board, flow);
        }
    }
}
