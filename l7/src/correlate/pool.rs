//! Entries for reuse, shared by the sessions of one shard.

use fact::Protocol;

use super::entry::Entry;

/// Entries of emitted exchanges, kept with the memory of their texts; the last one is reused first,
/// since its memory is the most likely to be in the cache.
#[derive(Debug)]
#[expect(clippy::vec_box, reason = "each is handed on as it is, and never moved")]
pub(crate) struct EntryPool(Vec<Box<Entry>>);

impl EntryPool {
    /// Entries kept, some 700 KB: as many as a deep pipeline has under way.
    const ENTRIES: usize = 1024;
    /// Bytes of the largest entry that is kept.
    const LARGEST: usize = 4096;

    /// An empty pool with room for all the entries that it may keep.
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(Self::ENTRIES))
    }

    /// An empty entry.
    pub(super) fn take(&mut self, protocol: Protocol) -> Box<Entry> {
        match self.0.pop() {
            Some(mut entry) => {
                entry.reset(protocol);
                entry
            }
            None => Box::new(Entry::new(protocol)),
        }
    }

    /// Takes back an entry. The pool drops it if it is full or the entry is large.
    pub(crate) fn put(&mut self, entry: Box<Entry>) {
        if self.0.len() < Self::ENTRIES && entry.bytes() <= Self::LARGEST {
            self.0.push(entry);
        }
    }

    /// Memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let entries: usize = self.0.iter().map(|entry| entry.bytes()).sum();
        entries + self.0.capacity() * size_of::<Box<Entry>>()
    }
}
