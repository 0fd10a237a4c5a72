//! The order of facts in the output, which does not depend on the number of threads.

/// Where a fact stands among all others. Facts of one frame keep the order in which they were
/// found; those of one tick are ordered by flow, because an analyzer may visit flows in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    number: u64,
    /// A tick stands before the frame of the same number.
    frame: bool,
    flow: u64,
}

impl Position {
    /// Facts of the frame of this number.
    pub(super) const fn frame(number: u64) -> Self {
        Self { number, frame: true, flow: 0 }
    }

    /// Facts of a tick before the frame of this number.
    pub(super) const fn tick(number: u64) -> Self {
        Self { number, frame: false, flow: 0 }
    }

    /// The position of a fact of `flow`.
    pub(super) const fn of_flow(self, flow: u64) -> Self {
        if self.frame { self } else { Self { flow, ..self } }
    }

    /// Whether facts come in order here.
    pub(super) const fn in_frame(self) -> bool {
        self.frame
    }

    /// Behind all facts of the same tick.
    pub(super) const fn tick_end(self) -> Self {
        Self { flow: u64::MAX, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_stand_before_their_frame_and_are_ordered_by_flow() {
        let tick = Position::tick(2);
        let ordered = [
            Position::frame(1).of_flow(9),
            tick.of_flow(3),
            tick.of_flow(4),
            tick.tick_end(),
            Position::frame(2).of_flow(1),
        ];
        assert!(ordered.is_sorted());
        assert_eq!(Position::frame(1).of_flow(9), Position::frame(1).of_flow(3));
    }
}
