//! Which call the request of a course is of, and which call may be part of another.

use std::collections::VecDeque;

use wire::{SeqRange, Timestamp};

use crate::call_id::CallId;
use crate::calls::{Calls, OpenCall};
use crate::hash::Map;
use crate::kernel::Request;

/// Requests of known calls on each server's socket.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    by_cookie: Map<u64, VecDeque<Entry>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    id: CallId,
    request: SeqRange,
}

/// Calls of one socket that are remembered after their trace was finished.
const REMEMBERED: usize = 8;
/// Calls of one socket that are remembered at all.
const PER_SOCKET: usize = 4096;

impl Requests {
    pub(crate) fn add(&mut self, cookie: u64, id: CallId, request: SeqRange, calls: &Calls) {
        let list = self.by_cookie.entry(cookie).or_default();
        list.push_back(Entry { id, request });
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

    pub(crate) fn len(&self) -> usize {
        self.by_cookie.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.by_cookie.capacity() * (48 + REMEMBERED * size_of::<Entry>())
    }

    /// The call that `request` is of, and whose response was not complete at `sent`.
    pub(crate) fn call(&self, calls: &Calls, request: Request, sent: Timestamp) -> Lead {
        let list = self.by_cookie.get(&request.cookie).into_iter().flatten();
        let (mut open, mut several, mut finished, mut known) = (None, false, false, false);
        for entry in list.filter(|entry| entry.request.overlaps(request.seq)) {
            known = true;
            match calls.get(entry.id) {
                Some(call) if call.is_open_at(sent) => several |= open.replace(entry.id).is_some(),
                Some(_) => {}
                None => finished = true,
            }
        }
        match open {
            Some(_) if several => Lead::Nowhere,
            Some(id) => Lead::Parent { id, guess: false },
            None if finished => Lead::Finished,
            None if known => Lead::Nowhere,
            None => Lead::Unknown(request.cookie),
        }
    }
}

/// Where the search for the parent of a call leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lead {
    /// To nothing that is sure: the call is a root.
    Nowhere,
    /// To a call whose trace was finished.
    Finished,
    /// To this parent; a guess if it is only the likeliest of several.
    Parent { id: CallId, guess: bool },
    /// To a call that is not known yet, on this socket.
    Unknown(u64),
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
