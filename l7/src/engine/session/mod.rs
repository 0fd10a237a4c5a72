//! A session: what waits to be read of a flow, who reads it, and what came of it.
//!
//! `read` shows bytes to the parser, `gap` what is missing, `decide` changes the parser, and `end`
//! ends the session.

mod decide;
mod end;
mod gap;
mod read;

use wire::{Direction, PerDirection, Timestamp, Transport};

use super::counters::Counters;
use super::inference::{Inference, Proof};
use super::reader::Reader;
use super::stream_buffer::StreamBuffer;
use crate::correlate::{Correlator, EntryPool};
use crate::input::Context;
use crate::limits::RequestLimits;
use crate::preamble::Preamble;
use fact::{Fact, L7Summary, Sink, Table};

/// The application side of a flow while something of it is read.
#[derive(Debug)]
pub(crate) struct Session {
    limits: RequestLimits,
    buffers: PerDirection<StreamBuffer>,
    reader: Reader,
    preamble: Preamble,
    inference: Inference,
    correlator: Correlator,
    counters: Counters,
}

impl Session {
    pub(crate) fn new(limits: RequestLimits) -> Self {
        Self {
            limits,
            buffers: PerDirection::default(),
            reader: Reader::default(),
            preamble: Preamble::default(),
            inference: Inference::default(),
            correlator: Correlator::new(limits.pending as usize),
            counters: Counters::default(),
        }
    }

    /// Makes it as new, and keeps the memory of its lists.
    pub(crate) fn reset(&mut self) {
        self.reader = Reader::default();
        self.preamble = Preamble::default();
        self.inference = Inference::default();
        self.counters = Counters::default();
        self.correlator.reset();
        for direction in Direction::BOTH {
            self.buffers[direction] = std::mem::take(&mut self.buffers[direction]).emptied();
        }
    }

    /// Sets what each end spoke before as the server: indexes in the registry.
    pub(crate) fn set_hints(&mut self, hints: PerDirection<Option<u8>>) {
        self.inference.hints = hints;
    }

    /// Whether nothing is read any more.
    pub(crate) fn is_opaque(&self) -> bool {
        self.reader.is_opaque()
    }

    /// Whether client and server are the other way round than the flow guessed.
    pub(crate) fn is_reversed(&self) -> bool {
        self.reader.is_reversed(self.correlator.counters.first_asker)
    }

    /// The messages counted so far, if the protocol is certain.
    pub(crate) fn summary(&self) -> Option<L7Summary> {
        let counters = &self.correlator.counters;
        let (requests, responses) = (counters.requests, counters.responses);
        let certain = requests + responses > 0 || counters.confirmed || self.reader.confirmed;
        let protocol = self.reader.protocol.filter(|_| certain)?;
        Some(L7Summary { protocol, requests, responses, errors: counters.errors })
    }

    /// Whether it became certain what the server speaks, and nobody took that proof.
    pub(crate) fn has_proof(&self) -> bool {
        self.inference.proof == Proof::New
    }

    /// Takes the proof of what the server speaks: the direction that leads to the server, and the
    /// protocol's index in the registry.
    pub(crate) fn take_proof(&mut self) -> Option<(Direction, u8)> {
        if self.inference.proof != Proof::New {
            return None;
        }
        self.inference.proof = Proof::Taken;
        let to_server = self.reader.side(Direction::ToServer);
        u8::try_from(self.reader.index).ok().map(|protocol| (to_server, protocol))
    }

    /// Number of requests that wait for a response.
    pub(crate) fn pending(&self) -> usize {
        self.correlator.pending()
    }

    /// Whether a request waits for a response.
    pub(crate) fn has_pending(&self) -> bool {
        self.correlator.has_pending()
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let buffers: usize = Direction::BOTH.iter().map(|&d| self.buffers[d].bytes()).sum();
        size_of::<Self>() + buffers + self.reader.bytes() + self.correlator.bytes()
    }

    /// Emits what is finished.
    pub(crate) fn emit<S: Sink>(&mut self, cx: &Context, pool: &mut EntryPool, sink: &mut S) {
        while let Some(mut entry) = self.correlator.pop_finished() {
            entry.set_context(cx);
            entry.add_connection_attributes(&self.correlator.connection_attributes);
            let exchange = &entry.exchange;
            let complete = exchange.request.is_some() && exchange.response.is_some();
            if self.inference.proof == Proof::None && complete {
                self.inference.proof = Proof::New;
            }
            sink.emit(Fact::Exchange(exchange));
            pool.put(entry);
        }
        let entries = std::mem::take(&mut self.correlator.counters.evicted);
        if entries > 0 {
            sink.emit(Fact::Evicted { table: Table::PendingRequests, entries });
        }
        self.counters.emit(cx.tap, sink);
    }

    /// Gives up on requests that waited for longer than the limit.
    pub(crate) fn tick(&mut self, cx: &Context, now: Timestamp, pool: &mut EntryPool) {
        let wait = match cx.transport {
            Transport::Tcp => self.limits.stream_wait,
            Transport::Udp => self.limits.datagram_wait,
        };
        self.correlator.set_now(now);
        self.correlator.expire(now, wait, pool);
    }
}
