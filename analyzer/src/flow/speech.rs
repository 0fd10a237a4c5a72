use wire::{Side, Timestamp};

use super::Flow;
use crate::tcp::{Budget, Cause, Outcome, Segment, Stream};
use fact::{Fact, Sink, Table, Unanswered};
use l7::Chunk;
use l7::{End, Room};

/// What may come out of a flow's streams at one moment.
#[derive(Clone, Copy, Debug)]
enum Occasion<'a> {
    Segment(&'a Segment<'a>),
    Acknowledged { segment: &'a Segment<'a>, answered: bool },
    Passed,
    Over,
}

impl Flow {
    /// Reassembles `segment` and passes what comes out to the conversation.
    pub(crate) fn hear<S: Sink>(
        &mut self,
        segment: &Segment<'_>,
        room: &mut Room,
        budget: &mut Budget<'_>,
        sink: &mut S,
    ) {
        let tcp = &segment.tcp;
        let (side, peer) = (segment.side, segment.side.other());
        let Some(connection) = self.connection.as_mut().filter(|_| !tcp.short) else { return };
        if tcp.flags.ack() && !tcp.flags.rst() && !tcp.flags.syn() {
            connection.streams.get_mut(peer).received_before_start(tcp.ack);
        }
        if tcp.flags.ack() && !tcp.flags.rst() && connection.streams.get(peer).lags(tcp.ack) {
            let answered = tcp.payload_len > 0 && !tcp.flags.syn();
            self.stream(peer, segment.time, Occasion::Acknowledged { segment, answered }, budget, sink);
        }
        if tcp.flags.rst() {
            self.flush(segment.time, budget, sink);
            self.say(End::Over(Unanswered::Reset), sink);
        } else if tcp.payload_len > 0 || segment.counted_flag() {
            if tcp.payload_len > 0 {
                self.converse(room);
            }
            self.lend(room);
            self.stream(side, segment.time, Occasion::Segment(segment), budget, sink);
            self.lend(room);
            self.teach(room);
        }
        if segment.tcp.flags.fin() && self.is_said() {
            self.say(End::Over(Unanswered::Closed), sink);
            self.conclude(room);
        }
    }

    /// Takes a datagram.
    pub(crate) fn hear_datagram<S: Sink>(
        &mut self,
        side: Side,
        time: Timestamp,
        bytes: &[u8],
        room: &mut Room,
        sink: &mut S,
    ) {
        if bytes.is_empty() {
            return;
        }
        self.converse(room);
        let (context, direction) = (self.context(), self.spoken(side));
        if let Some(conversation) = &mut self.conversation
            && conversation.wants_payload()
        {
            room.lend(conversation);
            conversation.datagram(&context, direction, time, bytes, sink);
            room.lend(conversation);
        }
        self.teach(room);
    }

    /// What became certain of the server is remembered.
    fn teach(&mut self, room: &mut Room) {
        if self.conversation.as_ref().is_some_and(|c| c.has_proof()) {
            let context = self.context();
            if let Some(conversation) = &mut self.conversation {
                room.learn(&context, conversation);
            }
        }
    }

    /// Lets go what waited long enough by `now`: holes in streams, requests without response.
    pub(crate) fn pass<S: Sink>(&mut self, now: Timestamp, budget: &mut Budget<'_>, sink: &mut S) {
        for side in [Side::Low, Side::High] {
            if self.connection.as_ref().is_some_and(|c| c.streams.get(side).waits()) {
                self.stream(side, now, Occasion::Passed, budget, sink);
            }
        }
        let context = self.context();
        if let Some(conversation) = &mut self.conversation {
            conversation.tick(&context, now, sink);
        }
    }

    /// Hands on everything that waits, and ends the conversation.
    pub(crate) fn hush<S: Sink>(&mut self, cause: Cause, budget: &mut Budget<'_>, sink: &mut S) {
        self.flush(self.last, budget, sink);
        let why = match cause {
            Cause::Idle => Unanswered::TimedOut,
            Cause::InputEnd => Unanswered::InputEnd,
            Cause::PortReused => Unanswered::Closed,
            Cause::Evicted => Unanswered::Displaced,
        };
        self.say(End::Over(why), sink);
    }

    /// Lends the conversation what is left over of others, or takes it back.
    fn lend(&mut self, room: &mut Room) {
        if let Some(conversation) = &mut self.conversation {
            room.lend(conversation);
        }
    }

    fn flush<S: Sink>(&mut self, time: Timestamp, budget: &mut Budget<'_>, sink: &mut S) {
        // The client's bytes first: a request comes before its response.
        for side in [self.client(), self.client().other()] {
            if self.connection.as_ref().is_some_and(|c| c.streams.get(side).waits()) {
                self.stream(side, time, Occasion::Over, budget, sink);
            }
        }
    }

    /// Whether both sides said that they have ended, and everything before that came out.
    fn is_said(&self) -> bool {
        self.connection.as_ref().is_some_and(|c| c.streams.both().iter().all(|s| s.is_over()))
    }

    fn say<S: Sink>(&mut self, end: End, sink: &mut S) {
        if self.conversation.as_ref().is_none_or(|conversation| conversation.is_over()) {
            return;
        }
        let context = self.context();
        if let Some(conversation) = &mut self.conversation {
            conversation.end(&context, end, sink);
        }
    }

    fn stream<S: Sink>(
        &mut self,
        side: Side,
        time: Timestamp,
        occasion: Occasion<'_>,
        budget: &mut Budget<'_>,
        sink: &mut S,
    ) {
        // The context tells where the stream begins.
        if let (Occasion::Segment(segment), Some(connection)) = (&occasion, &mut self.connection) {
            connection.streams.get_mut(side).begin(segment);
        }
        let (mut context, direction, keep) = (self.context(), self.spoken(side), self.wants_payload());
        let (Some(connection), conversation) = (&mut self.connection, &mut self.conversation) else { return };
        let tap = self.key.tap;
        let mut out = |chunk: Chunk<'_>| {
            if let Chunk::Gap { len, .. } = chunk {
                context.health.troubles.missing_bytes += len;
                sink.emit(Fact::StreamGap { tap, bytes: len });
            }
            if let Some(conversation) = conversation
                && conversation.wants_payload()
            {
                conversation.chunk(&context, direction, chunk, sink);
            }
        };
        let stream: &mut Stream = connection.streams.get_mut(side);
        let outcome: Outcome = match occasion {
            Occasion::Segment(segment) => stream.segment(segment, keep, budget, &mut out),
            Occasion::Acknowledged { segment, answered } => {
                stream.acknowledged(segment.tcp.ack, time, answered, budget, &mut out)
            }
            Occasion::Passed => stream.expire(time, budget, &mut out),
            Occasion::Over => stream.flush(time, budget, &mut out),
        };
        if outcome.forced > 0 {
            sink.emit(Fact::Evicted { table: Table::ReassemblyBytes, entries: outcome.forced });
        }
        if outcome.ended {
            self.say(End::Fin(direction), sink);
        }
    }

    /// Whether time passing can make something come out.
    pub(crate) fn waits(&self) -> bool {
        self.connection.as_ref().is_some_and(|c| c.streams.both().iter().any(|s| s.waits()))
            || self.conversation.as_ref().is_some_and(|c| c.awaits())
    }
}
