//! The process at one end of a call.

use wire::{Endpoint, Process, Timestamp};

use crate::kernel::CourseId;

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
    /// Client: return of the call that received the first byte of the response.
    pub(crate) first_received: Option<Timestamp>,
    /// Server: return of the call that received the last byte of the request.
    pub(crate) last_received: Option<Timestamp>,
    /// Client: entry of the call that opened the connection.
    pub(crate) opened: Option<Timestamp>,
    /// Client: how the call was begun.
    pub(crate) begun: Option<Begun>,
}

/// How a client began a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    /// The course that the send of the request was attributed to.
    pub(crate) course: Option<CourseId>,
    /// When the request was sent; none where that was not recorded.
    pub(crate) sent: Option<Timestamp>,
    /// Requests that the process had in hand then.
    pub(crate) open_requests: u32,
}
