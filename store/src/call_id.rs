//! Identity of a call while its trace is not complete.

/// Names a call while its trace is not complete; later calls have larger numbers.
pub(crate) type CallId = u64;
