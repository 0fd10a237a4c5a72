//! A trace: the tree of calls that one request from outside led to.

use serde::{Deserialize, Serialize};

use super::{Call, TraceId};

/// A tree of calls: what one request from outside led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "trace")]
pub struct Trace {
    /// Its id: that of the root's `traceparent` header where there is one, else made from the root
    /// call.
    pub trace_id: TraceId,
    /// The first call.
    pub root: Call,
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
