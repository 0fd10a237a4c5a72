//! What each thread received last.

use std::collections::VecDeque;

use wire::Timestamp;

use super::sockets::Received;
use crate::hash::Map;

/// What each thread received lately. Records come in order of time; the few remembered ones are for
/// those that came late.
#[derive(Debug, Default)]
pub(super) struct Threads {
    recent: Map<u32, Recent>,
    /// Threads with the time at which they were put here, for eviction of the longest silent.
    order: VecDeque<(u32, Timestamp)>,
}

#[derive(Debug, Default)]
struct Recent {
    ring: [Option<Received>; Recent::KEPT],
    next: usize,
    touched: Timestamp,
}

impl Recent {
    const KEPT: usize = 8;
}

impl Threads {
    /// Adds a receive; returns whether a thread had to be removed for it.
    pub(super) fn received(&mut self, tid: u32, received: Received, limit: usize) -> bool {
        let entry = self.recent.entry(tid).or_insert_with(|| {
            self.order.push_back((tid, received.at));
            Recent::default()
        });
        entry.touched = entry.touched.max(received.at);
        if let Some(slot) = entry.ring.get_mut(entry.next % Recent::KEPT) {
            *slot = Some(received);
        }
        entry.next = (entry.next + 1) % Recent::KEPT;
        self.recent.len() > limit && self.forget_oldest()
    }

    /// What `tid` had received last at `time`.
    pub(super) fn last(&self, tid: u32, time: Timestamp) -> Option<Received> {
        let recent = self.recent.get(&tid)?;
        recent.ring.iter().flatten().filter(|r| r.at <= time).max_by_key(|r| r.at).copied()
    }

    fn forget_oldest(&mut self) -> bool {
        while let Some((tid, queued)) = self.order.pop_front() {
            match self.recent.get(&tid) {
                Some(recent) if recent.touched > queued => {
                    self.order.push_back((tid, recent.touched))
                }
                Some(_) => {
                    self.recent.remove(&tid);
                    return true;
                }
                None => {}
            }
        }
        false
    }

    pub(super) fn bytes(&self) -> usize {
        self.recent.capacity() * (size_of::<Recent>() + 8) + self.order.capacity() * 16
    }
}
