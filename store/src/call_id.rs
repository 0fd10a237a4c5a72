//! Identity of a call while its trace is not complete.

/// Names a call while its trace is not complete; later calls have larger numbers.
pub(crate) type CallId = u64;

/// What a call waits for until it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wait {
    /// A call that is not known yet, on the socket of this cookie.
    Socket(u64),
    /// The decision on another call.
    Call(CallId),
}
