//! What is to be done with open calls at which time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use wire::Timestamp;

use crate::call_id::CallId;

/// What is to be done with a call at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// Find its processes: other taps and kernel records have had time to come.
    Settle,
    /// See whether its cause has become known, or is to be given up.
    Recheck,
    /// See whether its tree is complete.
    Complete,
}

/// Tasks in the order of their times.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    tasks: BinaryHeap<Reverse<(Timestamp, CallId, Task)>>,
}

impl Schedule {
    pub(crate) fn insert(&mut self, at: Timestamp, id: CallId, task: Task) {
        self.tasks.push(Reverse((at, id, task)));
    }

    /// Removes the next task that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<(CallId, Task)> {
        let &Reverse((at, id, task)) = self.tasks.peek()?;
        if at > now {
            return None;
        }
        self.tasks.pop();
        Some((id, task))
    }

    /// Removes tasks of calls that are not open any more once there are more than `most`: calls
    /// that were finished early leave theirs behind.
    pub(crate) fn limit(&mut self, most: usize, is_open: impl Fn(CallId) -> bool) {
        if self.tasks.len() > most {
            self.tasks.retain(|Reverse((_, id, _))| is_open(*id));
        }
    }

    /// Removes everything; returns the calls that had a task, in the order in which they came.
    pub(crate) fn take_calls(&mut self) -> Vec<CallId> {
        let mut ids: Vec<CallId> = self.tasks.drain().map(|Reverse((_, id, _))| id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    pub(crate) fn clear(&mut self) {
        self.tasks.clear();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.tasks.capacity() * 24
    }
}
