//! What a shard counted, by edge.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::edge_tally::Tally;
use crate::edge::Edge;

/// Tallies by edge. Indices hold until [`take`](Self::take).
#[derive(Debug, Default)]
pub(crate) struct Edges {
    /// Seeded at random: names and addresses of an edge come from the wire.
    index: HashMap<Arc<Edge>, usize, RandomState>,
    tallies: Vec<(Arc<Edge>, Tally)>,
}

impl Edges {
    /// Most edges between two flushes; one more writes all of them to the families first.
    const MAX: usize = 4_096;

    pub(crate) fn is_full(&self) -> bool {
        self.tallies.len() >= Self::MAX
    }

    /// Index of the tally of `edge`, if it has one.
    pub(crate) fn get(&self, edge: &Edge) -> Option<usize> {
        self.index.get(edge).copied()
    }

    /// Index of a new tally of `edge`, which must not have one.
    pub(crate) fn insert(&mut self, edge: Arc<Edge>) -> usize {
        let index = self.tallies.len();
        self.index.insert(edge.clone(), index);
        self.tallies.push((edge, Tally::default()));
        index
    }

    /// An edge and its tally.
    pub(crate) fn at(&mut self, index: usize) -> Option<(&Arc<Edge>, &mut Tally)> {
        self.tallies.get_mut(index).map(|(edge, tally)| (&*edge, tally))
    }

    /// Empties it.
    pub(crate) fn take(&mut self) -> Vec<(Arc<Edge>, Tally)> {
        self.index.clear();
        std::mem::take(&mut self.tallies)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    /// Edges that collide in one map do not collide in the next.
    #[test]
    fn each_map_has_a_seed_of_its_own() {
        let hash = || Edges::default().index.hasher().hash_one(Edge::overflow());
        assert_ne!(hash(), hash());
    }
}
