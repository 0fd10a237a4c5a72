//! A trace: the tree of calls that one request from outside led to.

use serde::{Deserialize, Serialize};

use super::{Call, SpanId, TraceId};

/// A tree of calls: what one request from outside led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "trace")]
pub struct Trace {
    /// Its id: that of the root's `traceparent` header where there is one, else made from the root
    /// call.
    pub trace_id: TraceId,
    /// The first call.
    pub root: Call,
    /// Where most of its time went; none in traces that were kept by a version that did not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<LongestPart>,
}

/// The longest part of a trace that no call below it explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongestPart {
    /// The call that it is a part of.
    pub span_id: SpanId,
    /// What it was.
    pub part: PartKind,
    /// How long it took.
    pub duration_ns: u64,
}

/// A part of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// Opening the connection.
    Connect,
    /// First to last byte of the request.
    Send,
    /// The service itself: without the calls that it made.
    Service,
    /// The wait for the response, where service and network cannot be told apart.
    Wait,
    /// First to last byte of the response.
    Transfer,
    /// The way of the request from one point of the path to the next.
    RequestStep,
    /// The way of the response from one point of the path to the next.
    ResponseStep,
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
