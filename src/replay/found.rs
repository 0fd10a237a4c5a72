use fact::{Exchange, FlowRecord};
use fact::{Fact, Sink};
use metrics::Metered;
use wire::Timestamp;

/// A finding that becomes a record, as one thread hands it to another.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Exchange(Box<Exchange>),
    Flow(Box<FlowRecord>),
    /// Everything before this time has been found.
    Tick(Timestamp),
}

/// Where a finding stands among all others. Findings of one frame keep the order in which they were made; those of one tick are
/// ordered by flow, because the analyzer may visit flows in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    number: u64,
    /// Ticks stand before the frame of the same number.
    frame: bool,
    flow: u64,
}

impl Place {
    pub(super) const fn frame(number: u64) -> Self {
        Self { number, frame: true, flow: 0 }
    }

    pub(super) const fn tick(number: u64) -> Self {
        Self { number, frame: false, flow: 0 }
    }

    pub(super) const fn of_flow(self, flow: u64) -> Self {
        if self.frame { self } else { Self { flow, ..self } }
    }

    /// Whether it stands in a frame, where findings come in order.
    pub(super) const fn in_frame(self) -> bool {
        self.frame
    }

    pub(super) const fn last(self) -> Self {
        Self { flow: u64::MAX, ..self }
    }
}

/// Takes what is found, knowing the place of everything.
pub(super) trait Finds: Sink {
    /// What comes next stands at `place`.
    fn stand(&mut self, place: Place);
    /// All findings up to the present place are there.
    fn mark(&mut self, now: Timestamp);
}

/// Which findings become records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) flows: bool,
    pub(super) exchanges: bool,
}

/// Findings, counted in metrics on their way if those are wanted.
pub(super) enum Counted<F> {
    Plain(F),
    Metered(Box<Metered<F>>),
}

impl<F> Counted<F> {
    pub(super) fn inner(&mut self) -> &mut F {
        match self {
            Self::Plain(inner) => inner,
            Self::Metered(metered) => metered.inner_mut(),
        }
    }

    /// Brings the metrics up to date.
    pub(super) fn finish(self) -> F {
        match self {
            Self::Plain(inner) => inner,
            Self::Metered(mut metered) => {
                metered.finish();
                metered.into_inner()
            }
        }
    }
}

impl<F: Sink> Sink for Counted<F> {
    fn emit(&mut self, fact: Fact<'_>) {
        match self {
            Self::Plain(inner) => inner.emit(fact),
            Self::Metered(metered) => metered.emit(fact),
        }
    }
}
