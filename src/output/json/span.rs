//! The `span` record.

use fact::{Attributes, Exchange, MessageSpan, TcpTrouble, Value};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::End;

/// Identity of a span that is part of no trace, written as 16 hexadecimal digits. It comes from
/// what was on the wire, so the same capture gives the same ids.
#[derive(Clone, Copy, Debug)]
struct SpanId(u64);

impl SpanId {
    fn of(exchange: &Exchange) -> Self {
        let message = exchange.request.or(exchange.response);
        let seq = message.map_or(0, |m| u64::from(m.seq.start.0));
        let kind = u64::from(exchange.request.is_none());
        let mut id = 0x9e37_79b9_7f4a_7c15;
        for part in [exchange.flow.0, exchange.start().as_nanos(), seq << 1 | kind] {
            id = mix(id ^ part);
        }
        Self(id.max(1))
    }
}

impl Serialize for SpanId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits: [u8; 16] =
            std::array::from_fn(|at| DIGITS[(self.0 >> (60 - 4 * at) & 15) as usize]);
        serializer.serialize_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

/// The finalizer of SplitMix64: every bit of the input changes half of the output's.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The `span` record of an exchange as one tap saw it, without a trace. A message that is not whole
/// stands in `partial_request` or `partial_response` instead of `request` or `response`.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "span")]
pub(crate) struct Span<'a> {
    protocol: &'static str,
    operation: &'a str,
    trace_id: Option<()>,
    span_id: SpanId,
    parent_span_id: Option<()>,
    observed_at: &'static str,
    tap: &'a str,
    flow: u64,
    client: End,
    server: End,
    start_unix_ns: u64,
    end_unix_ns: u64,
    duration_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_ns: Option<u64>,
    send_ns: u64,
    wait_ns: Option<u64>,
    transfer_ns: u64,
    outcome: &'static str,
    request: Option<Message>,
    response: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_request: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_response: Option<Message>,
    attributes: AttributeMap<'a>,
    tcp: Trouble,
    process: Option<()>,
}

#[derive(Debug, Serialize)]
struct Message {
    seq: [u32; 2],
    bytes: u64,
    first_ns: u64,
    last_ns: u64,
}

impl From<MessageSpan> for Message {
    fn from(m: MessageSpan) -> Self {
        Self {
            seq: [m.seq.start.0, m.seq.end.0],
            bytes: m.bytes,
            first_ns: m.first.as_nanos(),
            last_ns: m.last.as_nanos(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Trouble {
    retransmissions: u64,
    out_of_order: u64,
    zero_windows: u64,
    rtt_ns: u64,
    missing_bytes: u64,
}

impl From<TcpTrouble> for Trouble {
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

#[derive(Debug)]
struct AttributeMap<'a>(&'a Attributes);

impl Serialize for AttributeMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.0.iter() {
            match value {
                Value::Text(text) => map.serialize_entry(key, text)?,
                Value::Int(n) => map.serialize_entry(key, &n)?,
                Value::Bool(b) => map.serialize_entry(key, &b)?,
            }
        }
        map.end()
    }
}

impl<'a> Span<'a> {
    pub(crate) fn new(exchange: &'a Exchange, tap: &'a str) -> Self {
        let phases = exchange.phases();
        Self {
            protocol: exchange.protocol.as_str(),
            operation: &exchange.operation,
            trace_id: None,
            span_id: SpanId::of(exchange),
            parent_span_id: None,
            observed_at: "tap",
            tap,
            flow: exchange.flow.0,
            client: exchange.client.into(),
            server: exchange.server.into(),
            start_unix_ns: exchange.start().as_nanos(),
            end_unix_ns: exchange.end().as_nanos(),
            duration_ns: exchange.end().nanos_since(exchange.start()),
            connect_ns: phases.connect_ns,
            send_ns: phases.send_ns,
            wait_ns: phases.wait_ns,
            transfer_ns: phases.receive_ns,
            outcome: exchange.outcome.as_str(),
            request: exchange.request.filter(|m| m.whole).map(Message::from),
            response: exchange.response.filter(|m| m.whole).map(Message::from),
            partial_request: exchange.request.filter(|m| !m.whole).map(Message::from),
            partial_response: exchange.response.filter(|m| !m.whole).map(Message::from),
            attributes: AttributeMap(&exchange.attributes),
            tcp: exchange.tcp.into(),
            process: None,
        }
    }
}
