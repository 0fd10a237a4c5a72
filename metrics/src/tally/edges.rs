use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::Tally;
use crate::edge::Edge;

/// Tallies by edge. Indices hold until [`take`](Self::take).
#[derive(Debug, Default)]
pub(crate) struct Edges {
    index: HashMap<Arc<Edge>, usize, FixedState>,
    tallies: Vec<(Arc<Edge>, Tally)>,
}

impl Edges {
    /// Edges kept; with more, all are written to the families at once.
    const MOST: usize = 4_096;

    pub(crate) fn is_full(&self) -> bool {
        self.tallies.len() >= Self::MOST
    }

    /// Index of the tally of `edge`.
    pub(crate) fn find(&mut self, edge: Edge) -> usize {
        if let Some(&found) = self.index.get(&edge) {
            return found;
        }
        let edge = Arc::new(edge);
        self.index.insert(edge.clone(), self.tallies.len());
        self.tallies.push((edge, Tally::default()));
        self.tallies.len() - 1
    }

    pub(crate) fn edge(&self, index: usize) -> Option<&Arc<Edge>> {
        self.tallies.get(index).map(|(edge, _)| edge)
    }

    pub(crate) fn tally(&mut self, index: usize) -> Option<&mut Tally> {
        self.tallies.get_mut(index).map(|(_, tally)| tally)
    }

    /// Empties it.
    pub(crate) fn take(&mut self) -> Vec<(Arc<Edge>, Tally)> {
        self.index.clear();
        std::mem::take(&mut self.tallies)
    }
}
