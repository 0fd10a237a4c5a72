//! Where the last request of each flow was counted, so that the next one needs no look-up by name.

use fact::FlowId;

/// Entries by flow. Of flows that share a slot it keeps the last one.
#[derive(Debug)]
pub(crate) struct SeriesCache {
    /// With the round in which the entry was made.
    slots: Vec<Option<(u64, CacheEntry)>>,
    round: u64,
}

/// Where the last exchange of a flow was counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheEntry {
    pub(crate) flow: FlowId,
    pub(crate) protocol: &'static str,
    /// Index of the edge's tally.
    pub(crate) edge: usize,
    /// Index of the operation in it.
    pub(crate) operation: usize,
}

impl SeriesCache {
    const SLOTS: usize = 1024;

    /// The entry of a flow in `protocol`, if there is one of this round.
    pub(crate) fn get(&self, flow: FlowId, protocol: &'static str) -> Option<CacheEntry> {
        let (round, entry) = (*self.slots.get(slot(flow))?)?;
        let is_same = entry.flow == flow && round == self.round && entry.protocol == protocol;
        is_same.then_some(entry)
    }

    pub(crate) fn insert(&mut self, entry: CacheEntry) {
        if let Some(slot) = self.slots.get_mut(slot(entry.flow)) {
            *slot = Some((self.round, entry));
        }
    }

    /// Removes all entries.
    pub(crate) fn clear(&mut self) {
        self.round += 1;
    }
}

impl Default for SeriesCache {
    fn default() -> Self {
        Self { slots: vec![None; Self::SLOTS], round: 0 }
    }
}

fn slot(FlowId(flow): FlowId) -> usize {
    // Flows are numbered by frames, so open ones have close numbers: multiplied, they spread.
    (flow.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % SeriesCache::SLOTS
}
