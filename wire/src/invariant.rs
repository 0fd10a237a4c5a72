//! Checks of what the code relies on and no type guarantees: a failed
//! [`invariant!`](crate::invariant) panics in builds with debug assertions (tests, fuzzers) and is
//! counted in others.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Failures by module. Locked only when an invariant fails.
static FAILURES: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

/// Checks an invariant, with words that state it:
/// `invariant!(start <= end, "a range does not end before it starts")`.
///
/// Returns whether it holds, so that a release build can go on safely:
/// `if !invariant!(…) { return; }`. With the words alone it marks a branch that cannot be taken:
/// `else { invariant!("a linked slot holds a flow"); return; }`.
///
/// With debug assertions a failure panics; without, it is counted under the module
/// ([`invariant_failures`]).
#[macro_export]
macro_rules! invariant {
    ($what:literal) => {
        $crate::invariant_failed(module_path!(), $what)
    };
    ($holds:expr, $what:literal) => {
        if $holds { true } else { $crate::invariant_failed(module_path!(), $what) }
    };
}

/// Panics or counts that `what` does not hold in the module `place`. Returns `false`. For
/// [`invariant!`](crate::invariant).
///
/// # Panics
/// With debug assertions.
#[cold]
#[doc(hidden)]
pub fn invariant_failed(place: &'static str, what: &'static str) -> bool {
    if cfg!(debug_assertions) {
        panic!("invariant of {place} does not hold: {what}");
    }
    *FAILURES.lock().unwrap_or_else(PoisonError::into_inner).entry(place).or_default() += 1;
    false
}

/// Failures since the program started, by module. Empty unless there is a bug.
pub fn invariant_failures() -> Vec<(&'static str, u64)> {
    let failures = FAILURES.lock().unwrap_or_else(PoisonError::into_inner);
    failures.iter().map(|(place, count)| (*place, *count)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_condition_that_holds_is_true() {
        let one = 1;
        assert!(invariant!(one == 1, "one is one"));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "one is one")]
    fn a_failure_panics() {
        invariant!("one is one");
    }

    #[test]
    #[cfg(not(debug_assertions))]
    fn a_failure_is_counted() {
        assert!(!invariant!("one is one"));
        assert_eq!(super::invariant_failures(), [(module_path!(), 1)]);
    }
}
