//! What an exemplar needs of a call.

use fact::Protocol;
use wire::TapKind;

use crate::edge::{Edge, UNKNOWN};
use crate::route::routed;

/// A call of a finished trace as one of its taps saw it: what an exemplar needs.
#[derive(Clone, Copy, Debug)]
pub struct TracedCall<'a> {
    /// The trace.
    pub trace_id: &'a str,
    /// Kind of the tap.
    pub tap_kind: TapKind,
    /// Application protocol.
    pub protocol: Protocol,
    /// Workload of the client; none if unknown.
    pub client: Option<&'a str>,
    /// Workload of the server; none if unknown.
    pub server: Option<&'a str>,
    /// Operation.
    pub operation: &'a str,
    /// Path of an HTTP request (`url.path`), if known; unused without
    /// [`Config::routes`](crate::Config::routes).
    pub path: Option<&'a str>,
    /// First byte of the request to last byte of the response, in nanoseconds.
    pub duration_ns: u64,
    /// Time of the last byte, nanoseconds since the epoch.
    pub end_unix_ns: u64,
}

impl TracedCall<'_> {
    /// The edge that the call was counted on, without addresses.
    pub(crate) fn edge(&self) -> Edge {
        let name = |workload: Option<&str>| workload.unwrap_or(UNKNOWN).into();
        Edge::new(self.tap_kind, self.protocol.as_str(), name(self.client), name(self.server))
    }

    /// Value of the label `operation`.
    pub(crate) fn labelled_operation(&self, routes: bool) -> String {
        let mut buffer = String::new();
        match routes {
            true => {
                routed(self.protocol.as_str(), self.operation, self.path, &mut buffer).to_owned()
            }
            false => self.operation.to_owned(),
        }
    }
}
