//! Causality by threads: which received message a sent message follows.

use std::collections::VecDeque;

use wire::{SeqRange, Timestamp};

use crate::call_id::CallId;
use crate::calls::{Calls, OpenCall, State};
use crate::hash::Map;
use crate::kernel::Received;

/// Messages of known calls on each socket, so that a received range leads to its call.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    by_cookie: Map<u64, VecDeque<Entry>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    id: CallId,
    /// What this socket received: the request on a server's, the response on a client's.
    received: SeqRange,
    server: bool,
}

/// Calls of one socket that are remembered after their trace was finished.
const REMEMBERED: usize = 8;
/// Calls of one socket that are remembered at all.
const PER_SOCKET: usize = 4096;

impl Messages {
    pub(crate) fn add(
        &mut self,
        cookie: u64,
        id: CallId,
        received: SeqRange,
        server: bool,
        calls: &Calls,
    ) {
        let list = self.by_cookie.entry(cookie).or_default();
        list.push_back(Entry { id, received, server });
        while list.len() > PER_SOCKET
            || (list.len() > REMEMBERED && list.front().is_some_and(|e| calls.get(e.id).is_none()))
        {
            list.pop_front();
        }
    }

    pub(crate) fn forget(&mut self, cookie: u64) {
        self.by_cookie.remove(&cookie);
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(u64) -> bool) {
        self.by_cookie.retain(|cookie, _| keep(*cookie));
    }

    fn overlapping(&self, received: Received) -> impl Iterator<Item = Entry> + '_ {
        let list = self.by_cookie.get(&received.cookie).into_iter().flatten();
        list.copied().filter(move |e| e.received.overlaps(received.seq))
    }

    pub(crate) fn len(&self) -> usize {
        self.by_cookie.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.by_cookie.capacity() * (48 + REMEMBERED * size_of::<Entry>())
    }
}

/// Where a received message leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lead {
    /// To nothing: the call is a root.
    Nowhere,
    /// To a call whose trace was finished.
    Finished,
    /// To this parent; a guess if the message could have been part of another call as well.
    Parent { id: CallId, guess: bool },
    /// To a call that is not known yet, on this socket.
    Unknown(u64),
    /// To the parent of a call that is not decided yet.
    Undecided(CallId),
}

/// Follows what a thread had received last to the parent of the call that it then began at `at`.
pub(crate) fn follow(
    messages: &Messages,
    calls: &Calls,
    of: CallId,
    received: Received,
    at: Timestamp,
) -> Lead {
    let mut open: Option<(CallId, &OpenCall)> = None;
    let (mut candidates, mut finished, mut reached) = (0, false, false);
    let last = SeqRange::new(received.seq.end.plus(u32::MAX), 1);
    for entry in messages.overlapping(received).filter(|e| e.id != of) {
        reached |= entry.received.overlaps(last);
        let Some(call) = calls.get(entry.id) else {
            finished = true;
            continue;
        };
        if entry.server {
            if call.is_open_at(at) {
                candidates += 1;
                if open.is_none_or(|(_, known)| call.start < known.start) {
                    open = Some((entry.id, call));
                }
            }
            continue;
        }
        match (call.state, call.parent) {
            (State::Decided, Some(parent)) => {
                let parent_open = calls.get(parent).is_some_and(|p| p.is_open_at(at));
                return if parent_open {
                    Lead::Parent { id: parent, guess: call.guess }
                } else {
                    Lead::Nowhere
                };
            }
            (State::Decided, None) => return Lead::Nowhere,
            _ => return Lead::Undecided(entry.id),
        }
    }
    match open {
        Some((id, _)) => Lead::Parent { id, guess: candidates > 1 },
        // A receive that ended in a message which no known call has.
        None if !reached => Lead::Unknown(received.cookie),
        None if finished => Lead::Finished,
        None => Lead::Nowhere,
    }
}

/// Whether `parent` may have caused `child` as far as time and place show; headers alone are not
/// enough.
pub(crate) fn may_contain(parent: &OpenCall, child: &OpenCall) -> bool {
    /// Packet times of two taps may differ by this much.
    const SKEW_NS: u64 = 50_000;
    if child.start.as_nanos().saturating_add(SKEW_NS) < parent.start.as_nanos()
        || parent.end.as_nanos().saturating_add(SKEW_NS) < child.end.as_nanos()
    {
        return false;
    }
    if let (Some(server), Some(client)) = (&parent.server, &child.client) {
        return server.process.pid == client.process.pid;
    }
    parent
        .observations
        .iter()
        .any(|p| child.observations.iter().any(|c| c.client.address == p.server.address))
}
