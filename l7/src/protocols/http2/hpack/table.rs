//! The dynamic table (RFC 7541 sections 2.3.2 and 4) of one direction.

use std::collections::VecDeque;

use super::names::{Name, Role, STATIC_FIELDS, static_field};

/// Size of an entry besides its name and value (RFC 7541 section 4.1).
const OVERHEAD: usize = 32;
/// Initial SETTINGS_HEADER_TABLE_SIZE (RFC 9113 section 6.5.2).
const INITIAL_SIZE: usize = 4096;
/// Largest size up to which entries are kept. Older entries of a larger table are unknown.
const LARGEST: usize = 64 * 1024;

/// Buffers kept for reuse: a new entry rarely evicts more than a few.
const MOST_SPARE: usize = 4;

/// The dynamic table of one direction.
///
/// If the capture began late, or behind a gap, it holds only the entries that were added since.
/// These are the newest, so their indices are right all the same.
#[derive(Debug)]
pub(in crate::protocols::http2) struct Table {
    /// Newest first.
    pub(super) entries: VecDeque<Slot>,
    pub(super) size: usize,
    max_size: usize,
    /// Buffers of evicted values for reuse.
    spare: Vec<Vec<u8>>,
}

#[derive(Debug)]
pub(super) struct Slot {
    /// None if the encoder named it by the index of an unknown entry.
    name: Option<Name>,
    pub(super) value: Vec<u8>,
    size: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { entries: VecDeque::new(), size: 0, max_size: INITIAL_SIZE, spare: Vec::new() }
    }
}

impl Table {
    /// The field with this index of the whole address space (RFC 7541 section 2.3.3). None if its
    /// entry was never seen.
    pub(super) fn get(&self, index: usize) -> Option<(Option<Name>, &[u8])> {
        if index <= STATIC_FIELDS {
            return static_field(index).map(|(name, value)| (Some(name), value));
        }
        let slot = self.entries.get(index - STATIC_FIELDS - 1)?;
        Some((slot.name, &slot.value))
    }

    /// Adds an entry and evicts the oldest ones for which there is no room then. `length` is the
    /// value's; `value` is kept if the field is used.
    pub(super) fn insert(&mut self, name: Option<Name>, value: &[u8], length: usize) {
        let size = OVERHEAD + name.map_or(0, |n| n.length as usize) + length;
        self.evict(size);
        if size > self.max_size {
            return;
        }
        let mut kept = self.spare.pop().unwrap_or_default();
        kept.clear();
        if name.is_some_and(|n| n.role != Role::Other) {
            kept.extend_from_slice(value);
        }
        self.size += size;
        self.entries.push_front(Slot { name, value: kept, size });
    }

    /// The encoder changed the maximum size (RFC 7541 section 6.3).
    pub(super) fn resize(&mut self, size: usize) {
        self.max_size = size.min(LARGEST);
        self.evict(0);
    }

    /// Entries may have been added unseen: no entry has a known index any more, and the maximum
    /// size is unknown.
    pub(in crate::protocols::http2) fn on_gap(&mut self) {
        self.resize(0);
        // An entry that is kept for too long does no harm: the encoder does not refer to it.
        self.max_size = LARGEST;
    }

    /// Evicts entries until `size` bytes have room (RFC 7541 section 4.4).
    fn evict(&mut self, size: usize) {
        while self.size + size > self.max_size {
            // An entry may be larger than the table (RFC 7541 section 4.4).
            let Some(oldest) = self.entries.pop_back() else { return };
            self.size -= oldest.size;
            if self.spare.len() < MOST_SPARE {
                self.spare.push(oldest.value);
            }
        }
    }

    /// Memory behind it, in bytes.
    pub(in crate::protocols::http2) fn bytes(&self) -> usize {
        let values: usize = self.entries.iter().map(|slot| slot.value.capacity()).sum();
        let spare: usize = self.spare.iter().map(Vec::capacity).sum();
        self.entries.capacity() * size_of::<Slot>() + values + spare
    }
}
