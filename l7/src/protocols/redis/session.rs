//! What the commands and replies of one direction change for the other.

/// State of a connection that both directions use.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The client subscribed to something: arrays may be messages.
    pub(super) subscribed: bool,
    /// The client is a monitor: lines with the time of a command are no replies.
    pub(super) monitoring: bool,
    /// Replies were lost: what comes before the next command cannot be assigned to a request.
    pub(super) responses_lost: bool,
}
