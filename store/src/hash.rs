//! Hashing: maps with seeded hashers, and fingerprints that are the same in every run.

use std::collections::HashMap;
use std::fmt;

/// Map for keys that come from the network: seeded, so that a sender cannot make them collide.
/// Never iterated where order could show.
pub(crate) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// Hash of texts and numbers that is the same in every run (FNV-1a, 128 bits): ids are made of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fingerprint(u128);

impl Fingerprint {
    pub(crate) const fn new() -> Self {
        Self(OFFSET)
    }

    #[must_use]
    pub(crate) fn with(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, &byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME)))
    }

    #[must_use]
    pub(crate) fn with_number(self, n: u64) -> Self {
        self.with(&n.to_be_bytes())
    }

    pub(crate) const fn bits128(self) -> u128 {
        self.0
    }

    /// Never 0, which W3C Trace Context forbids as an id.
    pub(crate) const fn bits64(self) -> u64 {
        let folded = (self.0 >> 64) as u64 ^ self.0 as u64;
        // The multiplication leaves the last byte's entropy in the low bits; spread it (finalizer
        // of SplitMix64).
        let mut z = folded;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        if z == 0 { 1 } else { z }
    }
}

impl fmt::Write for Fingerprint {
    /// Adds text as it is formatted, without a buffer in between.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        *self = self.with(text.as_bytes());
        Ok(())
    }
}
