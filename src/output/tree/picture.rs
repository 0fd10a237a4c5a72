//! What all calls of a drawn trace share.

use super::longest::Longest;
use crate::output::Style;

/// What all calls of a drawn trace share.
pub(super) struct Picture<'a> {
    /// Times are counted from here, in nanoseconds since the epoch.
    pub(super) start: u64,
    pub(super) duration: u64,
    pub(super) style: Style,
    /// Columns of the terminal; none where lines may be as long as they are.
    pub(super) room: Option<usize>,
    pub(super) longest: Longest<'a>,
}
