//! Whose turn it is on a socket: requests and responses as its receives and sends show them.

use wire::Timestamp;

use super::courses::CourseId;

/// Which message a socket takes part in, and in which direction.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// Whether it is the asking side's: it connected, or sent first.
    pub(super) client: Option<bool>,
    /// Server: the course of the request received last. Client: the course in which the request
    /// sent last was sent, if that is known.
    pub(super) course: Option<CourseId>,
    /// The last record was a send.
    pub(super) sending: bool,
    /// When a thread began to open it, and in which course.
    pub(super) opened: Option<(Timestamp, Option<CourseId>)>,
    /// Requests of several courses were sent on it without waiting for the responses, so that
    /// nobody knows whose a response is.
    pub(super) shared: bool,
    /// Something was received on it.
    pub(super) received: bool,
    /// Sends before anything was received.
    pub(super) sends: u32,
}

impl Turn {
    /// Sends after which nothing is expected to be received: logs and figures are sent so.
    const ONE_WAY: u32 = 4;

    /// Whether a client's socket only sends.
    pub(super) const fn is_one_way(&self) -> bool {
        !self.received && self.sends >= Self::ONE_WAY
    }
}
