use wire::{Direction, Endpoint, PerDirection, SeqNum, TapId, Timestamp, Transport};

use crate::fact::{FlowId, L7Summary, Sink, TcpTrouble};
use crate::tcp::Chunk;

/// What a conversation is told with every call; owned by the flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub(crate) flow: FlowId,
    pub(crate) tap: TapId,
    pub(crate) transport: Transport,
    pub(crate) client: Endpoint,
    pub(crate) server: Endpoint,
    /// TCP: sequence number of stream offset 0 of each direction.
    pub(crate) base: PerDirection<SeqNum>,
    /// Running totals of the flow; an exchange reports what was added during it.
    pub(crate) trouble: TcpTrouble,
}

/// How the transport ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// This direction sent FIN: read-until-close bodies end here; the other direction may go on.
    Fin(Direction),
    /// Reset by either side.
    Reset,
    /// The flow ended for any other reason.
    Over,
}

/// The application side of one flow.
#[derive(Debug, Default)]
pub(crate) struct Conversation {}

impl Conversation {
    /// Takes the next piece of one direction of a TCP stream.
    pub(crate) fn chunk<S: Sink>(&mut self, cx: &Context, direction: Direction, chunk: Chunk<'_>, sink: &mut S) {
        let _ = (cx, direction, chunk, sink);
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
        let _ = (cx, direction, time, bytes, sink);
    }

    /// Ends one or both directions; unanswered requests come out.
    pub(crate) fn end<S: Sink>(&mut self, cx: &Context, end: End, time: Timestamp, sink: &mut S) {
        let _ = (cx, end, time, sink);
    }

    /// Gives up on requests that waited longer than the limit.
    pub(crate) fn tick<S: Sink>(&mut self, cx: &Context, now: Timestamp, sink: &mut S) {
        let _ = (cx, now, sink);
    }

    /// Whether payload still matters; once false, it stays false and reassembly can stop.
    pub(crate) fn wants_payload(&self) -> bool {
        true
    }

    /// Whether the first message decided that client and server are the other way round than the flow guessed.
    pub(crate) fn reversed(&self) -> bool {
        false
    }

    /// What was said so far, if the protocol is known.
    pub(crate) fn summary(&self) -> Option<L7Summary> {
        None
    }
}
