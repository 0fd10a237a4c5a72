//! What the server has still to answer.

use std::collections::VecDeque;

/// What the server still has to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Until `ReadyForQuery`.
    Login,
    /// Until `ReadyForQuery`.
    Query,
    /// Until `ReadyForQuery`.
    Function,
    /// Replication: nothing of it is an answer, until `ReadyForQuery`.
    Stream,
    Parse,
    Bind,
    Describe,
    Execute,
    Close,
    /// What belonged to one exchange ends here.
    UnitEnd,
    Sync,
}

impl Step {
    /// `ReadyForQuery` answers it.
    pub(super) fn ends_group(self) -> bool {
        matches!(self, Self::Login | Self::Query | Self::Function | Self::Stream | Self::Sync)
    }
}

/// Most steps that are kept, a byte each.
const MOST: usize = 64 * 1024;

/// What the server still has to answer, in the order in which it will.
#[derive(Debug, Default)]
pub(super) struct Steps(VecDeque<Step>);

impl Steps {
    /// Adds a step. False if there were too many; then all are forgotten.
    pub(super) fn push(&mut self, step: Step) -> bool {
        let room = self.0.len() < MOST;
        if !room {
            self.0.clear();
        }
        self.0.push_back(step);
        room
    }

    pub(super) fn front(&self) -> Option<Step> {
        self.0.front().copied()
    }

    pub(super) fn pop(&mut self) -> Option<Step> {
        self.0.pop_front()
    }

    /// Puts another step in the place of the first.
    pub(super) fn replace(&mut self, step: Step) {
        if let Some(first) = self.0.front_mut() {
            *first = step;
        }
    }

    /// Takes out what ends the first group, if it is a `Sync`: the server passes over it.
    pub(super) fn drop_sync(&mut self) {
        let end = self.0.iter().position(|step| step.ends_group());
        if let Some(at) = end.filter(|at| self.0.get(*at) == Some(&Step::Sync)) {
            self.0.remove(at);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn has_unit_end(&self) -> bool {
        self.0.iter().take_while(|step| !step.ends_group()).any(|step| *step == Step::UnitEnd)
    }

    /// Steps in front of the first for which `wanted` holds, none of which is answered by
    /// `ReadyForQuery`; none if there is no such step.
    pub(super) fn before(&self, wanted: impl Fn(Step) -> bool) -> Option<usize> {
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
