use std::sync::Arc;
use std::sync::TryLockError;

use fact::FlowRecord;
use fact::{Fact, Sink};

use crate::live::Shared;
use crate::live::{Kept, Message, ToKeeper};
use crate::output::Captured;

/// Where the facts of a shard leave it: in batches to the thread that keeps the store, without ever waiting for it.
pub(super) struct Outlet {
    shared: Arc<Shared>,
    index: usize,
    keeper: ToKeeper,
    batch: Vec<Kept>,
    batch_size: usize,
    /// Whether flow records are wanted.
    flows: bool,
    pub(super) counts: Captured,
    /// Facts that found no room.
    pub(super) dropped: u64,
}

impl Outlet {
    pub(super) fn new(
        shared: Arc<Shared>,
        index: usize,
        keeper: ToKeeper,
        batch_size: usize,
        flows: bool,
    ) -> Self {
        let (batch, counts) = (Vec::new(), Captured::default());
        Self { shared, index, keeper, batch, batch_size, flows, counts, dropped: 0 }
    }

    /// Sends what waits, if there is room for it.
    pub(super) fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(self.batch_size));
        if let Err(Message::Facts(lost)) = self.keeper.offer(Message::Facts(batch)) {
            self.dropped += lost.len() as u64;
            self.shared.metrics.channel_dropped(lost.len() as u64);
        }
    }

    /// Sends the last batch, waiting for room.
    pub(super) fn finish(&mut self) {
        self.keeper.push(Message::Facts(std::mem::take(&mut self.batch)));
    }

    fn push(&mut self, kept: Kept) {
        self.batch.push(kept);
        // At the end of a run everything comes at once, and the queue is waited for.
        if self.batch.len() >= self.batch_size {
            if self.shared.stopping() { self.finish() } else { self.flush() }
        }
    }

    fn show(&self, record: &FlowRecord) {
        let Some(shard) = self.shared.shards.get(self.index) else { return };
        // While somebody reads the board the shard does not wait; the next tick shows the flow.
        match shard.board.try_lock() {
            Ok(mut board) => board.show(record),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().show(record),
            Err(TryLockError::WouldBlock) => {}
        }
    }
}

impl Sink for Outlet {
    fn emit(&mut self, fact: Fact<'_>) {
        self.counts.emit(fact);
        match fact {
            Fact::Exchange(exchange) => self.push(Kept::Exchange(Box::new(exchange.clone()))),
            Fact::FlowProgress(record) => self.show(record),
            Fact::FlowClosed(record) => {
                self.show(record);
                if self.flows {
                    self.push(Kept::Flow(Box::new(record.clone())));
                }
            }
            _ => {}
        }
    }
}
