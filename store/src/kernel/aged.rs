//! A bounded table by number; the entry that was not touched for longest goes first.

use std::collections::VecDeque;

use wire::Timestamp;

use crate::hash::Map;

#[derive(Debug)]
pub(super) struct Aged<V> {
    entries: Map<u32, Entry<V>>,
    /// Keys with the time at which they were put here.
    order: VecDeque<(u32, Timestamp)>,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    touched: Timestamp,
}

impl<V> Default for Aged<V> {
    fn default() -> Self {
        Self { entries: Map::default(), order: VecDeque::new() }
    }
}

impl<V: Default> Aged<V> {
    /// The entry of `key`, which is made if it is not there, touched at `now`.
    pub(super) fn touch(&mut self, key: u32, now: Timestamp) -> &mut V {
        let entry = self.entries.entry(key).or_insert_with(|| {
            self.order.push_back((key, now));
            Entry { value: V::default(), touched: now }
        });
        entry.touched = entry.touched.max(now);
        &mut entry.value
    }
}

impl<V> Aged<V> {
    pub(super) fn get(&self, key: u32) -> Option<&V> {
        self.entries.get(&key).map(|entry| &entry.value)
    }

    pub(super) fn get_mut(&mut self, key: u32) -> Option<&mut V> {
        self.entries.get_mut(&key).map(|entry| &mut entry.value)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values().map(|entry| &entry.value)
    }

    /// Removes an entry if there are more than `limit`; returns whether it did.
    pub(super) fn limit(&mut self, limit: usize) -> bool {
        while self.entries.len() > limit {
            let Some((key, queued)) = self.order.pop_front() else { break };
            match self.entries.get(&key) {
                Some(entry) if entry.touched > queued => {
                    self.order.push_back((key, entry.touched));
                }
                Some(_) => {
                    self.entries.remove(&key);
                    return true;
                }
                None => {}
            }
        }
        false
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * (size_of::<Entry<V>>() + 8) + self.order.capacity() * 16
    }
}
