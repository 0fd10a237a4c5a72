use std::collections::{HashMap, VecDeque};

use fact::{FlowRecord, Latencies};

/// The flows of one shard that the HTTP side can list: open ones as of the last tick, and the last that were closed.
#[derive(Default)]
pub(crate) struct Board {
    flows: HashMap<u64, FlowRecord>,
    closed: VecDeque<u64>,
    limit: usize,
}

impl Board {
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes the present figures of a flow. A full board makes room by forgetting the flow that was closed first; open flows
    /// that find no room are not listed.
    pub(crate) fn show(&mut self, record: &FlowRecord) {
        let id = record.id.0;
        let known = self.flows.contains_key(&id);
        if !known && self.flows.len() >= self.limit {
            let Some(oldest) = self.closed.pop_front() else { return };
            self.flows.remove(&oldest);
        }
        let mut shown = record.clone();
        // Nobody sees the distributions here, and they are most of a record's size.
        shown.directions.to_server.rtt_latencies = Latencies::default();
        shown.directions.to_client.rtt_latencies = Latencies::default();
        self.flows.insert(id, shown);
        if record.close_reason.is_some() {
            self.closed.push_back(id);
        }
    }

    /// Every flow on the board.
    pub(crate) fn flows(&self) -> impl Iterator<Item = &FlowRecord> {
        self.flows.values()
    }
}
