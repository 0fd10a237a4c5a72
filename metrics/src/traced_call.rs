//! What the metrics need of a call.

use fact::Protocol;
use wire::{Endpoint, TapKind};

use crate::edge::{Edge, UNKNOWN};
use crate::route::routed;

/// A call of a finished trace as one of its taps saw it.
#[derive(Clone, Copy, Debug)]
pub struct TracedCall<'a> {
    /// The trace.
    pub trace_id: &'a str,
    /// Kind of the tap.
    pub tap_kind: TapKind,
    /// Application protocol.
    pub protocol: Protocol,
    /// The two ends as that tap saw them; unused without
    /// [`Config::addresses`](crate::Config::addresses).
    pub ends: (Endpoint, Endpoint),
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
    /// The edge that the call was counted on.
    pub(crate) fn edge(&self, addresses: bool) -> Edge {
        let name = |workload: Option<&str>| workload.unwrap_or(UNKNOWN).into();
        let (client, server) = (name(self.client), name(self.server));
        let edge = Edge::new(self.tap_kind, self.protocol.as_str(), client, server);
        Edge { addresses: addresses.then_some(self.ends), ..edge }
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
