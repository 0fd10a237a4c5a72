//! What a shard counted that is of no edge.

use fact::{Inference, Table};
use wire::decode::Undecoded;

/// Undecoded frames, inferred protocols, evictions and gaps.
#[derive(Debug, Default)]
pub(crate) struct InternalTally {
    /// Frames, in the order of [`Undecoded::ALL`].
    pub(crate) undecoded: [u64; Undecoded::ALL.len()],
    /// Conversations, in the order of [`Inference::ALL`].
    pub(crate) inference: [u64; Inference::ALL.len()],
    /// Entries, in the order of [`Table::ALL`].
    pub(crate) evictions: [u64; Table::ALL.len()],
    /// Packets after the record of their flow.
    pub(crate) stray: u64,
    /// Bytes of streams that were never captured.
    pub(crate) gap_bytes: u64,
}

impl InternalTally {
    pub(crate) fn add_undecoded(&mut self, reason: Undecoded) {
        self.undecoded[reason.index()] += 1;
    }

    pub(crate) fn add_inference(&mut self, result: Inference, count: u64) {
        self.inference[result as usize] += count;
    }

    pub(crate) fn add_evictions(&mut self, table: Table, entries: u64) {
        self.evictions[table as usize] += entries;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value is counted under its position in `ALL`.
    #[test]
    fn positions_are_those_of_the_lists() {
        assert!(Undecoded::ALL.iter().enumerate().all(|(at, reason)| reason.index() == at));
        assert!(Inference::ALL.iter().enumerate().all(|(at, result)| *result as usize == at));
        assert!(Table::ALL.iter().enumerate().all(|(at, table)| *table as usize == at));
    }
}
