//! An exchange in the making.

use std::net::{IpAddr, Ipv4Addr};

use wire::{Direction, Endpoint, SeqNum, SeqRange, TapId, Timestamp, Transport};

use super::kind::Kind;
use crate::input::Context;
use crate::input::TroubleCounts;
use fact::{Attributes, Exchange, FlowId, MessageSpan, Outcome, Protocol, TcpTrouble, Value};

/// What a message takes where those of others stand between its parts (frames of HTTP/2 streams).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnBytes {
    /// Its bytes.
    pub(crate) bytes: u64,
    /// Stream offset behind its last part so far.
    pub(crate) end: u64,
}

/// What the parser notes about a request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notes {
    /// Anything that helps the parser to read the response.
    pub(crate) tag: u16,
    /// The request is no operation of a user's (a log-in, for example): the exchange is emitted
    /// only if it fails.
    pub(crate) errors_only: bool,
    /// The server answers only where something failed or was found: no response is a good one.
    pub(crate) response_optional: bool,
}

/// Where one of the two messages of an exchange stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MessageState {
    /// Its first byte was seen, and its end was not.
    pub(super) open: bool,
    /// Bytes of it are missing.
    pub(super) incomplete: bool,
    /// Stream offset of its first byte.
    pub(super) start: u64,
    /// None: all bytes of its range are its own.
    own: Option<OwnBytes>,
}

/// Why the response of an exchange may be another's, or another exchange may have had it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubts {
    /// Bytes are missing where (a part of) its response may have been.
    pub(super) response_lost: bool,
    /// Requests before it may be missing.
    pub(super) after_hole: bool,
    /// Its response cannot be told from another's.
    pub(super) ambiguous: bool,
}

/// What the queue knows an entry by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    /// What the protocol pairs by.
    pub(super) id: u64,
    /// Place among all entries of the session.
    pub(super) number: u64,
    /// Bytes that the entry took when the queue measured it last.
    pub(super) bytes: usize,
}

/// An exchange in the making. Entries are reused with the memory of their texts.
#[derive(Debug)]
pub(crate) struct Entry {
    /// What is emitted, as far as it is known.
    pub(crate) exchange: Exchange,
    pub(crate) notes: Notes,
    pub(super) slot: Slot,
    /// Direction, as the flow sees it, in which the request travels.
    pub(super) asker: Direction,
    /// Nobody answers the request.
    pub(super) one_way: bool,
    /// Its request is the first of the connection: the client waited for the connection before it.
    pub(super) is_first: bool,
    pub(super) doubts: Doubts,
    /// Totals of the flow at the first byte.
    troubles_before: TroubleCounts,
    request: MessageState,
    response: MessageState,
}

impl Entry {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self::with_buffers(protocol, String::new(), Attributes::default())
    }

    fn with_buffers(protocol: Protocol, operation: String, attributes: Attributes) -> Self {
        let nowhere = Endpoint { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 0 };
        Self {
            exchange: Exchange {
                flow: FlowId::default(),
                tap: TapId::default(),
                transport: Transport::Tcp,
                client: nowhere,
                server: nowhere,
                protocol,
                operation,
                outcome: Outcome::Ok,
                request: None,
                response: None,
                connect_ns: None,
                connected: None,
                waited_until: None,
                attributes,
                tcp: TcpTrouble::default(),
            },
            notes: Notes::default(),
            slot: Slot::default(),
            asker: Direction::ToServer,
            one_way: false,
            is_first: false,
            doubts: Doubts::default(),
            troubles_before: TroubleCounts::default(),
            request: MessageState::default(),
            response: MessageState::default(),
        }
    }

    /// Empties it for another exchange; the memory of its texts stays.
    pub(super) fn reset(&mut self, protocol: Protocol) {
        let mut operation = std::mem::take(&mut self.exchange.operation);
        let mut attributes = std::mem::take(&mut self.exchange.attributes);
        operation.clear();
        attributes.clear();
        *self = Self::with_buffers(protocol, operation, attributes);
    }

    /// Sets whose exchange it is, before its first message begins.
    pub(super) fn set_origin(
        &mut self,
        id: u64,
        asker: Direction,
        transport: Transport,
        troubles: TroubleCounts,
    ) {
        self.slot.id = id;
        self.asker = asker;
        self.exchange.transport = transport;
        self.troubles_before = troubles;
    }

    /// Adds what is known of the connection, unless the exchange itself says it.
    pub(crate) fn add_connection_attributes(&mut self, attributes: &Attributes) {
        if attributes.is_empty() {
            return;
        }
        let own = &mut self.exchange.attributes;
        let names_server = own.get("server.address").is_some();
        for (key, value) in attributes.iter() {
            match value {
                _ if names_server && key.starts_with("server.") || own.get(key).is_some() => {}
                Value::Text(text) => own.push_text(key, text),
                Value::Int(n) => own.push_int(key, n),
                Value::Bool(b) => own.push_bool(key, b),
            }
        }
    }

    /// Adds what the flow knows, before the exchange is emitted.
    pub(crate) fn set_context(&mut self, cx: &Context) {
        let exchange = &mut self.exchange;
        exchange.flow = cx.flow;
        exchange.tap = cx.tap;
        exchange.transport = cx.transport;
        exchange.connect_ns = cx.connect_ns.filter(|_| self.is_first);
        exchange.connected = cx.connected.filter(|_| self.is_first);
        (exchange.client, exchange.server) = match self.asker {
            Direction::ToServer => (cx.client, cx.server),
            Direction::ToClient => (cx.server, cx.client),
        };
        let (now, before) = (&cx.health.troubles, &self.troubles_before);
        exchange.tcp = TcpTrouble {
            retransmissions: u64::from(now.retransmissions.saturating_sub(before.retransmissions)),
            out_of_order: u64::from(now.out_of_order.saturating_sub(before.out_of_order)),
            zero_windows: u64::from(now.zero_windows.saturating_sub(before.zero_windows)),
            rtt_ns: cx.health.round_trips.mean_ns(),
            missing_bytes: now.missing_bytes.saturating_sub(before.missing_bytes),
        };
    }

    /// Notes that the request turned out to be one that nobody answers.
    pub(crate) fn expect_no_response(&mut self) {
        self.one_way = true;
    }

    /// Notes that the response begins with the message that was opened: what was lost before was
    /// not part of it.
    pub(crate) fn clear_loss(&mut self) {
        self.doubts.response_lost = false;
    }

    /// Notes that the beginning of its response was not captured.
    pub(crate) fn mark_response_incomplete(&mut self) {
        self.response.incomplete = true;
    }

    /// Sets what the message of this kind takes, where its range holds bytes of others as well.
    pub(crate) fn set_own_bytes(&mut self, kind: Kind, own: OwnBytes) {
        self.message_mut(kind).own = Some(own);
    }

    pub(super) fn message(&self, kind: Kind) -> &MessageState {
        match kind {
            Kind::Response => &self.response,
            Kind::Request | Kind::OneWay => &self.request,
        }
    }

    pub(super) fn message_mut(&mut self, kind: Kind) -> &mut MessageState {
        match kind {
            Kind::Response => &mut self.response,
            Kind::Request | Kind::OneWay => &mut self.request,
        }
    }

    /// Its message of this kind begins at `start`.
    pub(super) fn begin(&mut self, kind: Kind, start: u64, seq: SeqNum, first: Timestamp) {
        let range = SeqRange { start: seq, end: seq };
        let span = MessageSpan { seq: range, bytes: 0, first, last: first, whole: false };
        match kind {
            Kind::Response => self.exchange.response = Some(span),
            Kind::Request | Kind::OneWay => {
                self.exchange.request = Some(span);
                self.one_way = kind == Kind::OneWay;
            }
        }
        self.message_mut(kind).start = start;
    }

    /// Sets the end of its message of this kind: the stream offset behind its last byte, and when
    /// that byte passed. The message is whole unless bytes of it are missing.
    pub(super) fn set_end(&mut self, kind: Kind, end: u64, last: Timestamp) {
        let whole = !self.message(kind).incomplete;
        if let Some(span) = self.extend(kind, end, last) {
            span.whole = whole;
        }
    }

    /// Extends its message of this kind to `end`, and leaves open whether it is whole.
    pub(super) fn extend(
        &mut self,
        kind: Kind,
        end: u64,
        last: Timestamp,
    ) -> Option<&mut MessageSpan> {
        let MessageState { start, own, .. } = *self.message(kind);
        let span = match kind {
            Kind::Response => self.exchange.response.as_mut()?,
            Kind::Request | Kind::OneWay => self.exchange.request.as_mut()?,
        };
        span.bytes = own.map_or(end.saturating_sub(start), |own| own.bytes);
        // A message may end before the first of its bytes was seen.
        span.last = last.max(span.first);
        if self.exchange.transport == Transport::Tcp {
            // The difference of two offsets is that of their sequence numbers, modulo 2^32.
            span.seq.end = span.seq.start.plus(end.wrapping_sub(start) as u32);
        }
        Some(span)
    }

    /// Stream offset up to which its open message of this kind was seen, given that of the stream.
    pub(super) fn seen_until(&self, kind: Kind, stream_end: u64) -> u64 {
        let MessageState { start, own, .. } = *self.message(kind);
        own.map_or(stream_end, |own| own.end.min(stream_end)).max(start)
    }

    /// Whether nothing more belongs to it.
    pub(super) fn is_complete(&self) -> bool {
        let open = self.request.open || self.response.open;
        !open && (self.one_way || self.exchange.response.is_some())
    }

    /// Whether its response may be another's, or another have had it.
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubts.response_lost || self.doubts.ambiguous
    }

    /// Whether requests before it may be missing, and what passed at `time` can only answer one of
    /// them.
    pub(super) fn is_after(&self, time: Timestamp) -> bool {
        self.doubts.after_hole && self.exchange.request.is_some_and(|request| time < request.first)
    }

    /// Whether a response can still begin.
    pub(super) fn is_pending(&self) -> bool {
        !self.one_way && self.exchange.request.is_some() && self.exchange.response.is_none()
    }

    /// Whether a response can still begin in the direction opposite to `asker`.
    pub(super) fn is_pending_of(&self, asker: Direction) -> bool {
        self.asker == asker && self.is_pending()
    }

    /// How it ends if nothing more comes: as the parser set it, unless bytes of it are missing.
    pub(super) fn outcome(&self) -> Outcome {
        let exchange = &self.exchange;
        let not_whole = exchange.response.is_some_and(|response| !response.whole);
        if exchange.request.is_none() {
            Outcome::NoRequest
        } else if exchange.outcome == Outcome::Ok && (self.is_doubtful() || not_whole) {
            Outcome::LostBytes
        } else {
            exchange.outcome
        }
    }

    /// Memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.exchange.operation.capacity() + self.exchange.attributes.bytes()
    }
}
