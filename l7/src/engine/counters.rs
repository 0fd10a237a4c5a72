//! What a session counts between two facts about it.

use wire::TapId;

use fact::{Fact, Inference, Sink, Table};

/// What happened since it was emitted last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Protocols that were believed.
    pub(crate) guesses: u32,
    /// Protocols that were believed, and wrongly.
    pub(crate) revisions: u32,
    /// Sessions whose protocol will not be found out any more.
    pub(crate) gave_up: u32,
    /// Message heads that were dropped because they were too long.
    pub(crate) heads_dropped: u32,
}

impl Counters {
    /// Emits what happened since the last call.
    pub(crate) fn emit<S: Sink>(&mut self, tap: TapId, sink: &mut S) {
        if *self == Self::default() {
            return;
        }
        let Self { guesses, revisions, gave_up, heads_dropped } = std::mem::take(self);
        for (result, times) in [
            (Inference::Guess, guesses),
            (Inference::Revision, revisions),
            (Inference::GaveUp, gave_up),
        ] {
            if times > 0 {
                sink.emit(Fact::Inference { tap, result, times: u64::from(times) });
            }
        }
        if heads_dropped > 0 {
            let entries = u64::from(heads_dropped);
            sink.emit(Fact::Evicted { table: Table::MessageHeads, entries });
        }
    }
}
