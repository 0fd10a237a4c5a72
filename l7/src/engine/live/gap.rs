use wire::{Direction, Timestamp};

use super::Live;
use crate::contract::Reason;
use crate::input::Context;

impl Live {
    /// Bytes of a direction will never come. `cut`: they passed, and the snap length cut them off.
    pub(crate) fn gap(
        &mut self,
        cx: &Context,
        direction: Direction,
        offset: u64,
        len: u64,
        time: Timestamp,
        cut: bool,
    ) {
        if self.opaque {
            return;
        }
        let stream = &mut self.streams[direction];
        if !stream.begun {
            stream.begun = true;
            stream.start = offset;
        }
        let expected = stream.start + stream.pending.len() as u64;
        let end = offset.saturating_add(len);
        if end <= expected {
            return;
        }
        self.messages.timelines[direction].mark(expected, end, time);
        let missing = end - expected;
        if !cut {
            self.messages.tear(direction, missing <= stream.skip);
        }
        self.messages.cut = cut;
        let skipped = stream.skip.min(missing);
        stream.skip -= skipped;
        stream.start += skipped;
        if skipped > 0 && stream.skip == 0 {
            let fresh_from = stream.start;
            self.feed(cx, direction, &[], fresh_from);
        }
        if missing > skipped && !self.opaque {
            self.resynchronise_after(cx, direction, missing - skipped);
        }
        self.messages.cut = false;
    }

    fn resynchronise_after(&mut self, cx: &Context, direction: Direction, len: u64) {
        self.stand(cx, direction, 0);
        let stream = &mut self.streams[direction];
        if let Some(parser) = self.parser.as_mut().filter(|_| !stream.pending.is_empty()) {
            let side = if self.flipped { direction.reverse() } else { direction };
            parser.read_truncated(side, &stream.pending, &mut self.messages);
        }
        stream.start += stream.pending.len() as u64;
        stream.pending.clear();
        stream.wanted = 0;
        self.resynchronise(cx, direction, len);
        let stream = &mut self.streams[direction];
        stream.start = self.messages.timelines[direction].end();
    }

    pub(super) fn resynchronise(&mut self, cx: &Context, direction: Direction, len: u64) {
        self.stand(cx, direction, 0);
        let Some(parser) = &mut self.parser else { return };
        let side = if self.flipped { direction.reverse() } else { direction };
        match parser.gap(side, len, &mut self.messages) {
            Ok(()) => {}
            Err(Reason::Switched | Reason::Became(_)) => self.parser = None,
            Err(Reason::Opaque | Reason::Malformed) => self.give_in(),
        }
    }
}
