use std::net::{IpAddr, Ipv4Addr};

use wire::{Direction, Endpoint, SeqNum, SeqRange, TapId, Timestamp, Transport};

use super::Kind;
use crate::input::Context;
use crate::input::TroubleCounts;
use fact::{Attributes, Exchange, FlowId, MessageSpan, Outcome, Protocol, TcpTrouble};

/// What a message takes where those of others stand between its parts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnBytes {
    /// Its bytes.
    pub(crate) bytes: u64,
    /// Stream offset behind its last part so far.
    pub(crate) end: u64,
}

/// What the two messages take; none: all of their range.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnParts {
    pub(crate) request: Option<OwnBytes>,
    pub(crate) response: Option<OwnBytes>,
}

/// What the parser notes about a request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notes {
    /// Anything that helps the parser to read the response.
    pub(crate) tag: u16,
    /// The request is no operation of a user's (a log-in, say): the exchange is emitted only if it fails.
    pub(crate) errors_only: bool,
    /// The server answers only where there is something to say: no response is a good one.
    pub(crate) response_optional: bool,
}

/// An exchange in the making. Entries are reused with the memory of their texts.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) exchange: Exchange,
    /// What the protocol pairs by.
    pub(super) id: u64,
    /// Place among all entries of the conversation.
    pub(super) number: u64,
    /// Bytes that it took when that was reckoned last.
    pub(super) held: usize,
    pub(crate) notes: Notes,
    own: OwnParts,
    /// Direction, as the flow sees it, in which the request travels.
    pub(super) asker: Direction,
    /// Totals of the flow at the first byte; then what was added.
    pub(super) before: TroubleCounts,
    pub(super) request_open: bool,
    pub(super) response_open: bool,
    pub(super) one_way: bool,
    /// Bytes of the open message of each kind are missing.
    pub(super) request_torn: bool,
    pub(super) response_torn: bool,
    /// Bytes are missing where (a part of) its response may have been.
    pub(super) lost: bool,
    /// Requests before it may be missing.
    pub(super) after_hole: bool,
    /// Its response cannot be told from another's.
    pub(super) doubtful: bool,
    /// Offset at which the open message of each direction began.
    pub(super) request_start: u64,
    pub(super) response_start: u64,
}

impl Entry {
    pub(super) fn new(protocol: Protocol) -> Self {
        let nowhere = Endpoint { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 0 };
        Self {
            exchange: Exchange {
                flow: FlowId::default(),
                tap: TapId::default(),
                transport: Transport::Tcp,
                client: nowhere,
                server: nowhere,
                protocol,
                operation: String::new(),
                outcome: Outcome::Ok,
                request: None,
                response: None,
                attributes: Attributes::default(),
                tcp: TcpTrouble::default(),
            },
            id: 0,
            number: 0,
            held: 0,
            notes: Notes::default(),
            own: OwnParts::default(),
            asker: Direction::ToServer,
            before: TroubleCounts::default(),
            request_open: false,
            response_open: false,
            one_way: false,
            request_torn: false,
            response_torn: false,
            lost: false,
            after_hole: false,
            doubtful: false,
            request_start: 0,
            response_start: 0,
        }
    }

    /// Empties it for another exchange.
    pub(super) fn reset(&mut self, protocol: Protocol) {
        let exchange = &mut self.exchange;
        exchange.protocol = protocol;
        exchange.operation.clear();
        exchange.attributes.clear();
        exchange.outcome = Outcome::Ok;
        exchange.request = None;
        exchange.response = None;
        self.id = 0;
        self.notes = Notes::default();
        self.own = OwnParts::default();
        self.request_open = false;
        self.response_open = false;
        self.one_way = false;
        self.request_torn = false;
        self.response_torn = false;
        self.lost = false;
        self.after_hole = false;
        self.doubtful = false;
    }

    /// Says whose exchange it is.
    pub(crate) fn place(&mut self, cx: &Context) {
        let exchange = &mut self.exchange;
        exchange.flow = cx.flow;
        exchange.tap = cx.tap;
        exchange.transport = cx.transport;
        exchange.tcp.rtt_ns = cx.health.round_trips.mean_ns();
        (exchange.client, exchange.server) = match self.asker {
            Direction::ToServer => (cx.client, cx.server),
            Direction::ToClient => (cx.server, cx.client),
        };
    }

    /// What the message of this kind takes, where its range holds bytes of others as well.
    pub(crate) fn set_own_bytes(&mut self, kind: Kind, own: OwnBytes) {
        match kind {
            Kind::Response => self.own.response = Some(own),
            Kind::Request | Kind::OneWay => self.own.request = Some(own),
        }
    }

    /// What the message of this kind takes, if less than its range.
    pub(super) fn own_bytes(&self, kind: Kind) -> Option<OwnBytes> {
        match kind {
            Kind::Response => self.own.response,
            Kind::Request | Kind::OneWay => self.own.request,
        }
    }

    /// The request turned out to be one that nobody answers.
    pub(crate) fn expect_no_response(&mut self) {
        self.one_way = true;
    }

    /// The response begins with the message that was opened: what was lost before was not part of it.
    pub(crate) fn clear_loss(&mut self) {
        self.lost = false;
    }

    /// Memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.exchange.operation.capacity() + self.exchange.attributes.bytes()
    }

    /// The beginning of its response was not captured.
    pub(crate) fn mark_response_incomplete(&mut self) {
        self.response_torn = true;
    }

    /// Whether nothing more belongs to it.
    pub(super) fn is_whole(&self) -> bool {
        !self.request_open && !self.response_open && (self.one_way || self.exchange.response.is_some())
    }

    /// Whether its message of this kind is open.
    pub(super) fn is_open(&self, kind: Kind) -> bool {
        match kind {
            Kind::Response => self.response_open,
            Kind::Request | Kind::OneWay => self.request_open,
        }
    }

    /// Whether its response may be another's, or another have had it.
    pub(super) fn is_unsure(&self) -> bool {
        self.lost || self.doubtful
    }

    /// Whether requests before it may be missing, and what was said at `time` can only answer one of them.
    pub(super) fn is_after(&self, time: Timestamp) -> bool {
        self.after_hole && self.exchange.request.is_some_and(|request| time < request.first)
    }

    /// Whether a response can still begin.
    pub(super) fn is_waiting(&self) -> bool {
        !self.one_way && self.exchange.request.is_some() && self.exchange.response.is_none()
    }
}

/// A message of which the first byte was seen.
pub(super) fn begun(seq: SeqNum, first: Timestamp) -> MessageSpan {
    MessageSpan { seq: SeqRange { start: seq, end: seq }, bytes: 0, first, last: first, whole: false }
}
