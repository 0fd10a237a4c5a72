//! Bytes that will never come, and how reading goes on behind them.

use wire::Direction;

use super::Session;
use crate::contract::Reason;
use crate::correlate::{EntryPool, Messages};
use crate::engine::reader::ReaderState;
use crate::engine::stream_buffer::Gap;
use crate::input::Context;

impl Session {
    /// Takes notice of missing bytes. Those of a body that is skipped are no loss of
    /// synchronisation.
    pub(crate) fn gap(
        &mut self,
        cx: &Context,
        direction: Direction,
        gap: Gap,
        pool: &mut EntryPool,
    ) {
        if self.reader.is_opaque() {
            return;
        }
        let Gap { offset, len, time, snapped } = gap;
        self.correlator.set_now(time);
        self.inference.start_lost = true;
        self.preamble.finish();
        let buffer = &mut self.buffers[direction];
        let expected = buffer.expected(offset);
        let end = offset.saturating_add(len);
        if end <= expected {
            return;
        }
        self.correlator.timelines[direction].mark(expected, end, time);
        let missing = end - expected;
        let skipped = buffer.pass_skipped(missing);
        if !snapped && skipped == missing {
            self.correlator.mark_skipped_incomplete(direction);
        } else if !snapped {
            self.correlator.mark_incomplete(direction, None);
        }
        let body_ended = skipped > 0 && buffer.skip == 0;
        let fresh_from = buffer.start;
        self.correlator.set_snapped(snapped);
        if body_ended {
            self.read(cx, direction, &[], fresh_from, pool);
        }
        if missing > skipped && !self.reader.is_opaque() {
            self.resynchronise_after(cx, direction, missing - skipped, pool);
        }
        self.correlator.set_snapped(false);
    }

    /// Goes on behind `len` missing bytes: what waits for them is read as it is, and dropped.
    fn resynchronise_after(
        &mut self,
        cx: &Context,
        direction: Direction,
        len: u64,
        pool: &mut EntryPool,
    ) {
        let side = self.reader.side(direction);
        let buffer = &mut self.buffers[direction];
        if let Some(parser) = self.reader.parser()
            && !buffer.pending.is_empty()
        {
            let position = buffer.position(cx, direction, 0);
            let mut out = Messages::new(&mut self.correlator, pool, position);
            parser.read_truncated(side, &buffer.pending, &mut out);
        }
        buffer.drop_pending();
        self.correlator.extend_hole(direction);
        self.resynchronise(cx, direction, len, pool);
        self.buffers[direction].start = self.correlator.timelines[direction].end();
    }

    /// Has the parser look for the next message.
    pub(super) fn resynchronise(
        &mut self,
        cx: &Context,
        direction: Direction,
        len: u64,
        pool: &mut EntryPool,
    ) {
        let side = self.reader.side(direction);
        let Some(parser) = self.reader.parser() else {
            // The bytes before the gap were of no known protocol either.
            return self.correlator.loss_before_protocol(direction);
        };
        let position = self.buffers[direction].position(cx, direction, 0);
        let mut out = Messages::new(&mut self.correlator, pool, position);
        match parser.gap(side, len, &mut out) {
            Ok(()) => {}
            Err(Reason::Switched | Reason::Became(_)) => {
                self.reader.state = ReaderState::Undecided;
            }
            Err(Reason::Opaque | Reason::Malformed) => self.give_up_inference(pool),
        }
    }
}
