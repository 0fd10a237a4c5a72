use std::borrow::Cow;
use std::sync::Arc;

use analyzer::fact::{Exchange, Outcome};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::{Registry, Unit};
use wire::TapKind;

use super::Metrics;
use crate::capped::Capped;
use crate::edge::{Edge, Series, UNKNOWN};
use crate::histogram::Seconds;

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

    pub(crate) fn add(&self, edge: &Arc<Edge>, sample: &RequestSample) {
        let operation = ("operation", Cow::Owned(sample.operation.clone()));
        let status = ("status", Cow::Borrowed(sample.outcome.as_str()));
        self.requests.at(&Series::with_both(edge, operation.clone(), status)).inc();
        if sample.unanswered {
            self.unanswered.at(&Series::with(edge, operation.clone())).inc();
        }
        if let Some(nanos) = sample.duration_ns {
            self.duration.at(&Series::with(edge, operation)).observe_ns(nanos);
        }
    }
}

/// What the families need of an exchange.
#[derive(Debug)]
pub(crate) struct RequestSample {
    operation: String,
    outcome: Outcome,
    duration_ns: Option<u64>,
    unanswered: bool,
}

impl RequestSample {
    pub(crate) fn of(exchange: &Exchange) -> Self {
        let both = exchange.request.zip(exchange.response);
        Self {
            operation: exchange.operation.clone(),
            outcome: exchange.outcome,
            duration_ns: both.map(|(request, response)| response.last.nanos_since(request.first)),
            unanswered: exchange.response.is_none()
                && matches!(exchange.outcome, Outcome::NoResponse | Outcome::Reset),
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
    pub protocol: &'static str,
    /// Workload of the client; none if unknown.
    pub client: Option<&'a str>,
    /// Workload of the server; none if unknown.
    pub server: Option<&'a str>,
    /// Operation.
    pub operation: &'a str,
    /// First byte of the request to last byte of the response, in nanoseconds.
    pub duration_ns: u64,
    /// Time of the last byte, nanoseconds since the epoch.
    pub end_unix_ns: u64,
}

impl Metrics {
    /// Remembers a trace as the example of the bucket that its call was counted in.
    pub fn traced(&self, call: &TracedCall<'_>) {
        let name = |workload: Option<&str>| workload.unwrap_or(UNKNOWN).into();
        let edge = Edge::new(call.tap_kind, call.protocol, name(call.client), name(call.server));
        let operation = ("operation", Cow::Owned(call.operation.to_owned()));
        let series = Series::with(&Arc::new(edge), operation);
        self.exemplars.set(&series, call.trace_id, call.duration_ns, call.end_unix_ns);
    }
}
