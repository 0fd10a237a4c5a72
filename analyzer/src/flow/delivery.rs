//! What comes out of a flow's streams, delivered to its conversation.

use wire::{Side, Timestamp};

use super::Flow;
use crate::tcp::{Budget, EndCause, Reassembled, Segment, Stream};
use fact::{Fact, Sink, Table, Unanswered};
use l7::Chunk;
use l7::{End, SessionPool};

/// Why bytes of a stream may come out now.
#[derive(Clone, Copy, Debug)]
enum Trigger<'a> {
    /// A segment of the stream arrived.
    Segment(&'a Segment<'a>),
    /// The peer acknowledged bytes. `answered`: with data, so it read them.
    Acknowledged { segment: &'a Segment<'a>, answered: bool },
    /// Time passed.
    Tick,
    /// The flow is over.
    End,
}

impl Flow {
    /// Takes a segment. One that acknowledges payload which was not seen yet is held back for a
    /// moment, and those of its side after it: where the directions of a capture are slightly out
    /// of order, a response stands before its request.
    pub(crate) fn on_segment<S: Sink>(
        &mut self,
        segment: &Segment<'_>,
        pool: &mut SessionPool,
        budget: &mut Budget<'_>,
        sink: &mut S,
    ) {
        if self.holds() || self.answers_unseen(segment) {
            self.on_segment_out_of_order(segment, pool, budget, sink);
        } else {
            self.deliver(segment, pool, budget, sink);
        }
    }

    /// Whether segments wait.
    fn holds(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.held.first().is_some())
    }

    /// Whether `segment` carries payload and acknowledges payload that was not seen yet.
    fn answers_unseen(&self, segment: &Segment<'_>) -> bool {
        let (tcp, peer) = (segment.tcp, segment.side.other());
        tcp.payload_len > 0
            && tcp.flags.ack()
            && !segment.has_control_flag()
            && self.connection.as_ref().is_some_and(|c| c.streams.get(peer).lacks(tcp.ack))
            && self.wants_payload()
    }

    #[cold]
    fn on_segment_out_of_order<S: Sink>(
        &mut self,
        segment: &Segment<'_>,
        pool: &mut SessionPool,
        budget: &mut Budget<'_>,
        sink: &mut S,
    ) {
        self.release_held(segment.time, pool, budget, sink);
        let follows = self.extra.as_ref().is_some_and(|extra| extra.held.holds_back(segment));
        let waits = (follows || self.answers_unseen(segment)) && !segment.tcp.flags.rst();
        if waits && self.extra.get_or_insert_default().held.push(segment, budget) {
            return;
        }
        if waits || segment.tcp.flags.rst() {
            self.release_all_held(pool, budget, sink);
        }
        self.deliver(segment, pool, budget, sink);
        self.release_held(segment.time, pool, budget, sink);
    }

    /// Delivers the first of the held segments, as long as what they acknowledge was seen, or was
    /// waited for long enough at `now`. What answers is no earlier than what it answers: where that
    /// came now, so did the held segment.
    fn release_held<S: Sink>(
        &mut self,
        now: Timestamp,
        pool: &mut SessionPool,
        budget: &mut Budget<'_>,
        sink: &mut S,
    ) {
        while let Some(first) = self.extra.as_ref().and_then(|extra| extra.held.first()) {
            let waited = now.nanos_since(first.time);
            let seen = self.connection.as_ref().is_none_or(|connection| {
                !connection.streams.get(first.side.other()).lacks(first.tcp.ack)
            });
            if !seen && u128::from(waited) < budget.limits.acked_hole_wait.as_nanos() {
                return;
            }
            let earliest = if seen { now } else { first.time };
            self.release_first_held(earliest, pool, budget, sink);
        }
    }

    fn release_all_held<S: Sink>(
        &mut self,
        pool: &mut SessionPool,
        budget: &mut Budget<'_>,
        sink: &mut S,
    ) {
        while self.release_first_held(Timestamp::ZERO, pool, budget, sink) {}
    }

    /// Delivers the first of the held segments, with a time no earlier than `earliest`.
    fn release_first_held<S: Sink>(
        &mut self,
        earliest: Timestamp,
        pool: &mut SessionPool,
        budget: &mut Budget<'_>,
        sink: &mut S,
    ) -> bool {
        let Some(first) = self.extra.as_mut().and_then(|extra| extra.held.pop(budget)) else {
            return false;
        };
        let (time, side, tcp) = (first.time.max(earliest), first.side, &first.tcp());
        self.deliver(&Segment { time, side, ip_id: 0, tcp }, pool, budget, sink);
        true
    }

    /// Reassembles a segment and delivers what comes out to the conversation.
    fn deliver<S: Sink>(
        &mut self,
        segment: &Segment<'_>,
        pool: &mut SessionPool,
        budget: &mut Budget<'_>,
        sink: &mut S,
    ) {
        let tcp = &segment.tcp;
        let (side, peer) = (segment.side, segment.side.other());
        let Some(connection) = self.connection.as_mut() else { return };
        if tcp.flags.ack() && !tcp.flags.rst() {
            let stream = connection.streams.get_mut(peer);
            if !tcp.flags.syn() {
                stream.on_ack_before_start(tcp.ack);
            }
            stream.on_ack_of_syn(tcp.ack, tcp.flags.syn());
        }
        if tcp.flags.ack() && !tcp.flags.rst() && connection.streams.get(peer).is_behind(tcp.ack) {
            let answered = tcp.payload_len > 0 && !tcp.flags.syn();
            let trigger = Trigger::Acknowledged { segment, answered };
            self.reassemble(peer, segment.time, trigger, budget, pool, sink);
        }
        if tcp.flags.rst() {
            self.flush(segment.time, budget, pool, sink);
            self.end_conversation(End::Over(Unanswered::Reset), segment.time, pool, sink);
        } else if tcp.payload_len > 0 || segment.occupies_seq() {
            if tcp.payload_len > 0 {
                self.start_conversation(pool);
            }
            self.reassemble(side, segment.time, Trigger::Segment(segment), budget, pool, sink);
            self.remember_server(pool);
        }
        if segment.tcp.flags.fin() && self.both_delivered() {
            self.end_conversation(End::Over(Unanswered::Closed), segment.time, pool, sink);
            self.close_conversation(pool);
        }
    }

    /// Delivers a datagram, unless the capture has it twice.
    pub(crate) fn on_datagram<S: Sink>(
        &mut self,
        side: Side,
        time: Timestamp,
        ip_id: u16,
        bytes: &[u8],
        pool: &mut SessionPool,
        sink: &mut S,
    ) {
        if bytes.is_empty() {
            return;
        }
        if self.wants_payload()
            && self.extra.as_mut().is_some_and(|x| x.datagrams.is_copy(side, time, ip_id, bytes))
        {
            return;
        }
        self.start_conversation(pool);
        let (context, direction) = (self.context(), self.direction_of(side));
        if let Some(conversation) = &mut self.conversation
            && conversation.wants_payload()
        {
            conversation.datagram(&context, direction, time, bytes, pool, sink);
        }
        self.remember_server(pool);
    }

    /// Gives up what waited long enough by `now`: holes in streams, requests without response.
    pub(crate) fn on_tick<S: Sink>(
        &mut self,
        now: Timestamp,
        budget: &mut Budget<'_>,
        pool: &mut SessionPool,
        sink: &mut S,
    ) {
        self.release_held(now, pool, budget, sink);
        for side in [Side::Low, Side::High] {
            if self.connection.as_ref().is_some_and(|c| c.streams.get(side).is_waiting()) {
                self.reassemble(side, now, Trigger::Tick, budget, pool, sink);
            }
        }
        let context = self.context();
        if let Some(conversation) = &mut self.conversation {
            conversation.tick(&context, now, pool, sink);
        }
    }

    /// Delivers everything that waits, and ends the conversation: the flow leaves the table.
    pub(crate) fn finish<S: Sink>(
        &mut self,
        cause: EndCause,
        now: Timestamp,
        budget: &mut Budget<'_>,
        pool: &mut SessionPool,
        sink: &mut S,
    ) {
        self.release_all_held(pool, budget, sink);
        self.flush(self.last, budget, pool, sink);
        let why = match cause {
            EndCause::Idle => Unanswered::TimedOut,
            EndCause::InputEnd => Unanswered::InputEnd,
            EndCause::PortReused => Unanswered::Closed,
            EndCause::Evicted => Unanswered::Displaced,
        };
        self.end_conversation(End::Over(why), now, pool, sink);
    }

    /// Whether time passing can make something come out.
    pub(crate) fn waits(&self) -> bool {
        self.holds()
            || self
                .connection
                .as_ref()
                .is_some_and(|c| c.streams.both().iter().any(|s| s.is_waiting()))
            || self.conversation.as_ref().is_some_and(|c| c.has_pending())
    }

    /// Has the pool remember what became certain of the server.
    fn remember_server(&mut self, pool: &mut SessionPool) {
        if self.conversation.as_ref().is_some_and(|c| c.has_proof()) {
            let context = self.context();
            if let Some(conversation) = &mut self.conversation {
                conversation.remember_server(&context, pool);
            }
        }
    }

    /// Delivers everything that waits for holes.
    fn flush<S: Sink>(
        &mut self,
        time: Timestamp,
        budget: &mut Budget<'_>,
        pool: &mut SessionPool,
        sink: &mut S,
    ) {
        // The client's bytes first: a request comes before its response.
        for side in [self.client(), self.client().other()] {
            if self.connection.as_ref().is_some_and(|c| c.streams.get(side).is_waiting()) {
                self.reassemble(side, time, Trigger::End, budget, pool, sink);
            }
        }
    }

    /// Whether both sides sent FIN, and everything before was delivered.
    fn both_delivered(&self) -> bool {
        self.connection.as_ref().is_some_and(|c| c.streams.both().iter().all(|s| s.is_finished()))
    }

    fn end_conversation<S: Sink>(
        &mut self,
        end: End,
        time: Timestamp,
        pool: &mut SessionPool,
        sink: &mut S,
    ) {
        if self.conversation.as_ref().is_none_or(|conversation| conversation.is_closed()) {
            return;
        }
        let context = self.context();
        if let Some(conversation) = &mut self.conversation {
            conversation.end(&context, end, time, pool, sink);
        }
    }

    /// Lets out of the stream of one side what may come out, and delivers it.
    fn reassemble<S: Sink>(
        &mut self,
        side: Side,
        time: Timestamp,
        trigger: Trigger<'_>,
        budget: &mut Budget<'_>,
        pool: &mut SessionPool,
        sink: &mut S,
    ) {
        // The context has where the stream begins.
        if let (Trigger::Segment(segment), Some(connection)) = (&trigger, &mut self.connection) {
            connection.streams.get_mut(side).start(segment);
        }
        let (mut context, direction) = (self.context(), self.direction_of(side));
        let keep = self.wants_payload();
        let conversation = &mut self.conversation;
        let Some(connection) = &mut self.connection else {
            wire::invariant!("a flow that is reassembled is of TCP");
            return;
        };
        let tap = self.key.tap;
        let mut out = |chunk: Chunk<'_>| {
            if let Chunk::Gap { len, .. } = chunk {
                context.health.troubles.missing_bytes += len;
                sink.emit(Fact::StreamGap { tap, bytes: len });
            }
            if let Some(conversation) = conversation
                && conversation.wants_payload()
            {
                conversation.chunk(&context, direction, chunk, pool, sink);
            }
        };
        let stream: &mut Stream = connection.streams.get_mut(side);
        let reassembled: Reassembled = match trigger {
            Trigger::Segment(segment) => stream.on_segment(segment, keep, budget, &mut out),
            Trigger::Acknowledged { segment, answered } => {
                stream.on_ack(segment.tcp.ack, time, answered, budget, &mut out)
            }
            Trigger::Tick => stream.expire(time, budget, &mut out),
            Trigger::End => stream.flush(time, budget, &mut out),
        };
        if reassembled.holes_dropped > 0 {
            sink.emit(Fact::Evicted {
                table: Table::ReassemblyBytes,
                entries: reassembled.holes_dropped,
            });
        }
        if reassembled.finished {
            self.end_conversation(End::Fin(direction), time, pool, sink);
        }
    }
}
