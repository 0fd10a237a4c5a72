//! The registry of taps: which interface or file a [`TapId`] stands for. Shared by all threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dashmap::DashMap;
use wire::{Tap, TapId, TapKind};

/// Names and kinds of taps by id. Ids are never reused, so facts that arrive late still find their
/// tap.
#[derive(Debug, Default)]
pub(crate) struct Taps {
    by_id: DashMap<TapId, Arc<Tap>>,
    next: AtomicU32,
}

impl Taps {
    /// Registers a tap and gives it an id.
    pub(crate) fn add(&self, name: &str, kind: TapKind) -> TapId {
        let id = TapId(self.next.fetch_add(1, Ordering::Relaxed));
        self.by_id.insert(id, Arc::new(Tap { id, name: name.to_owned(), kind }));
        id
    }

    /// The tap of an id that [`add`](Self::add) gave.
    pub(crate) fn get(&self, id: TapId) -> Option<Arc<Tap>> {
        self.by_id.get(&id).map(|entry| entry.value().clone())
    }

    /// Kind of a tap; `Other` if it is unknown.
    pub(crate) fn kind(&self, id: TapId) -> TapKind {
        self.get(id).map_or(TapKind::Other, |tap| tap.kind)
    }
}

/// One thread's copies of the taps that it looked up, so that a look-up takes no lock.
#[derive(Debug)]
pub(crate) struct TapCache {
    taps: Arc<Taps>,
    known: Vec<Option<Arc<Tap>>>,
}

impl TapCache {
    pub(crate) fn new(taps: Arc<Taps>) -> Self {
        Self { taps, known: Vec::new() }
    }

    /// A cache of the same taps for another thread.
    pub(crate) fn another(&self) -> Self {
        Self::new(self.taps.clone())
    }

    /// The tap of `id`, and whether this is its first look-up here.
    pub(crate) fn get(&mut self, id: TapId) -> (Option<&Arc<Tap>>, bool) {
        let index = id.0 as usize;
        let known = self.known.get(index).is_some_and(Option::is_some);
        if !known && let Some(tap) = self.taps.get(id) {
            if self.known.len() <= index {
                self.known.resize(index + 1, None);
            }
            self.known[index] = Some(tap);
            return (self.known[index].as_ref(), true);
        }
        (self.known.get(index).and_then(Option::as_ref), false)
    }

    /// The name of a tap; empty if it is unknown.
    pub(crate) fn name(&mut self, id: TapId) -> &str {
        self.get(id).0.map_or("", |tap| tap.name.as_str())
    }
}
