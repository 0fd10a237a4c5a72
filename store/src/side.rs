//! The process at one end of a call.

use wire::{Endpoint, Process, Timestamp};

use crate::kernel::Received;

/// What a process did for a call on one of its ends.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) cookie: u64,
    pub(crate) process: Process,
    pub(crate) local: Endpoint,
    /// Entry of the call that sent the first byte of this side's message.
    pub(crate) sent: Option<Timestamp>,
    /// Return of the call that sent its last byte.
    pub(crate) finished: Option<Timestamp>,
    /// Client: return of the call that received the last byte; server: of the one that received the
    /// first.
    pub(crate) received: Option<Timestamp>,
    /// Client: what may have caused the call, likeliest first.
    pub(crate) begins: [Option<Begin>; 2],
}

/// A moment at which a client may have begun a call, and what its thread had received last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begin {
    pub(crate) cause: Option<Received>,
    pub(crate) at: Timestamp,
    /// The cause must still be open then too: when the request was sent.
    pub(crate) sent: Timestamp,
    pub(crate) guess: bool,
}
