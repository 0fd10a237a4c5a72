use std::borrow::Cow;
use std::sync::Arc;

use analyzer::fact::{Exchange, Outcome};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::{Registry, Unit};

use crate::capped::Capped;
use crate::edge::{Edge, Series};
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

    pub(crate) fn add(&self, edge: &Arc<Edge>, exchange: &Exchange) {
        let operation = ("operation", Cow::Owned(exchange.operation.clone()));
        let status = ("status", Cow::Borrowed(exchange.outcome.as_str()));
        self.requests.at(&Series::with_both(edge, operation.clone(), status)).inc();
        if matches!(exchange.outcome, Outcome::NoResponse | Outcome::Reset) && exchange.response.is_none() {
            self.unanswered.at(&Series::with(edge, operation.clone())).inc();
        }
        if let (Some(request), Some(response)) = (exchange.request, exchange.response) {
            let nanos = response.last.nanos_since(request.first);
            self.duration.at(&Series::with(edge, operation)).observe_ns(nanos);
        }
    }
}
