//! What labels and records call things: kinds of taps, and the programs behind addresses.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use analyzer::fact::Protocol;
use dashmap::DashMap;
use metrics::{JoinResult, Metrics, Names, TracedCall};
use store::{Peer, Trace};
use wire::{Endpoint, SockIo, TapId, TapKind};

use crate::taps::Taps;

/// Answers from the registry of taps and from what system calls told about endpoints.
#[derive(Debug)]
pub(crate) struct Known {
    taps: Arc<Taps>,
    workloads: DashMap<Endpoint, Arc<str>>,
    /// Endpoints in the order in which they became known; the oldest goes when there are too many.
    order: Mutex<VecDeque<Endpoint>>,
}

impl Known {
    /// Endpoints remembered.
    const LIMIT: usize = 65_536;

    pub(crate) fn new(taps: Arc<Taps>) -> Self {
        Self { taps, workloads: DashMap::new(), order: Mutex::default() }
    }

    /// Learns which program has the local end of a socket. A later program takes the endpoint over.
    pub(crate) fn learn(&self, record: &SockIo) {
        let command = record.process.command();
        if self.workloads.get(&record.local).is_some_and(|known| **known == *command) {
            return;
        }
        if self.workloads.insert(record.local, command.into()).is_some() {
            return;
        }
        let mut order = self.order.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        order.push_back(record.local);
        if order.len() > Self::LIMIT
            && let Some(oldest) = order.pop_front()
        {
            self.workloads.remove(&oldest);
        }
    }
}

impl Names for Known {
    fn tap_kind(&self, tap: TapId) -> TapKind {
        self.taps.kind(tap)
    }

    fn workload(&self, endpoint: Endpoint) -> Option<Arc<str>> {
        self.workloads.get(&endpoint).map(|name| name.value().clone())
    }
}

/// Tells the metrics what the store joined since `before`.
pub(crate) fn tell_joins(metrics: &Metrics, now: &store::Counters, before: &store::Counters) {
    metrics.joined(JoinResult::Joined, now.joined.saturating_sub(before.joined));
    metrics.joined(JoinResult::Unmatched, now.unmatched.saturating_sub(before.unmatched));
    metrics.joined(JoinResult::Ambiguous, now.ambiguous.saturating_sub(before.ambiguous));
}

/// Makes the calls of a finished trace the examples of their buckets in the histogram of request durations.
pub(crate) fn tell_examples(metrics: &Metrics, trace: &Trace) {
    let id = trace.trace_id.to_string();
    trace.visit(|call| {
        let protocol = Protocol::ALL.into_iter().find(|protocol| protocol.as_str() == call.protocol);
        let Some(protocol) = protocol else { return };
        for hop in &call.hops {
            let kind = TapKind::ALL.into_iter().find(|kind| kind.as_str() == hop.kind);
            let (Some(kind), Some(request), Some(response)) = (kind, hop.request, hop.response) else {
                continue;
            };
            metrics.traced(&TracedCall {
                trace_id: &id,
                tap_kind: kind,
                protocol: protocol.as_str(),
                client: workload(&call.client),
                server: workload(&call.server),
                operation: &call.operation,
                duration_ns: response.last_ns.saturating_sub(request.first_ns),
                end_unix_ns: response.last_ns,
            });
        }
    });
}

fn workload(peer: &Peer) -> Option<&str> {
    peer.process.as_ref().map(|process| process.command.as_str())
}
