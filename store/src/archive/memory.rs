//! Finished traces in memory.

use std::collections::VecDeque;
use std::time::Duration;

use super::query::{Query, services};
use crate::model::Trace;

/// The latest traces, in memory.
#[derive(Debug)]
pub(super) struct Memory {
    traces: VecDeque<(Trace, String)>,
    most: usize,
}

impl Memory {
    pub(super) fn new(most: usize) -> Self {
        Self { traces: VecDeque::new(), most }
    }

    /// Keeps traces; returns how many older ones went.
    pub(super) fn keep(&mut self, traces: &[Trace], now_ns: u64, max_age: Duration) -> u64 {
        let skipped = traces.len().saturating_sub(self.most);
        for trace in traces.iter().skip(skipped) {
            self.traces.push_back((trace.clone(), services(trace)));
        }
        let oldest = now_ns.saturating_sub(u64::try_from(max_age.as_nanos()).unwrap_or(u64::MAX));
        let mut pruned = skipped as u64;
        while self.traces.len() > self.most
            || self.traces.front().is_some_and(|(trace, _)| trace.root.end_unix_ns < oldest)
        {
            self.traces.pop_front();
            pruned += 1;
        }
        pruned
    }

    pub(super) fn find(&self, query: &Query) -> Vec<Trace> {
        let service = query.service();
        let mut found: Vec<&Trace> = self
            .traces
            .iter()
            .filter(|(trace, services)| {
                service.as_ref().is_none_or(|text| services.contains(text.as_str()))
                    && trace.root.duration_ns() >= query.min_duration_ns()
                    && query.error.is_none_or(|error| error == trace.is_error())
            })
            .map(|(trace, _)| trace)
            .collect();
        found.sort_by_key(|trace| std::cmp::Reverse(trace.root.start_unix_ns));
        found.into_iter().take(query.limit).cloned().collect()
    }

    pub(super) fn with_prefix(&self, prefix: &str, limit: usize) -> Vec<Trace> {
        let fits =
            self.traces.iter().rev().filter(|(trace, _)| trace.trace_id.to_string().starts_with(prefix));
        fits.take(limit).map(|(trace, _)| trace.clone()).collect()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.traces
            .iter()
            .map(|(trace, services)| 2_000 * trace.root.children.len() as u64 + 2_000 + services.len() as u64)
            .sum()
    }
}
