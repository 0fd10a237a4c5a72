use std::collections::VecDeque;

use super::names::{FIXED_FIELDS, Name, Role, fixed};

/// What an entry takes besides its name and value (RFC 7541 section 4.1).
const OVERHEAD: usize = 32;
/// Size until something else is said (RFC 9113 section 6.5.2).
const USUAL: usize = 4096;
/// Size up to which entries are kept, whatever was agreed; older ones are then unknown.
const MOST: usize = 64 * 1024;

/// The dynamic table of one direction (RFC 7541 section 2.3.2), as far as it was seen: of a connection joined in the middle, and
/// behind a hole, only what was added since. Its entries are the newest, so their indices are right all the same.
#[derive(Debug)]
pub(in crate::protocols::http2) struct Table {
    /// Newest first.
    pub(super) entries: VecDeque<Slot>,
    pub(super) size: usize,
    most: usize,
    spare: Vec<Vec<u8>>,
}

#[derive(Debug)]
pub(super) struct Slot {
    /// None where it was given by the index of an unknown entry.
    name: Option<Name>,
    pub(super) value: Vec<u8>,
    size: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { entries: VecDeque::new(), size: 0, most: USUAL, spare: Vec::new() }
    }
}

impl Table {
    /// The field with this index of the whole index address space (RFC 7541 section 2.3.3); none if its entry was never seen.
    pub(super) fn get(&self, index: usize) -> Option<(Option<Name>, &[u8])> {
        if index <= FIXED_FIELDS {
            return fixed(index).map(|(name, value)| (Some(name), value));
        }
        let slot = self.entries.get(index - FIXED_FIELDS - 1)?;
        Some((slot.name, &slot.value))
    }

    /// Adds an entry, and drops the oldest that then have no room. `value` is kept where it matters; it has `length` bytes.
    pub(super) fn insert(&mut self, name: Option<Name>, value: &[u8], length: usize) {
        let size = OVERHEAD + name.map_or(0, |n| n.length as usize) + length;
        self.make_room(size);
        if size > self.most {
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

    /// The encoder changed the size (RFC 7541 section 6.3).
    pub(super) fn resize(&mut self, size: usize) {
        self.most = size.min(MOST);
        self.make_room(0);
    }

    /// Entries may have been added unseen: none of those here has a known index any more, and the size may be another.
    pub(in crate::protocols::http2) fn lose(&mut self) {
        self.resize(0);
        // To keep an entry for too long does no harm: nobody asks for it.
        self.most = MOST;
    }

    fn make_room(&mut self, size: usize) {
        while self.size + size > self.most {
            let Some(oldest) = self.entries.pop_back() else { return };
            self.size -= oldest.size;
            if self.spare.len() < 4 {
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
