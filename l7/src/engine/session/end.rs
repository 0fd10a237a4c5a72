//! How a session ends: one direction after the other, or both at once.

use wire::{Direction, Timestamp};

use super::Session;
use crate::correlate::{EntryPool, Messages};
use crate::input::{Context, End};
use fact::Unanswered;

impl Session {
    /// Ends one or both directions at `time`.
    pub(crate) fn end(&mut self, cx: &Context, end: End, time: Timestamp, pool: &mut EntryPool) {
        self.correlator.set_now(time);
        match end {
            End::Fin(direction) => self.end_direction(cx, direction, time, pool),
            End::Over(why) => self.finish(cx, why, pool),
        }
    }

    fn end_direction(
        &mut self,
        cx: &Context,
        direction: Direction,
        time: Timestamp,
        pool: &mut EntryPool,
    ) {
        self.correlator.timelines[direction].close(time);
        let position = self.buffers[direction].position(cx, direction, 0);
        let side = self.reader.side(direction);
        if let Some(parser) = self.reader.parser() {
            parser.end(side, &mut Messages::new(&mut self.correlator, pool, position));
        }
    }

    /// Nothing more will come: requests that wait are unanswered.
    fn finish(&mut self, cx: &Context, why: Unanswered, pool: &mut EntryPool) {
        let asking = self.reader.side(Direction::ToServer);
        let position = self.buffers[asking].position(cx, asking, 0);
        if let Some(parser) = self.reader.parser()
            && why != Unanswered::Reset
        {
            parser.finish(why, &mut Messages::new(&mut self.correlator, pool, position));
        }
        self.correlator.finish(why, pool);
    }
}
