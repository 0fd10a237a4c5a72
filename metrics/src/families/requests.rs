use std::borrow::Cow;
use std::sync::Arc;

use fact::{Outcome, Protocol};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::{Registry, Unit};
use wire::TapKind;

use super::Metrics;
use crate::capped::Capped;
use crate::edge::{Edge, Series, UNKNOWN};
use crate::histogram::Seconds;
use crate::route::routed;
use crate::tally::RequestTally;

/// Requests of application protocols.
#[derive(Debug)]
pub(crate) struct Requests {
    requests: Capped<Counter>,
    duration: Capped<Seconds>,
    unanswered: Capped<Counter>,
}

impl Requests {
    pub(crate) fn register(registry: &mut Registry, cap: usize) -> Self {
        let it =
            Self { requests: Capped::new(cap), duration: Capped::new(cap), unanswered: Capped::new(cap) };
        registry.register("requests", "Requests by operation and outcome", it.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time from the first byte of a request to the last byte of its response, at the tap",
            Unit::Seconds,
            it.duration.clone(),
        );
        registry.register("requests_unanswered", "Requests without a response", it.unanswered.clone());
        it
    }

    pub(crate) fn add(&self, edge: &Arc<Edge>, tally: &RequestTally) {
        for one in &tally.operations {
            let operation = ("operation", Cow::Owned(one.operation.clone()));
            for (outcome, &times) in Outcome::ALL.iter().zip(&one.outcomes).filter(|&(_, &times)| times > 0) {
                let status = ("status", Cow::Borrowed(outcome.as_str()));
                self.requests.at(&Series::with_both(edge, operation.clone(), status)).inc_by(times);
            }
            if one.unanswered > 0 {
                self.unanswered.at(&Series::with(edge, operation.clone())).inc_by(one.unanswered);
            }
            if !one.duration.is_empty() {
                self.duration.at(&Series::with(edge, operation)).add(&one.duration);
            }
        }
    }
}

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
    /// Path of an HTTP request (`url.path`), if known; not looked at without [`Config::routes`](crate::Config::routes).
    pub path: Option<&'a str>,
    /// First byte of the request to last byte of the response, in nanoseconds.
    pub duration_ns: u64,
    /// Time of the last byte, nanoseconds since the epoch.
    pub end_unix_ns: u64,
}

impl Metrics {
    /// Whether operations of HTTP requests have routes, so that a [`TracedCall`] needs its path.
    pub fn has_routes(&self) -> bool {
        self.config.routes
    }

    /// Remembers a trace as the example of the bucket that its call was counted in.
    pub fn traced(&self, call: &TracedCall<'_>) {
        let name = |workload: Option<&str>| workload.unwrap_or(UNKNOWN).into();
        let protocol = call.protocol.as_str();
        let edge = Edge::new(call.tap_kind, protocol, name(call.client), name(call.server));
        let mut room = String::new();
        let operation = match self.config.routes {
            true => routed(protocol, call.operation, call.path, &mut room),
            false => call.operation,
        };
        let operation = ("operation", Cow::Owned(operation.to_owned()));
        let series = Series::with(&Arc::new(edge), operation);
        self.exemplars.set(&series, call.trace_id, call.duration_ns, call.end_unix_ns);
    }
}
