use wire::TapId;

use fact::{Fact, Inference, Sink};

/// What inference came to since it was told last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    pub(super) guesses: u32,
    pub(super) revisions: u32,
    pub(super) gave_up: u32,
}

impl News {
    pub(super) fn tell<S: Sink>(&mut self, tap: TapId, sink: &mut S) {
        if *self == Self::default() {
            return;
        }
        let Self { guesses, revisions, gave_up } = std::mem::take(self);
        let all =
            [(Inference::Guess, guesses), (Inference::Revision, revisions), (Inference::GaveUp, gave_up)];
        for (result, times) in all {
            if times > 0 {
                sink.emit(Fact::Inference { tap, result, times: u64::from(times) });
            }
        }
    }
}
