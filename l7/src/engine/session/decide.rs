//! Which parser reads the session from now on.

use wire::{Direction, PerDirection};

use super::Session;
#[cfg(test)]
use crate::contract::Protocol;
use crate::contract::Reason;
use crate::correlate::EntryPool;
use crate::engine::inference::{Recognised, clue};
use crate::engine::reader::ReaderState;
use crate::input::Context;
use crate::protocols::REGISTRY;
use fact::Unanswered;

impl Session {
    /// Believes that a protocol of the registry is spoken.
    pub(super) fn choose(&mut self, cx: &Context, recognised: Recognised) {
        let Recognised { index, weakly, swapped } = recognised;
        let entry = &REGISTRY[index];
        let parser = (entry.parser)(&clue(cx, self.limits.literals, swapped));
        self.reader.state = ReaderState::Parsing(parser);
        self.reader.protocol = Some(entry.name);
        self.reader.index = index;
        self.reader.weakly = weakly;
        self.reader.swapped = swapped;
        self.reader.either_asks = entry.either_asks;
        self.correlator.set_protocol(entry.name, entry.order);
        self.inference.joined_late = None;
        self.inference.reread = true;
        self.counters.guesses += 1;
    }

    /// Goes on in another protocol of the registry, with the same roles.
    fn become_protocol(&mut self, cx: &Context, protocol: fact::Protocol, pool: &mut EntryPool) {
        let Some(index) = REGISTRY.iter().position(|entry| entry.name == protocol) else {
            wire::invariant!("a protocol that follows another is in the registry");
            return self.make_opaque(pool);
        };
        let swapped = self.reader.swapped;
        self.choose(cx, Recognised { index, weakly: false, swapped });
    }

    /// No protocol recognises so many bytes.
    pub(super) fn not_recognised(&mut self, cx: &Context, bytes: usize, pool: &mut EntryPool) {
        self.inference.unrecognised_bytes += bytes as u64;
        self.inference.unusual_start |= self.inference.sees_start(cx);
        if self.inference.unrecognised_bytes > u64::from(self.limits.undecided_bytes) {
            self.give_up_inference(pool);
        }
    }

    /// The parser gave up.
    pub(super) fn on_give_up(
        &mut self,
        cx: &Context,
        direction: Direction,
        reason: Reason,
        pool: &mut EntryPool,
    ) {
        match reason {
            Reason::Opaque => {
                self.reader.confirmed = true;
                self.make_opaque(pool);
            }
            Reason::Became(protocol) => self.become_protocol(cx, protocol, pool),
            Reason::Switched => {
                self.correlator.finish(Unanswered::Unreadable, pool);
                self.reader.state = ReaderState::Undecided;
                self.inference.excluded = 0;
                self.inference.start_lost = true;
                self.inference.reread = true;
            }
            Reason::Malformed => self.on_malformed(cx, direction, pool),
        }
    }

    /// The bytes are not what the protocol allows: another one is tried if nothing was read so far.
    fn on_malformed(&mut self, cx: &Context, direction: Direction, pool: &mut EntryPool) {
        self.inference.failures += 1;
        let counters = &self.correlator.counters;
        let nothing_read = counters.requests + counters.responses == 0;
        // What was recognised by its port alone is disproved before anything was complete.
        let disproved = self.reader.weakly
            && self.inference.sees_start(cx)
            && !self.correlator.has_ended_exchanges();
        if self.inference.failures > self.limits.failures {
            self.give_up_inference(pool);
        } else if disproved || nothing_read && self.inference.joined_late != Some(direction) {
            if disproved {
                self.correlator.discard_all(pool);
                self.inference.unusual_start = true;
            }
            self.inference.excluded |= 1 << self.reader.index;
            self.inference.reread = true;
            self.reader.state = ReaderState::Undecided;
            self.reader.protocol = None;
            self.counters.revisions += 1;
        } else {
            self.resynchronise(cx, direction, 0, pool);
        }
    }

    /// What is spoken will not be found out any more.
    pub(super) fn give_up_inference(&mut self, pool: &mut EntryPool) {
        self.counters.gave_up += 1;
        self.make_opaque(pool);
    }

    /// Nothing is read any more.
    fn make_opaque(&mut self, pool: &mut EntryPool) {
        self.reader.state = ReaderState::Opaque;
        self.correlator.finish(Unanswered::Unreadable, pool);
        self.buffers = PerDirection::default();
    }

    /// Has a protocol read the session that is not in the registry.
    #[cfg(test)]
    pub(crate) fn read_as<P: Protocol>(&mut self, cx: &Context) {
        let parser = P::parser(&clue(cx, self.limits.literals, false));
        self.reader.state = ReaderState::Parsing(parser);
        self.reader.protocol = Some(P::NAME);
        self.reader.either_asks = P::EITHER_ASKS;
        self.correlator.set_protocol(P::NAME, P::ORDER);
    }
}
