//! The queue of steps that the server has to complete, and where exchanges and batches end in it.

use std::collections::VecDeque;

/// A step that the server has to complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerStep {
    /// Until `ReadyForQuery`.
    Login,
    /// Until `ReadyForQuery`.
    Query,
    /// Until `ReadyForQuery`.
    Function,
    /// Replication: nothing of it is a response, until `ReadyForQuery`.
    Stream,
    Parse,
    Bind,
    Describe,
    Execute,
    Close,
    /// End of an exchange; no message of its own.
    UnitEnd,
    Sync,
}

impl ServerStep {
    /// Whether `ReadyForQuery` completes it.
    pub(super) fn ends_group(self) -> bool {
        matches!(self, Self::Login | Self::Query | Self::Function | Self::Stream | Self::Sync)
    }
}

/// Most steps that are kept, a byte each.
const MOST: usize = 64 * 1024;

/// The steps that the server has to complete, in order.
#[derive(Debug, Default)]
pub(super) struct ServerSteps(VecDeque<ServerStep>);

impl ServerSteps {
    /// Adds a step. Returns false if there were too many; then all of them are removed.
    pub(super) fn push(&mut self, step: ServerStep) -> bool {
        let room = self.0.len() < MOST;
        if !room {
            self.0.clear();
        }
        self.0.push_back(step);
        room
    }

    pub(super) fn front(&self) -> Option<ServerStep> {
        self.0.front().copied()
    }

    pub(super) fn pop(&mut self) -> Option<ServerStep> {
        self.0.pop_front()
    }

    /// Replaces the first step.
    pub(super) fn replace(&mut self, step: ServerStep) {
        if let Some(first) = self.0.front_mut() {
            *first = step;
        }
    }

    /// Removes the end of the first group if it is a `Sync`: the server skips it.
    pub(super) fn drop_sync(&mut self) {
        let end = self.0.iter().position(|step| step.ends_group());
        if let Some(at) = end.filter(|at| self.0.get(*at) == Some(&ServerStep::Sync)) {
            self.0.remove(at);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn has_unit_end(&self) -> bool {
        self.0.iter().take_while(|step| !step.ends_group()).any(|step| *step == ServerStep::UnitEnd)
    }

    /// Number of steps in front of the first for which `wanted` holds. None of them is completed by
    /// `ReadyForQuery`. None if there is no such step.
    pub(super) fn before(&self, wanted: impl Fn(ServerStep) -> bool) -> Option<usize> {
        for (at, step) in self.0.iter().enumerate() {
            if wanted(*step) {
                return Some(at);
            }
            if step.ends_group() {
                return None;
            }
        }
        None
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.capacity()
    }
}
