//! Families of requests of application protocols.

use std::borrow::Cow;
use std::sync::Arc;

use fact::Outcome;
use prometheus_client::metrics::counter::Counter;

use super::edge_family::EdgeFamily;
use super::info::table;
use crate::edge::{Edge, Series};
use crate::histogram::DurationHistogram;
use crate::tally::RequestTally;

table! {
    /// Requests of application protocols.
    pub(crate) struct Requests {
        requests: EdgeFamily<Counter>, "requests", ["operation", "status"],
            "Requests by operation and outcome";
        duration: EdgeFamily<DurationHistogram>, "request_duration" in Seconds, ["operation"],
            "Time from the first byte of a request to the last byte of its response, at the tap";
        unanswered: EdgeFamily<Counter>, "requests_unanswered", ["operation"],
            "Requests without a response";
        network: EdgeFamily<DurationHistogram>, "call_network" in Seconds, [],
            "Time that request and response of a traced call spent between the processes at its ends, or its outermost taps";
    }
}

impl Requests {
    pub(crate) fn add(&self, edge: &Arc<Edge>, tally: &RequestTally) {
        for one in &tally.operations {
            let operation = || Cow::Owned(one.operation.clone());
            for (outcome, &count) in
                Outcome::ALL.iter().zip(&one.outcomes).filter(|&(_, &count)| count > 0)
            {
                let values = [operation(), outcome.as_str().into()];
                self.requests.get_or_create(edge, values).inc_by(count);
            }
            if one.unanswered > 0 {
                self.unanswered.get_or_create(edge, [operation()]).inc_by(one.unanswered);
            }
            if !one.duration.is_empty() {
                self.duration.get_or_create(edge, [operation()]).add(&one.duration);
            }
        }
    }

    /// Counts what the network had of a traced call.
    pub(crate) fn add_network(&self, edge: &Arc<Edge>, network_ns: u64) {
        self.network.get_or_create(edge, []).observe(network_ns);
    }

    /// The series of request durations that requests of `operation` are counted in.
    pub(crate) fn duration_series(&self, edge: &Arc<Edge>, operation: String) -> Series {
        self.duration.series(edge, [operation.into()])
    }
}
