//! Segments of a flow that wait for what they acknowledge.

use std::collections::VecDeque;

use wire::decode::Tcp;
use wire::{Side, Timestamp};

use crate::config::ReassemblyLimits;
use crate::tcp::{Budget, Segment};

/// Segments that wait. Directions that are out of order by the time that is waited for
/// ([`acked_hole_wait`](ReassemblyLimits::acked_hole_wait)) are few packets apart.
const MAX_HELD: usize = 64;

/// The segments of one flow that wait, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Held(VecDeque<HeldSegment>);

/// A segment that owns its payload.
#[derive(Debug)]
pub(crate) struct HeldSegment {
    pub(crate) time: Timestamp,
    pub(crate) side: Side,
    /// Without its payload.
    pub(crate) tcp: Tcp<'static>,
    payload: Box<[u8]>,
}

impl Held {
    pub(crate) fn first(&self) -> Option<&HeldSegment> {
        self.0.front()
    }

    /// Whether `segment` would overtake one of its side: it carries payload or ends the stream.
    pub(crate) fn holds_back(&self, segment: &Segment<'_>) -> bool {
        let carries = segment.tcp.payload_len > 0 || segment.has_control_flag();
        let before = |held: &HeldSegment| !segment.tcp.seq.before(held.tcp.seq);
        carries && self.0.iter().any(|held| held.side == segment.side && before(held))
    }

    /// Keeps a segment. False where there is no room.
    pub(crate) fn push(&mut self, segment: &Segment<'_>, budget: &mut Budget<'_>) -> bool {
        if self.0.len() >= MAX_HELD || budget.exceeded() {
            return false;
        }
        let held = HeldSegment {
            time: segment.time,
            side: segment.side,
            tcp: Tcp { payload: &[], ..*segment.tcp },
            payload: segment.tcp.payload.into(),
        };
        budget.add(held.cost());
        self.0.push_back(held);
        true
    }

    pub(crate) fn pop(&mut self, budget: &mut Budget<'_>) -> Option<HeldSegment> {
        let held = self.0.pop_front()?;
        budget.release(held.cost());
        Some(held)
    }
}

impl HeldSegment {
    /// What it is counted for in the budget.
    fn cost(&self) -> usize {
        ReassemblyLimits::SEGMENT_OVERHEAD + self.payload.len()
    }

    /// Its header and payload.
    pub(crate) fn tcp(&self) -> Tcp<'_> {
        Tcp { payload: &self.payload, ..self.tcp }
    }
}
