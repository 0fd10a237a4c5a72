//! Where a parser goes on after it read a part of its bytes.

use crate::contract::{Progress, Reason};

/// Where a parser goes on after it read a part of the bytes that it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// At this place.
    Go(usize),
    /// Nowhere: it returns this to its caller.
    Stop(Progress),
}

/// The bytes at `consumed` are not of the protocol.
pub(crate) fn malformed(consumed: usize) -> Step {
    Step::Stop(Progress::GiveUp { consumed, reason: Reason::Malformed })
}

/// What begins at `consumed` is not complete: at least `more` bytes are missing.
pub(crate) fn need(consumed: usize, more: usize) -> Step {
    Step::Stop(Progress::Need { consumed, more: more.max(1) })
}

/// Passes over `body` bytes from `at` on, inside the `len` bytes shown as far as they reach.
pub(crate) fn skip(at: usize, body: u64, len: usize) -> Step {
    if body <= len.saturating_sub(at) as u64 {
        Step::Go(at + body as usize)
    } else {
        Step::Stop(Progress::Skip { consumed: at, body })
    }
}
