//! Joins exchanges and records of system calls into calls and traces.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use fact::Exchange;
use wire::{SockIo, Tap, Timestamp};

use crate::assemble::{self, Names};
use crate::call_id::{CallId, Wait};
use crate::calls::{Calls, OpenCall, State};
use crate::cause::{Lead, Messages, follow, may_contain};
use crate::config::StoreConfig;
use crate::counters::Counters;
use crate::hash::Map;
use crate::headers::{ByHeader, TraceHeaders};
use crate::kernel::Kernel;
use crate::model::{Cause, Trace};
use crate::observe::{Observed, Windows};
use crate::sides;

/// What is to be done with a call at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Other taps and kernel records have had time to come: find its processes.
    Settle,
    /// See whether its cause has become known, or is to be given up.
    Recheck,
    /// Its tree may be complete.
    Quiet,
}

/// From exchanges and kernel records to traces.
#[derive(Debug)]
pub(crate) struct Joiner {
    config: StoreConfig,
    now: Timestamp,
    kernel: Kernel,
    observed: Observed,
    calls: Calls,
    messages: Messages,
    by_header: ByHeader,
    waiting: Map<Wait, Vec<CallId>>,
    due: BinaryHeap<Reverse<(Timestamp, CallId, Step)>>,
    names: Names,
    finished: VecDeque<Arc<Trace>>,
    pub(crate) counters: Counters,
}

impl Joiner {
    pub(crate) fn new(mut config: StoreConfig) -> Self {
        // JSON readers stop at 128 levels, and a call is two.
        config.max_depth = config.max_depth.clamp(1, 48);
        config.max_calls = config.max_calls.max(1);
        config.max_records_per_socket = config.max_records_per_socket.max(2);
        let names = Names::new(&config.node, config.max_cgroups);
        Self {
            config,
            now: Timestamp::ZERO,
            kernel: Kernel::default(),
            observed: Observed::default(),
            calls: Calls::default(),
            messages: Messages::default(),
            by_header: ByHeader::default(),
            waiting: Map::default(),
            due: BinaryHeap::new(),
            names,
            finished: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    pub(crate) fn add_tap(&mut self, tap: Tap) {
        self.names.add_tap(tap);
    }

    pub(crate) fn add_cgroup(&mut self, id: u64, name: String) {
        self.names.add_cgroup(id, name);
    }

    pub(crate) fn add_sock_io(&mut self, io: &SockIo) {
        self.kernel.add(*io, &self.config, &mut self.counters);
    }

    pub(crate) fn add_exchange(&mut self, exchange: Box<Exchange>) {
        self.counters.exchanges += 1;
        if self.now == Timestamp::ZERO {
            self.now = exchange.end();
        }
        let headers = if self.config.use_headers {
            TraceHeaders::of(&exchange.attributes)
        } else {
            TraceHeaders::default()
        };
        let windows = Windows { stream: self.config.merge_window, datagram: self.config.datagram_window };
        if let Some(id) = self.observed.find(&exchange, windows) {
            let Some(call) = self.calls.get_mut(id) else {
                self.counters.late_observations += 1;
                return;
            };
            if call.observations.len() >= MOST_TAPS {
                self.counters.late_observations += 1;
                return;
            }
            // Another observation may overlap this one only.
            let known = call.observations.iter().any(|o| {
                (o.client, o.server) == (exchange.client, exchange.server)
                    && o.request.is_some() >= exchange.request.is_some()
                    && o.response.is_some() >= exchange.response.is_some()
            });
            if !known {
                self.observed.note(id, &exchange, self.now);
            }
            self.by_header.remove(id, &call.headers);
            call.observe(*exchange, headers);
            self.by_header.add(id, &call.headers);
            return;
        }
        let end = exchange.end();
        let id = self.calls.next_id();
        self.observed.note(id, &exchange, self.now);
        self.calls.insert(OpenCall::new(*exchange, headers));
        self.by_header.add(id, &headers);
        let end = end.clamp(self.now, self.now + self.config.max_wait);
        self.due.push(Reverse((end + self.config.settle * 2, id, Step::Settle)));
        self.make_room();
        self.observed.expire(Timestamp::ZERO, self.config.max_calls.saturating_mul(2));
        // Calls that had to go early have left their dates behind.
        if self.due.len() > self.config.max_calls.saturating_mul(4).max(1024) {
            let calls = &self.calls;
            self.due.retain(|Reverse((_, id, _))| calls.get(*id).is_some());
        }
    }

    /// Finishes the trees of the oldest calls while there are too many.
    fn make_room(&mut self) {
        while self.calls.len() > self.config.max_calls {
            let Some(oldest) = self.calls.oldest() else { break };
            self.settle(oldest);
            let root = self.calls.root_of(oldest);
            self.force_root(root);
            let before = self.calls.len();
            self.finish_tree(self.calls.root_of(oldest));
            self.counters.evictions.calls += (before - self.calls.len()) as u64;
        }
    }

    /// Does all that is due at `now`; returns the traces that are complete.
    pub(crate) fn tick(&mut self, now: Timestamp) -> Vec<Arc<Trace>> {
        self.now = self.now.max(now);
        self.settle_kernel(before(self.now, self.config.settle));
        let kept = self.config.merge_window.max(self.config.settle * 4) + self.config.quiet * 2;
        self.observed.expire(before(self.now, kept), self.config.max_calls.saturating_mul(2));
        while let Some(&Reverse((at, id, step))) = self.due.peek() {
            if at > self.now {
                break;
            }
            self.due.pop();
            match step {
                Step::Settle => self.settle(id),
                Step::Recheck => self.recheck(id),
                Step::Quiet => self.quiet(id),
            }
        }
        std::mem::take(&mut self.finished).into()
    }

    /// Completes everything with what is there.
    pub(crate) fn finish(&mut self) -> Vec<Arc<Trace>> {
        // Nothing is forgotten yet: what waits is decided first.
        self.kernel.place_all(&self.config, &mut self.counters);
        let mut ids: Vec<CallId> = Vec::new();
        while let Some(Reverse((_, id, _))) = self.due.pop() {
            ids.push(id);
        }
        ids.sort_unstable();
        ids.dedup();
        ids.iter().for_each(|id| self.settle(*id));
        ids.iter().for_each(|id| self.decide(*id));
        for id in &ids {
            if let Some(call) = self.calls.get_mut(*id) {
                call.impatient = true;
            }
            self.decide(*id);
        }
        ids.iter().for_each(|id| self.force_root(*id));
        for id in ids {
            if self.calls.get(id).is_some_and(|call| call.parent.is_none()) {
                self.finish_tree(id);
            }
        }
        self.due.clear();
        self.kernel = Kernel::default();
        self.observed = Observed::default();
        self.messages = Messages::default();
        self.now = Timestamp::ZERO;
        std::mem::take(&mut self.finished).into()
    }

    fn settle_kernel(&mut self, until: Timestamp) {
        for cookie in self.kernel.settle(until, &self.config, &mut self.counters) {
            self.messages.forget(cookie);
        }
        if self.messages.len() > self.config.max_sockets.saturating_mul(2) {
            let kernel = &self.kernel;
            self.messages.retain(|cookie| kernel.socket(cookie).is_some());
        }
    }

    /// Finds the processes of a call.
    fn settle(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.state == State::Observed) else { return };
        call.state = State::Waiting;
        call.client = sides::client(call, &self.kernel);
        call.server = sides::server(call, &self.kernel);
        if call.client.is_some() || call.server.is_some() {
            self.counters.joined += 1;
        } else {
            self.counters.unmatched += 1;
        }
        let (request, response) = (call.request(), call.response());
        let client = call.client.as_ref().map(|side| side.cookie);
        let server = call.server.as_ref().map(|side| side.cookie);
        let headers = call.headers;
        for (cookie, sent, received, is_server) in
            [(server, response, request, true), (client, request, response, false)]
        {
            let Some(cookie) = cookie else { continue };
            self.kernel.consumed(cookie, sent, received);
            if let Some(received) = received {
                self.messages.add(cookie, id, received, is_server, &self.calls);
            }
        }
        self.decide(id);
        for cookie in [server, client].into_iter().flatten() {
            for waiting in self.waiting.remove(&Wait::Socket(cookie)).unwrap_or_default() {
                self.decide(waiting);
            }
        }
        // Roots that carry the same id and came earlier may be this call's.
        for other in self.by_header.with(&headers) {
            let is_root = |c: &OpenCall| c.state == State::Decided && c.parent.is_none();
            if other != id
                && self.calls.get(other).is_some_and(is_root)
                && let Some((parent, guess)) = self.header_parent(other)
            {
                self.attach(other, parent, Cause::Header, guess);
            }
        }
    }

    /// Decides on a call, and then on those that waited for that.
    fn decide(&mut self, id: CallId) {
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            if !self.calls.get(id).is_some_and(|call| call.state == State::Waiting) {
                continue;
            }
            match self.lead(id) {
                (Lead::Parent { id: parent, guess }, cause) => {
                    self.counters.ambiguous += u64::from(guess);
                    if !self.attach(id, parent, cause, guess) {
                        self.make_root(id);
                    }
                }
                (Lead::Nowhere, _) => self.make_root(id),
                (Lead::Finished, _) => {
                    self.counters.late_children += 1;
                    self.make_root(id);
                }
                (Lead::Unknown(cookie), _) => self.wait(id, Wait::Socket(cookie)),
                (Lead::Undecided(call), _) => self.wait(id, Wait::Call(call)),
            }
            if self.calls.get(id).is_some_and(|call| call.state == State::Decided) {
                todo.extend(self.waiting.remove(&Wait::Call(id)).unwrap_or_default());
            }
        }
    }

    fn wait(&mut self, id: CallId, wait: Wait) {
        self.wait_no_more(id);
        let Some(call) = self.calls.get_mut(id) else { return };
        call.wait = Some(wait);
        self.waiting.entry(wait).or_default().push(id);
        if !call.queued {
            call.queued = true;
            let delay = if call.impatient { self.config.quiet } else { self.config.settle * 2 };
            self.due.push(Reverse((self.now + delay, id, Step::Recheck)));
        }
    }

    fn wait_no_more(&mut self, id: CallId) {
        if let Some(wait) = self.calls.get_mut(id).and_then(|call| call.wait.take())
            && let Some(list) = self.waiting.get_mut(&wait)
        {
            list.retain(|other| *other != id);
            if list.is_empty() {
                self.waiting.remove(&wait);
            }
        }
    }

    /// Where the thread's history and the headers lead.
    fn lead(&self, id: CallId) -> (Lead, Cause) {
        let Some(call) = self.calls.get(id) else { return (Lead::Nowhere, Cause::None) };
        let mut lead = Lead::Nowhere;
        for begin in call.client.iter().flat_map(|side| side.begins).flatten() {
            let Some(cause) = begin.cause else { continue };
            let mut step = follow(&self.messages, &self.calls, id, cause, begin.at);
            if matches!(step, Lead::Unknown(_)) && call.impatient && cause.client {
                // A response in a protocol that is not understood: go by what led to its request.
                step = cause.origin.map_or(Lead::Nowhere, |origin| {
                    follow(&self.messages, &self.calls, id, origin.into(), begin.at)
                });
            }
            match step {
                Lead::Nowhere => {}
                Lead::Parent { id: parent, guess } => {
                    if self.calls.get(parent).is_some_and(|p| p.is_open_at(begin.sent)) {
                        lead = Lead::Parent { id: parent, guess: guess || begin.guess };
                        break;
                    }
                }
                other => {
                    lead = other;
                    break;
                }
            }
        }
        match (lead, self.header_parent(id)) {
            (Lead::Parent { id: parent, .. }, Some((other, _))) if parent != other => {
                let related = self.by_header.with(&call.headers).contains(&parent);
                if related {
                    (lead, Cause::Thread)
                } else {
                    (Lead::Parent { id: other, guess: false }, Cause::Header)
                }
            }
            (Lead::Parent { .. }, _) => (lead, Cause::Thread),
            (_, Some((id, guess))) => (Lead::Parent { id, guess }, Cause::Header),
            (_, None) => (lead, Cause::None),
        }
    }

    /// The innermost settled call with the same trace header that may have caused `id`, and whether
    /// there are several.
    fn header_parent(&self, id: CallId) -> Option<(CallId, bool)> {
        let child = self.calls.get(id)?;
        let mut best: Option<(CallId, &OpenCall)> = None;
        let mut several = false;
        for other in self.by_header.with(&child.headers) {
            let Some(call) = self.calls.get(other) else { continue };
            if other == id || call.state == State::Observed || !may_contain(call, child) {
                continue;
            }
            several |= best.is_some();
            if best.is_none_or(|(_, known)| call.start > known.start) {
                best = Some((other, call));
            }
        }
        best.map(|(id, _)| (id, several))
    }

    fn recheck(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.state == State::Waiting) else { return };
        call.queued = false;
        call.impatient = true;
        let too_long = self.now > call.end + self.config.max_wait;
        let give_up = too_long || self.is_hopeless(id);
        if give_up { self.force_root(id) } else { self.decide(id) }
    }

    /// Whether the socket that the parent is waited for on is gone, and the parent would have been
    /// seen by now.
    fn is_hopeless(&self, id: CallId) -> bool {
        let (Lead::Unknown(cookie), _) = self.lead(id) else { return false };
        let Some(socket) = self.kernel.socket(cookie) else { return true };
        let patience = self.config.quiet.max(self.config.settle * 4);
        socket.closed.is_some_and(|closed| self.now > closed + patience)
    }

    /// Makes a call that waits a root.
    fn force_root(&mut self, id: CallId) {
        self.settle(id);
        if self.calls.get(id).is_some_and(|call| call.state == State::Waiting) {
            self.counters.orphans += 1;
            self.make_root(id);
            for waiting in self.waiting.remove(&Wait::Call(id)).unwrap_or_default() {
                self.decide(waiting);
            }
        }
    }

    fn make_root(&mut self, id: CallId) {
        self.wait_no_more(id);
        let now = self.now;
        let Some(call) = self.calls.get_mut(id) else { return };
        call.state = State::Decided;
        call.cause = Cause::None;
        call.added = now.max(call.added);
        let due = call.added + self.config.quiet;
        self.due.push(Reverse((due, id, Step::Quiet)));
    }

    /// Hangs `child` under `parent`; refuses what would be a circle, or too large a tree.
    fn attach(&mut self, child: CallId, parent: CallId, cause: Cause, guess: bool) -> bool {
        let root = self.calls.root_of(parent);
        let Some((size, depth)) = self.calls.get(child).map(|call| (call.size, call.depth)) else {
            return false;
        };
        if root == child {
            return false;
        }
        let mut above = 1;
        let mut at = parent;
        while let Some(next) = self.calls.get(at).and_then(|call| call.parent) {
            above += 1;
            at = next;
        }
        let Some(top) = self.calls.get_mut(root) else { return false };
        if top.size + size > self.config.max_calls_per_trace || above + depth > self.config.max_depth {
            self.counters.evictions.trace_size += 1;
            return false;
        }
        top.size += size;
        top.added = self.now;
        self.wait_no_more(child);
        let mut height = depth;
        let mut above = Some(parent);
        while let Some(call) = above.and_then(|id| self.calls.get_mut(id)) {
            height += 1;
            call.depth = call.depth.max(height);
            above = call.parent;
        }
        if let Some(call) = self.calls.get_mut(parent) {
            call.children.push(child);
        }
        if let Some(call) = self.calls.get_mut(child) {
            call.state = State::Decided;
            call.parent = Some(parent);
            call.cause = cause;
            call.guess = guess;
        }
        true
    }

    fn quiet(&mut self, id: CallId) {
        let Some(call) = self.calls.get(id).filter(|c| c.state == State::Decided && c.parent.is_none())
        else {
            return;
        };
        let due = call.added + self.config.quiet;
        if due > self.now {
            self.due.push(Reverse((due, id, Step::Quiet)));
        } else {
            self.finish_tree(id);
        }
    }

    fn finish_tree(&mut self, root: CallId) {
        let mut order = vec![root];
        let mut next = 0;
        while let Some(&id) = order.get(next) {
            next += 1;
            if let Some(call) = self.calls.get(id) {
                order.extend_from_slice(&call.children);
            }
        }
        // Children come after their parents, so going back each finds its own built.
        let mut built: Map<CallId, crate::model::Call> = Map::default();
        let mut w3c = None;
        for &id in order.iter().rev() {
            let Some(mut call) = self.calls.remove(id) else { continue };
            self.by_header.remove(id, &call.headers);
            sides::complete(&mut call, &self.kernel);
            w3c = call.headers.w3c;
            let children = call.children.iter().filter_map(|child| built.remove(child)).collect();
            built.extend(assemble::call(call, children, &self.names).map(|call| (id, call)));
        }
        if let Some(call) = built.remove(&root) {
            self.counters.traces += 1;
            self.counters.calls += order.len() as u64;
            self.finished.push_back(Arc::new(assemble::trace(call, w3c)));
            if self.finished.len() > self.config.max_calls.max(FINISHED) {
                self.finished.pop_front();
                self.counters.evictions.finished += 1;
            }
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        let waiting = self.waiting.capacity() * 72;
        let parts = self.kernel.bytes() + self.observed.bytes() + self.calls.bytes() + self.messages.bytes();
        let waiting = waiting + self.finished.len() * 4_000;
        (parts + waiting + self.due.capacity() * 24) as u64
    }
}

/// Complete traces that wait for the next tick; more only if more calls may wait.
const FINISHED: usize = 256;
/// Taps at which one call is kept; more see a loop.
const MOST_TAPS: usize = 64;

fn before(time: Timestamp, by: std::time::Duration) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos().saturating_sub(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
}
