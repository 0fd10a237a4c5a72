//! The mixing step of hashes that are the same on every machine.

/// Adds `value` to a hash that is the same on every machine and in every run.
#[inline]
pub(super) const fn mix(hash: u64, value: u64) -> u64 {
    // Finalizer of SplitMix64 (Steele, Lea and Flood 2014).
    let x = (hash.rotate_left(23) ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
