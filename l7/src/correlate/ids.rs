//! The ids of the exchanges in the making: found without a look at the exchanges themselves.

use std::collections::VecDeque;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// Ids from which on it is remembered which ids there are: up to 64 (512 bytes, 8 cache lines), a
/// search is as fast as a hash.
const MANY: usize = 64;
/// Ids for which there is room when the list is reused.
const REUSED: usize = 64;

/// The id of each entry of a queue, in its order.
#[derive(Debug, Default)]
pub(super) struct Ids {
    ids: VecDeque<u64>,
    /// How many there are of each id, while there are many.
    counts: Option<HashMap<u64, u32, RandomState>>,
}

impl Ids {
    /// Adds an id behind the others. `searched`: ids of this queue are going to be looked for.
    pub(super) fn push(&mut self, id: u64, searched: bool) {
        if let Some(counts) = &mut self.counts {
            *counts.entry(id).or_default() += 1;
        }
        self.ids.push_back(id);
        if searched && self.counts.is_none() && self.ids.len() > MANY {
            let mut counts: HashMap<u64, u32, RandomState> = HashMap::default();
            self.ids.iter().for_each(|id| *counts.entry(*id).or_default() += 1);
            self.counts = Some(counts);
        }
    }

    pub(super) fn remove(&mut self, index: usize) {
        let Some(id) = self.ids.remove(index) else {
            wire::invariant!("each entry of a queue has an id");
            return;
        };
        if let Some(counts) = &mut self.counts {
            if let Some(count) = counts.get_mut(&id) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&id);
                }
            }
            if self.ids.len() < MANY / 2 {
                self.counts = None;
            }
        }
    }

    /// Place of the first such id for which `wanted` holds.
    pub(super) fn position(&self, id: u64, wanted: impl Fn(usize) -> bool) -> Option<usize> {
        if !self.may_have(id) {
            return None;
        }
        let (front, back) = self.ids.as_slices();
        let among = |ids: &[u64], before: usize| {
            let mut from = 0;
            while let Some(found) = ids.get(from..)?.iter().position(|other| *other == id) {
                let index = before + from + found;
                if wanted(index) {
                    return Some(index);
                }
                from += found + 1;
            }
            None
        };
        among(front, 0).or_else(|| among(back, front.len()))
    }

    /// Ids with their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, u64)> {
        self.ids.iter().copied().enumerate()
    }

    /// Whether there may be such an id.
    pub(super) fn may_have(&self, id: u64) -> bool {
        self.counts.as_ref().is_none_or(|counts| counts.contains_key(&id))
    }

    /// Whether it is remembered which ids there are.
    #[cfg(test)]
    pub(super) fn is_indexed(&self) -> bool {
        self.counts.is_some()
    }

    /// An empty list with the memory of this one, if that is little.
    pub(super) fn emptied(self) -> Self {
        let mut ids = self.ids;
        ids.clear();
        ids.shrink_to(REUSED);
        Self { ids, ..Self::default() }
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let counts = self.counts.as_ref().map_or(0, |counts| counts.allocation_size());
        self.ids.capacity() * size_of::<u64>() + counts
    }
}
