//! What a parser does after it looked at a part of its bytes.

use crate::contract::{Progress, Reason};

/// What a parser does next, after it looked at a part of what it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Goes on at this place.
    Go(usize),
    /// Comes back to its caller.
    Stop(Progress),
}

/// What stands at `consumed` is not how the protocol looks.
pub(crate) fn malformed(consumed: usize) -> Step {
    Step::Stop(Progress::GiveUp { consumed, reason: Reason::Malformed })
}

/// What stands at `consumed` is not whole: at least `more` bytes are missing.
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
