//! Index of the flow table: from the hash of a key to the slot of its flow.

use std::hash::{Hash, Hasher};

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;
use hashbrown::HashTable;
use wire::{FlowKey, invariant};

/// Slots by the hash of their flow's key.
///
/// Senders choose keys, so the hash is seeded: who does not know the seed cannot make keys that
/// collide. Both seeds of foldhash depend on it. Its accumulator alone would not do: it multiplies
/// by `word ^ shared seed`, and words equal to a known shared seed make any accumulator zero.
#[derive(Debug)]
pub(super) struct Index {
    seed: u64,
    shared_seed: SharedSeed,
    entries: HashTable<Entry>,
}

#[derive(Debug)]
struct Entry {
    hash: KeyHash,
    slot: u32,
}

/// Low half of the hash of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyHash(u32);

impl KeyHash {
    /// What `hashbrown` takes: the bucket from the low end, a tag of 7 bits from the high end. The
    /// same bits serve both ends, and up to 2^25 buckets no bit is part of both: equal buckets then
    /// say nothing of the tags, and a lookup compares one entry.
    const fn both_ends(self) -> u64 {
        (self.0 as u64) << 32 | self.0 as u64
    }
}

impl Index {
    pub(super) fn with_seed(seed: u64) -> Self {
        /// Digits of π: foldhash makes a weak shared seed of 0, which is the seed by default.
        const NOT_ZERO: u64 = 0x243f_6a88_85a3_08d3;
        let shared_seed = SharedSeed::from_u64(seed ^ NOT_ZERO);
        Self { seed, shared_seed, entries: HashTable::new() }
    }

    pub(super) fn hash(&self, key: &FlowKey) -> KeyHash {
        KeyHash(self.long_hash(key) as u32)
    }

    /// The whole hash of a key: hardly two keys in use have the same.
    #[inline]
    pub(super) fn long_hash(&self, key: &FlowKey) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared_seed);
        key.hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The slot with this hash for which `is_key` holds. `is_key` looks at the flow itself.
    pub(super) fn find(&self, hash: KeyHash, is_key: impl Fn(u32) -> bool) -> Option<u32> {
        let equal = |entry: &Entry| entry.hash == hash && is_key(entry.slot);
        self.entries.find(hash.both_ends(), equal).map(|entry| entry.slot)
    }

    /// The slots with this hash, and maybe others, in an order that must not reach the output.
    pub(super) fn with_hash(&self, hash: KeyHash) -> impl Iterator<Item = u32> {
        let equal = move |entry: &&Entry| entry.hash == hash;
        self.entries.iter_hash(hash.both_ends()).filter(equal).map(|entry| entry.slot)
    }

    /// Adds a slot that is not in the index.
    pub(super) fn insert(&mut self, hash: KeyHash, slot: u32) {
        let rehash = |entry: &Entry| entry.hash.both_ends();
        self.entries.insert_unique(hash.both_ends(), Entry { hash, slot }, rehash);
    }

    /// Removes a slot that is in the index.
    pub(super) fn remove(&mut self, hash: KeyHash, slot: u32) {
        match self.entries.find_entry(hash.both_ends(), |entry| entry.slot == slot) {
            Ok(entry) => drop(entry.remove()),
            Err(_) => _ = invariant!("each flow in the table is in the index"),
        }
    }

    /// All slots. Their order depends on the seed: it must not reach the output.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().map(|entry| entry.slot)
    }

    /// Heap memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.entries.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::HashSet;
    use std::hash::BuildHasher;
    use std::net::{Ipv4Addr, Ipv6Addr};

    use wire::{Endpoint, TapId, Transport};

    use super::*;

    /// Keys of as many clients of one server.
    fn keys(count: u32) -> impl Iterator<Item = FlowKey> {
        (0..count).map(|n| {
            let client = Endpoint::new(
                Ipv4Addr::from_bits(0x0a01_0000 + n / 4).into(),
                (40_000 + n % 4) as u16,
            );
            let server = Endpoint::new(Ipv4Addr::new(10, 0, 0, 1).into(), 443);
            FlowKey::new(TapId(1), Transport::Tcp, client, server).0
        })
    }

    /// Keys that all have one hash in a table whose shared seed is foldhash's fixed one: the first
    /// half of the address is the word that it multiplies by.
    fn keys_that_collide_under_a_fixed_seed(count: u16) -> impl Iterator<Item = FlowKey> {
        (0..count).map(|n| {
            let source = 0xc0ac_29b7_c97c_50dd_u128 << 64 | u128::from(n);
            let source = Endpoint::new(Ipv6Addr::from_bits(source).into(), 5353);
            let target = Endpoint::new(Ipv6Addr::LOCALHOST.into(), 53);
            FlowKey::new(TapId(1), Transport::Udp, source, target).0
        })
    }

    #[test]
    fn keys_that_collide_under_one_seed_do_not_under_another() {
        for seed in [0, 1, u64::MAX] {
            let fixed = foldhash::fast::FixedState::with_seed(seed);
            let known = keys_that_collide_under_a_fixed_seed(1000).map(|key| fixed.hash_one(key));
            assert_eq!(known.collect::<HashSet<u64>>().len(), 1, "a known shared seed");
            let index = Index::with_seed(seed);
            let seeded = keys_that_collide_under_a_fixed_seed(1000).map(|key| index.hash(&key).0);
            assert!(seeded.collect::<HashSet<u32>>().len() > 990);
        }
    }

    #[test]
    fn the_seed_decides_on_buckets() {
        let [one, other] = [1, 2].map(Index::with_seed);
        let bucket = |hash: KeyHash| hash.0 % 4096;
        let same = keys(10_000).filter(|key| bucket(one.hash(key)) == bucket(other.hash(key)));
        assert!(same.count() < 20, "2 or 3 by chance");
        assert!(keys(100).all(|key| one.hash(&key) == Index::with_seed(1).hash(&key)));
    }

    #[test]
    fn a_lookup_compares_one_entry() {
        const FLOWS: u32 = 50_000;
        let mut index = Index::with_seed(7);
        let hashes: Vec<KeyHash> = keys(FLOWS).map(|key| index.hash(&key)).collect();
        (0..).zip(&hashes).for_each(|(slot, &hash)| index.insert(hash, slot));
        let compares = Cell::new(0);
        for (wanted, hash) in (0..).zip(&hashes) {
            let found = index.entries.find(hash.both_ends(), |entry| {
                compares.set(compares.get() + 1);
                entry.slot == wanted
            });
            assert_eq!(found.map(|entry| entry.slot), Some(wanted));
        }
        let each = f64::from(compares.get()) / f64::from(FLOWS);
        assert!(each < 1.1, "{each} compares a lookup");
    }

    #[test]
    fn what_is_removed_is_not_found() {
        let mut index = Index::with_seed(7);
        let hashes: Vec<KeyHash> = keys(100).map(|key| index.hash(&key)).collect();
        (0..).zip(&hashes).for_each(|(slot, &hash)| index.insert(hash, slot));
        index.remove(hashes[3], 3);
        assert_eq!((index.find(hashes[3], |slot| slot == 3), index.len()), (None, 99));
        assert_eq!(index.find(hashes[4], |slot| slot == 4), Some(4));
        assert_eq!(index.slots().count(), 99);
    }
}
