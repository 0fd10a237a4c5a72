//! Calls that wait until something becomes known.

use crate::call_id::{CallId, Wait};
use crate::hash::Map;

/// Calls by what they wait for.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    calls: Map<Wait, Vec<CallId>>,
}

impl Waiting {
    pub(crate) fn insert(&mut self, wait: Wait, id: CallId) {
        self.calls.entry(wait).or_default().push(id);
    }

    pub(crate) fn remove(&mut self, wait: Wait, id: CallId) {
        if let Some(calls) = self.calls.get_mut(&wait) {
            calls.retain(|other| *other != id);
            if calls.is_empty() {
                self.calls.remove(&wait);
            }
        }
    }

    /// Removes and returns all that wait for `wait`.
    pub(crate) fn take(&mut self, wait: Wait) -> Vec<CallId> {
        self.calls.remove(&wait).unwrap_or_default()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.calls.capacity() * 72
    }
}
