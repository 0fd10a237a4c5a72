//! Trees of open calls: how one is hung under another, and which calls a tree has.

use wire::{Timestamp, invariant};

use crate::call_id::CallId;
use crate::calls::{Calls, State};
use crate::config::StoreConfig;
use crate::model::Cause;

/// A parent found for a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) child: CallId,
    pub(crate) parent: CallId,
    pub(crate) cause: Cause,
    pub(crate) guess: bool,
}

/// Why a call is not hung under its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unlinked {
    /// The parent is in the tree of the call.
    Circle,
    /// The tree would be larger or deeper than allowed.
    TooLarge,
}

/// Hangs a call, with the tree below it, under its parent.
pub(crate) fn attach(
    calls: &mut Calls,
    link: Link,
    config: &StoreConfig,
    now: Timestamp,
) -> Result<(), Unlinked> {
    let Link { child, parent, cause, guess } = link;
    let root = calls.root_of(parent);
    if root == child {
        return Err(Unlinked::Circle);
    }
    let above = 1 + above(calls, parent);
    let Some((size, depth)) = calls.get(child).map(|call| (call.size, call.depth)) else {
        invariant!("a call that gets a parent is open");
        return Err(Unlinked::Circle);
    };
    let Some(top) = calls.get_mut(root) else {
        invariant!("the root of an open call is open");
        return Err(Unlinked::Circle);
    };
    if top.size + size > config.max_calls_per_trace || above + depth > config.max_depth {
        return Err(Unlinked::TooLarge);
    }
    top.size += size;
    top.added = now;
    let (mut height, mut next) = (depth, Some(parent));
    while let Some(call) = next.and_then(|id| calls.get_mut(id)) {
        height += 1;
        call.depth = call.depth.max(height);
        next = call.parent;
    }
    if let Some(call) = calls.get_mut(parent) {
        call.children.push(child);
    }
    if let Some(call) = calls.get_mut(child) {
        call.state = State::Decided;
        call.parent = Some(parent);
        call.cause = cause;
        call.guess = guess;
    }
    Ok(())
}

/// Calls above `id` in its tree.
fn above(calls: &Calls, mut id: CallId) -> usize {
    let mut above = 0;
    while let Some(parent) = calls.get(id).and_then(|call| call.parent) {
        above += 1;
        id = parent;
    }
    above
}

/// The calls of a tree, each parent before its children.
pub(crate) fn calls_of(calls: &Calls, root: CallId) -> Vec<CallId> {
    let mut order = vec![root];
    let mut next = 0;
    while let Some(&id) = order.get(next) {
        next += 1;
        match calls.get(id) {
            Some(call) => order.extend_from_slice(&call.children),
            None => _ = invariant!("the calls of an open tree are open"),
        }
    }
    order
}
