use wire::{Direction, Timestamp};

use super::live::Live;
use super::{Context, End, Limits};
use crate::fact::{L7Summary, Sink};
use crate::tcp::Chunk;

/// The application side of one flow. Costs nothing before the first byte of payload.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    limits: Limits,
    live: Option<Box<Live>>,
}

impl Conversation {
    /// Conversation with other bounds than the default ones.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, live: None }
    }

    /// Takes the next piece of one direction of a TCP stream.
    pub(crate) fn chunk<S: Sink>(
        &mut self,
        cx: &Context,
        direction: Direction,
        chunk: Chunk<'_>,
        sink: &mut S,
    ) {
        let live = self.live();
        match chunk {
            Chunk::Data { offset, time, bytes } => live.data(cx, direction, offset, time, bytes),
            Chunk::Gap { offset, len, time, cut } => live.gap(cx, direction, offset, len, time, cut),
        }
        live.drain(cx, sink);
    }

    /// Takes a UDP datagram as captured.
    pub(crate) fn datagram<S: Sink>(
        &mut self,
        cx: &Context,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        sink: &mut S,
    ) {
        let live = self.live();
        live.datagram(cx, direction, time, bytes);
        live.drain(cx, sink);
    }

    /// Ends one or both directions; unanswered requests come out.
    pub(crate) fn end<S: Sink>(&mut self, cx: &Context, end: End, time: Timestamp, sink: &mut S) {
        let _ = time;
        if let Some(live) = &mut self.live {
            live.end(cx, end);
            live.drain(cx, sink);
        }
    }

    /// Gives up on requests that waited longer than the limit.
    pub(crate) fn tick<S: Sink>(&mut self, cx: &Context, now: Timestamp, sink: &mut S) {
        if let Some(live) = &mut self.live {
            live.tick(cx, now);
            live.drain(cx, sink);
        }
    }

    /// Whether payload still matters; once false, it stays false and reassembly can stop.
    pub(crate) fn wants_payload(&self) -> bool {
        self.live.as_ref().is_none_or(|live| !live.is_opaque())
    }

    /// Whether the first message decided that client and server are the other way round than the flow guessed.
    /// Callers go on with the directions that they began with; exchanges name the right client all the same.
    pub(crate) fn reversed(&self) -> bool {
        self.live.as_ref().is_some_and(|live| live.reversed())
    }

    /// What was said so far, if the protocol is known.
    pub(crate) fn summary(&self) -> Option<L7Summary> {
        self.live.as_ref().and_then(|live| live.summary())
    }

    /// Requests that wait for a response.
    pub(crate) fn pending(&self) -> usize {
        self.live.as_ref().map_or(0, |live| live.pending())
    }

    /// Memory that it takes, in bytes: heads that are not whole, exchanges in the making, the parser.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.live.as_ref().map_or(0, |live| live.bytes())
    }

    fn live(&mut self) -> &mut Live {
        let limits = self.limits;
        self.live.get_or_insert_with(|| Box::new(Live::new(limits)))
    }
}
