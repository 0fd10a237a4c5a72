//! A call at one tap: when its messages passed, and what the transport suffered there.

use std::sync::Arc;

use fact::{MessageSpan, Outcome, TcpTrouble};
use serde::{Deserialize, Serialize};
use wire::{Endpoint, TapKind};

use super::text;

/// A call at one tap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// Name of the tap.
    pub tap: Arc<str>,
    /// Kind of device.
    #[serde(with = "text::tap_kind")]
    pub kind: TapKind,
    /// Node that the tap is on.
    pub node: Arc<str>,
    /// First byte of the request, in nanoseconds since the epoch.
    pub request_ns: Option<u64>,
    /// First byte of the response, in nanoseconds since the epoch.
    pub response_ns: Option<u64>,
    /// The handshake of the connection as seen here, repeats included, before its first request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ns: Option<u64>,
    /// Until when a response was waited for that did not come, in nanoseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_until_ns: Option<u64>,
    /// Retransmissions seen here meanwhile.
    pub retransmissions: u64,
    /// Number of the flow at this tap.
    pub flow: u64,
    /// Client as seen here: differs between hops where addresses are translated.
    #[serde(with = "text::endpoint")]
    pub client: Endpoint,
    /// Server as seen here.
    #[serde(with = "text::endpoint")]
    pub server: Endpoint,
    /// How the exchange looked here.
    #[serde(with = "text::outcome")]
    pub outcome: Outcome,
    /// The request here.
    pub request: Option<Message>,
    /// The response here.
    pub response: Option<Message>,
    /// What the transport suffered here.
    pub tcp: TcpTotals,
}

/// A message at one tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Raw sequence numbers, end exclusive; UDP: the transaction id twice.
    pub seq: [u32; 2],
    /// Length in bytes.
    pub bytes: u64,
    /// Time of the first byte in nanoseconds since the epoch.
    pub first_ns: u64,
    /// Time of the last byte in nanoseconds since the epoch.
    pub last_ns: u64,
}

/// Troubles of the transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpTotals {
    /// Retransmissions; of a call: the most that one tap saw.
    pub retransmissions: u64,
    /// Segments out of order; of a call: the most that one tap saw.
    pub out_of_order: u64,
    /// Closed windows; of a call: the most that one tap saw.
    pub zero_windows: u64,
    /// Mean RTT in nanoseconds; of a call: the largest; 0 where unknown.
    pub rtt_ns: u64,
    /// Bytes not captured; of a call: the most at one tap.
    pub missing_bytes: u64,
}

impl TcpTotals {
    pub(crate) fn most(self, other: Self) -> Self {
        Self {
            retransmissions: self.retransmissions.max(other.retransmissions),
            out_of_order: self.out_of_order.max(other.out_of_order),
            zero_windows: self.zero_windows.max(other.zero_windows),
            rtt_ns: self.rtt_ns.max(other.rtt_ns),
            missing_bytes: self.missing_bytes.max(other.missing_bytes),
        }
    }
}

impl From<MessageSpan> for Message {
    fn from(m: MessageSpan) -> Self {
        let seq = [m.seq.start.0, m.seq.end.0];
        Self { seq, bytes: m.bytes, first_ns: m.first.as_nanos(), last_ns: m.last.as_nanos() }
    }
}

impl From<TcpTrouble> for TcpTotals {
    fn from(t: TcpTrouble) -> Self {
        Self {
            retransmissions: t.retransmissions,
            out_of_order: t.out_of_order,
            zero_windows: t.zero_windows,
            rtt_ns: t.rtt_ns,
            missing_bytes: t.missing_bytes,
        }
    }
}
