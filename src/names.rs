//! What labels and records call things: kinds of taps, and the programs behind addresses.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use dashmap::DashMap;
use metrics::{JoinResult, Metrics, Names};
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
        if order.len() > Self::LIMIT && let Some(oldest) = order.pop_front() {
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
