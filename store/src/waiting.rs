//! Calls that wait until the calls on a socket become known.

use crate::call_id::CallId;
use crate::hash::Map;

/// Calls by the cookie of the socket that their parent is expected on.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    calls: Map<u64, Vec<CallId>>,
}

impl Waiting {
    pub(crate) fn insert(&mut self, cookie: u64, id: CallId) {
        self.calls.entry(cookie).or_default().push(id);
    }

    pub(crate) fn remove(&mut self, cookie: u64, id: CallId) {
        if let Some(calls) = self.calls.get_mut(&cookie) {
            calls.retain(|other| *other != id);
            if calls.is_empty() {
                self.calls.remove(&cookie);
            }
        }
    }

    /// Removes and returns all that wait for `cookie`.
    pub(crate) fn take(&mut self, cookie: u64) -> Vec<CallId> {
        self.calls.remove(&cookie).unwrap_or_default()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.calls.capacity() * 64
    }
}
