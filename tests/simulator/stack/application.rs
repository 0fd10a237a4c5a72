use std::collections::VecDeque;

/// What an application does next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Nanoseconds.
    Wait(u64),
    Write(Vec<u8>),
    /// Until it has read so many bytes in all.
    Read(u64),
    /// Until the other end closed.
    ReadToEnd,
    /// From now on it reads nothing.
    Stall,
    /// It reads again.
    Resume,
    Close,
    /// Close with a reset.
    Abort,
    /// The host is gone without a word.
    Vanish,
}

/// A program that follows its list.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    pub(crate) steps: VecDeque<Step>,
    pub(crate) reads: bool,
    pub(crate) wakes: Option<u64>,
}

impl Application {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        Self { steps: steps.into(), reads: true, wakes: None }
    }
}
