/// What both directions have to know of each other.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Something was subscribed to: arrays may be messages.
    pub(super) subscribed: bool,
    /// Lines with the time of a command are what a monitor is told.
    pub(super) monitored: bool,
    /// Answers were missed; what comes before the next command cannot be told apart.
    pub(super) deaf: bool,
}
