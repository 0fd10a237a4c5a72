//! What the code relies on and no type says: [`invariant!`](crate::invariant) panics where it does not hold in builds with debug
//! assertions (tests, fuzzers), and counts it elsewhere.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Failures by place. Locked only where something failed that cannot fail.
static FAILURES: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

/// Says that an invariant holds, in words that name it: `invariant!(start <= end, "a range does not end before it starts")`.
///
/// Returns whether it holds, so that a release build can go on safely: `if !invariant!(…) { return; }`. With the words
/// alone it is the branch that cannot be taken: `else { invariant!("a linked slot holds a flow"); return; }`.
///
/// With debug assertions a failure panics; without, it is counted under the module ([`invariant_failures`]).
#[macro_export]
macro_rules! invariant {
    ($what:literal) => {
        $crate::invariant_failed(module_path!(), $what)
    };
    ($holds:expr, $what:literal) => {
        $holds || $crate::invariant_failed(module_path!(), $what)
    };
}

/// Takes note that `what` does not hold at `place`. Returns `false`. For [`invariant!`](crate::invariant).
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

/// How often invariants did not hold since the program started, by module. Empty unless there is a bug.
pub fn invariant_failures() -> Vec<(&'static str, u64)> {
    let failures = FAILURES.lock().unwrap_or_else(PoisonError::into_inner);
    failures.iter().map(|(place, count)| (*place, *count)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_holds_costs_nothing_and_says_so() {
        let one = 1;
        assert!(invariant!(one == 1, "one is one"));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "one is one")]
    fn what_does_not_hold_panics_here() {
        invariant!("one is one");
    }

    #[test]
    #[cfg(not(debug_assertions))]
    fn what_does_not_hold_is_counted_here() {
        assert!(!invariant!("one is one"));
        assert_eq!(super::invariant_failures(), [(module_path!(), 1)]);
    }
}
