//! The seed of the tables that packets write to.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A number that nobody can guess: the standard library's hash of nothing, under keys that it draws
/// from the system. Output does not depend on it.
pub(crate) fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
