use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// 16 bytes in 32 lower-case hexadecimal digits, as in W3C Trace Context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TraceId(pub u128);

/// 8 bytes in 16 lower-case hexadecimal digits, as in W3C Trace Context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SpanId(pub u64);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<TraceId> for String {
    fn from(id: TraceId) -> Self {
        id.to_string()
    }
}

impl From<SpanId> for String {
    fn from(id: SpanId) -> Self {
        id.to_string()
    }
}

fn digits(text: &str, len: usize) -> Result<u128, String> {
    if text.len() != len || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(format!("expected {len} hexadecimal digits"));
    }
    u128::from_str_radix(text, 16).map_err(|e| e.to_string())
}

impl TryFrom<String> for TraceId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        digits(&text, 32).map(Self)
    }
}

impl TryFrom<String> for SpanId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        digits(&text, 16).map(|n| Self(n as u64))
    }
}

/// A tree of calls: what one request from outside led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "trace")]
pub struct Trace {
    /// Its id: that of the root's `traceparent` header where there is one, else made from the root call.
    pub trace_id: TraceId,
    /// The first call.
    pub root: Call,
}

/// How it is known what caused a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The thread that made it had received the parent, or a response in the parent's course, last.
    Thread,
    /// Both carry the same trace header.
    Header,
    /// It is a root: nothing known caused it.
    #[default]
    None,
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// Truth value.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Text.
    Text(String),
}

/// Attributes by key.
pub type Attributes = BTreeMap<String, AttributeValue>;

/// One exchange with all that was seen of it: client process, taps in path order, server process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Its id, the same in every run on the same input.
    pub span_id: SpanId,
    /// Application protocol, e.g. `http`.
    pub protocol: String,
    /// Short name of what was asked, e.g. `GET`.
    pub operation: String,
    /// How it ended, e.g. `ok`; names of `span` records.
    pub outcome: String,
    /// What its messages say.
    pub attributes: Attributes,
    /// The side that asks.
    pub client: Peer,
    /// The side that answers.
    pub server: Peer,
    /// Taps that it passed, in the order of the request's path.
    pub hops: Vec<Hop>,
    /// First sign of it, in nanoseconds since the epoch.
    pub start_unix_ns: u64,
    /// Last sign of it, in nanoseconds since the epoch.
    pub end_unix_ns: u64,
    /// How its parent is known.
    pub cause: Cause,
    /// The parent is only the likeliest of several.
    #[serde(default, skip_serializing_if = "is_false")]
    pub guess: bool,
    /// What the transport suffered, over all taps.
    pub tcp: TcpTotals,
    /// Calls that it caused, by time.
    pub children: Vec<Call>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(b: &bool) -> bool {
    !*b
}

/// One side of a call. Times are those of system calls, none where they were not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Network address as this side's own socket or the tap nearest to it knows it.
    pub address: String,
    /// Transport port.
    pub port: u16,
    /// Who it was.
    pub process: Option<ProcessInfo>,
    /// When it began to send: client, the request; server, the response (entry of the system call).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_ns: Option<u64>,
    /// When it had received: client, the last byte of the response; server, the first of the request (return of the system call).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_ns: Option<u64>,
    /// When the last byte of the message that it sent had been handed to the kernel (return of the system call).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_ns: Option<u64>,
}

/// A thread of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessInfo {
    /// Process id in the initial namespace.
    pub pid: u32,
    /// Thread id in the initial namespace.
    pub tid: u32,
    /// Command name.
    pub command: String,
    /// Name of its control group where it was told, else its id.
    pub cgroup: String,
}

/// A call at one tap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// Name of the tap.
    pub tap: String,
    /// Kind of device.
    pub kind: String,
    /// Node that the tap is on.
    pub node: String,
    /// First byte of the request, in nanoseconds since the epoch.
    pub request_ns: Option<u64>,
    /// First byte of the response, in nanoseconds since the epoch.
    pub response_ns: Option<u64>,
    /// Retransmissions seen here meanwhile.
    pub retransmissions: u64,
    /// Number of the flow at this tap.
    pub flow: u64,
    /// Client as seen here, `address:port`: differs between hops where addresses are translated.
    pub client: String,
    /// Server as seen here.
    pub server: String,
    /// How the exchange looked here.
    pub outcome: String,
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

impl Call {
    /// Nanoseconds from the first to the last sign of it.
    pub const fn duration_ns(&self) -> u64 {
        self.end_unix_ns.saturating_sub(self.start_unix_ns)
    }

    /// Whether it failed; calls of which bytes or the request were not captured do not count as failed.
    pub fn is_error(&self) -> bool {
        matches!(self.outcome.as_str(), "client_error" | "server_error" | "no_response" | "reset")
    }
}

impl Trace {
    /// Visits every call, parents before children.
    pub fn visit<'a>(&'a self, mut each: impl FnMut(&'a Call)) {
        let mut stack = vec![&self.root];
        while let Some(call) = stack.pop() {
            each(call);
            stack.extend(call.children.iter().rev());
        }
    }

    /// Whether any call in it failed.
    pub fn is_error(&self) -> bool {
        let mut error = false;
        self.visit(|call| error |= call.is_error());
        error
    }
}
