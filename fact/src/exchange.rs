//! An exchange: a request and its response, or a one-way message.

use wire::{Endpoint, SeqRange, TapId, Timestamp, Transport};

use super::{Attributes, FlowId, Protocol};

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Answered well.
    Ok,
    /// Answered: the client's fault (HTTP 4xx, DNS NXDOMAIN…).
    ClientError,
    /// Answered: the server's fault (HTTP 5xx, DNS SERVFAIL…).
    ServerError,
    /// Not answered before the flow ended or the wait was over.
    NoResponse,
    /// The connection was reset before the answer was whole.
    Reset,
    /// Bytes of the exchange were not captured, or its response is not whole.
    LostBytes,
    /// An answer whose request was not captured.
    NoRequest,
}

impl Outcome {
    /// Every outcome, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::ClientError,
        Self::ServerError,
        Self::NoResponse,
        Self::Reset,
        Self::LostBytes,
        Self::NoRequest,
    ];

    /// Name in records and in the label `status`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientError => "client_error",
            Self::ServerError => "server_error",
            Self::NoResponse => "no_response",
            Self::Reset => "reset",
            Self::LostBytes => "lost_bytes",
            Self::NoRequest => "no_request",
        }
    }
}

/// Where and when one message of an exchange was on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageSpan {
    /// TCP: its bytes by raw sequence numbers, modulo 2^32. UDP: empty, with the protocol's
    /// transaction id (DNS: id) as start.
    pub seq: SeqRange,
    /// Its length in bytes, head and body.
    pub bytes: u64,
    /// Time of the packet with its first byte.
    pub first: Timestamp,
    /// Time of the packet with its last byte seen.
    pub last: Timestamp,
    /// Its end was seen and no packet with bytes of it was missed. Bytes that the capture's snap
    /// length cut off are no loss: the packet passed, and its length is known. Not whole is a
    /// message with a hole, and one that still ran when the flow or the input ended: its length not
    /// reached, its last chunk not seen, or without the FIN that ends it (RFC 9112 section 8).
    pub whole: bool,
}

/// Troubles of the transport while an exchange went on, in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpTrouble {
    /// Retransmissions.
    pub retransmissions: u64,
    /// Segments out of order.
    pub out_of_order: u64,
    /// Segments that closed the window.
    pub zero_windows: u64,
    /// Mean round-trip time of the network on this flow so far in nanoseconds, from client to
    /// server and back, without what applications took; 0 if unknown.
    pub rtt_ns: u64,
    /// Bytes that were never captured.
    pub missing_bytes: u64,
}

/// The end of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Time of the ACK that ended it.
    pub at: Timestamp,
    /// SYNs and SYN/ACKs that were sent again before that.
    pub repeats: u32,
}

/// A request and its response at one tap: what becomes a span.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Flow that it is part of.
    pub flow: FlowId,
    /// Where it was seen.
    pub tap: TapId,
    /// Transport protocol.
    pub transport: Transport,
    /// The side that asks.
    pub client: Endpoint,
    /// The side that answers.
    pub server: Endpoint,
    /// Application protocol.
    pub protocol: Protocol,
    /// Short name of what was asked: `GET`, `A`…; empty where the request was not captured.
    pub operation: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The request; at least one of request and response is there.
    pub request: Option<MessageSpan>,
    /// The response.
    pub response: Option<MessageSpan>,
    /// What the client waited for the connection, in nanoseconds: first SYN to the ACK that ends
    /// the handshake, repeats included. Only the first exchange of a connection whose handshake
    /// was seen has it. It passed before [`Self::start`].
    pub connect_ns: Option<u64>,
    /// How that handshake ended; known where [`Self::connect_ns`] is. A connection that was opened
    /// long before its first request was not waited for.
    pub connected: Option<Connected>,
    /// Until when a response was waited for that did not come: the reset, the end of the connection
    /// or of the input, the time-out. None where there is a response or none was expected.
    pub waited_until: Option<Timestamp>,
    /// What the messages say.
    pub attributes: Attributes,
    /// What the transport suffered meanwhile.
    pub tcp: TcpTrouble,
}

impl Exchange {
    /// Time of the first byte of the exchange.
    pub fn start(&self) -> Timestamp {
        self.request.or(self.response).map_or(Timestamp::ZERO, |m| m.first)
    }

    /// Time of the last byte of the exchange; of one that was not answered, the end of the wait.
    pub fn end(&self) -> Timestamp {
        let last = self.response.or(self.request).map_or(Timestamp::ZERO, |m| m.last);
        self.waited_until.map_or(last, |until| until.max(last))
    }

    /// Where its time went.
    pub fn phases(&self) -> Phases {
        let send_end = match (self.request, self.response) {
            (Some(request), Some(response)) => request.last.min(response.first),
            (Some(request), None) => request.last,
            (None, _) => self.start(),
        };
        let wait_end = self.response.map_or(self.end(), |response| response.first);
        let answers =
            self.request.is_some() && (self.response.is_some() || self.waited_until.is_some());
        Phases {
            connect_ns: self.connect_ns,
            send_ns: send_end.nanos_since(self.start()),
            wait_ns: answers.then(|| wait_end.nanos_since(send_end)),
            receive_ns: self.end().nanos_since(wait_end.max(send_end)),
        }
    }
}

/// Where the time of an exchange went, in nanoseconds. Send, wait and receive add up to its
/// duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// The handshake, repeats included, before the first request of a connection.
    pub connect_ns: Option<u64>,
    /// First to last byte of the request; ends with the first byte of the response where that came
    /// earlier.
    pub send_ns: u64,
    /// Last byte of the request to the first of the response, or to the end of the wait. None where
    /// the request was not captured, or no response was expected.
    pub wait_ns: Option<u64>,
    /// First to last byte of the response.
    pub receive_ns: u64,
}
