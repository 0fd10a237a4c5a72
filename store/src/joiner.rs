//! Joins exchanges and kernel records into calls, and calls into traces, as time passes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use fact::Exchange;
use wire::{SockIo, Tap, Timestamp, invariant};

use crate::assemble::{self, Names};
use crate::call_id::CallId;
use crate::calls::{Calls, OpenCall, State};
use crate::cause::{Lead, Requests};
use crate::config::StoreConfig;
use crate::counters::Counters;
use crate::hash::Map;
use crate::headers::{ByHeader, TraceHeaders};
use crate::kernel::Kernel;
use crate::lead::Evidence;
use crate::model::{Call, Cause, Trace};
use crate::observe::{Observed, Windows};
use crate::schedule::{Schedule, Task};
use crate::sides;
use crate::tree::{self, Link, Unlinked};
use crate::waiting::Waiting;
use crate::workloads::Workloads;

/// Complete traces that wait for the next tick; more only if more calls may wait.
const FINISHED: usize = 256;
/// Taps at which one call is kept; more see a loop.
const MOST_TAPS: usize = 64;

/// From exchanges and kernel records to traces.
#[derive(Debug)]
pub(crate) struct Joiner {
    config: StoreConfig,
    now: Timestamp,
    kernel: Kernel,
    observed: Observed,
    calls: Calls,
    requests: Requests,
    by_header: ByHeader,
    waiting: Waiting,
    schedule: Schedule,
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
            requests: Requests::default(),
            by_header: ByHeader::default(),
            waiting: Waiting::default(),
            schedule: Schedule::default(),
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

    pub(crate) fn set_workloads(&mut self, workloads: Arc<dyn Workloads>) {
        self.names.set_workloads(workloads);
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
        let windows =
            Windows { stream: self.config.merge_window, datagram: self.config.datagram_window };
        match self.observed.find(&exchange, windows) {
            Some(id) => self.add_observation(id, exchange, headers),
            None => self.add_call(exchange, headers),
        }
    }

    /// Adds what one more tap saw of a call.
    fn add_observation(&mut self, id: CallId, exchange: Box<Exchange>, headers: TraceHeaders) {
        let Some(call) = self.calls.get_mut(id) else {
            self.counters.late_observations += 1;
            return;
        };
        if call.observations.len() >= MOST_TAPS {
            self.counters.excess_observations += 1;
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
    }

    fn add_call(&mut self, exchange: Box<Exchange>, headers: TraceHeaders) {
        let end = exchange.end().clamp(self.now, self.now + self.config.max_wait);
        let id = self.calls.next_id();
        self.observed.note(id, &exchange, self.now);
        self.calls.insert(OpenCall::new(*exchange, headers));
        self.by_header.add(id, &headers);
        self.schedule.insert(end + self.config.settle * 2, id, Task::Settle);
        self.make_room();
        self.observed.expire(Timestamp::ZERO, self.config.max_calls.saturating_mul(2));
        let most = self.config.max_calls.saturating_mul(4).max(1024);
        self.schedule.limit(most, |id| self.calls.get(id).is_some());
    }

    /// Finishes the trees of the oldest calls while there are too many.
    fn make_room(&mut self) {
        while self.calls.len() > self.config.max_calls {
            let Some(oldest) = self.calls.oldest() else {
                invariant!("calls that are open have an oldest");
                return;
            };
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
        while let Some((id, task)) = self.schedule.pop_due(self.now) {
            match task {
                Task::Settle => self.settle(id),
                Task::Recheck => self.recheck(id),
                Task::Complete => self.complete(id),
            }
        }
        std::mem::take(&mut self.finished).into()
    }

    /// Completes everything with what is there.
    pub(crate) fn finish(&mut self) -> Vec<Arc<Trace>> {
        // No socket is removed before the calls that wait are decided.
        self.kernel.place_all(&self.config, &mut self.counters);
        let ids = self.schedule.take_calls();
        ids.iter().for_each(|id| self.settle(*id));
        ids.iter().for_each(|id| self.decide(*id));
        ids.iter().for_each(|id| self.force_root(*id));
        for id in ids {
            if self.calls.get(id).is_some_and(|call| call.parent.is_none()) {
                self.finish_tree(id);
            }
        }
        self.schedule.clear();
        self.kernel = Kernel::default();
        self.observed = Observed::default();
        self.requests = Requests::default();
        self.now = Timestamp::ZERO;
        std::mem::take(&mut self.finished).into()
    }

    fn settle_kernel(&mut self, until: Timestamp) {
        for cookie in self.kernel.settle(until, &self.config, &mut self.counters) {
            self.requests.forget(cookie);
        }
        if self.requests.len() > self.config.max_sockets.saturating_mul(2) {
            let kernel = &self.kernel;
            self.requests.retain(|cookie| kernel.socket(cookie).is_some());
        }
    }

    /// Finds the processes of a call, unless that was done before.
    fn settle(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.state == State::Observed) else {
            return;
        };
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
            self.kernel.set_role(cookie, !is_server);
            self.kernel.consumed(cookie, sent, received);
            if let Some(request) = received.filter(|_| is_server) {
                self.requests.add(cookie, id, request, &self.calls);
            }
        }
        self.decide(id);
        if let Some(cookie) = server {
            self.waiting.take(cookie).into_iter().for_each(|waiting| self.decide(waiting));
        }
        self.adopt_roots(id, &headers);
    }

    /// Gives roots that carry one of the ids in `headers` and came earlier than `id` the parent
    /// that they may have in it.
    fn adopt_roots(&mut self, id: CallId, headers: &TraceHeaders) {
        for other in self.by_header.with(headers) {
            let is_root = |c: &OpenCall| c.state == State::Decided && c.parent.is_none();
            if other != id
                && self.calls.get(other).is_some_and(is_root)
                && let Some((parent, guess)) = self.evidence().by_header(other)
            {
                self.attach(Link { child: other, parent, cause: Cause::Header, guess });
            }
        }
    }

    const fn evidence(&self) -> Evidence<'_> {
        Evidence {
            calls: &self.calls,
            requests: &self.requests,
            kernel: &self.kernel,
            by_header: &self.by_header,
        }
    }

    /// Decides on a call whose processes are known.
    fn decide(&mut self, id: CallId) {
        if !self.calls.get(id).is_some_and(|call| call.state == State::Waiting) {
            return;
        }
        match self.evidence().lead(id) {
            (Lead::Parent { id: parent, guess }, cause) => {
                self.counters.ambiguous += u64::from(guess);
                if !self.attach(Link { child: id, parent, cause, guess }) {
                    self.make_root(id);
                }
            }
            (Lead::Nowhere, _) => self.make_root(id),
            (Lead::Finished, _) => {
                self.counters.late_children += 1;
                self.make_root(id);
            }
            (Lead::Unknown(cookie), _) => self.wait(id, cookie),
        }
    }

    /// Puts a call down to be decided when its parent on the socket `cookie` becomes known.
    fn wait(&mut self, id: CallId, cookie: u64) {
        self.stop_waiting(id);
        let Some(call) = self.calls.get_mut(id) else {
            invariant!("a call that waits is open");
            return;
        };
        call.wait = Some(cookie);
        self.waiting.insert(cookie, id);
        if !call.queued {
            call.queued = true;
            let delay = if call.impatient { self.config.quiet } else { self.config.settle * 2 };
            self.schedule.insert(self.now + delay, id, Task::Recheck);
        }
    }

    fn stop_waiting(&mut self, id: CallId) {
        if let Some(cookie) = self.calls.get_mut(id).and_then(|call| call.wait.take()) {
            self.waiting.remove(cookie, id);
        }
    }

    fn recheck(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.state == State::Waiting) else {
            return;
        };
        call.queued = false;
        call.impatient = true;
        let too_long = self.now > call.end + self.config.max_wait;
        let give_up = too_long || self.is_hopeless(id);
        if give_up { self.force_root(id) } else { self.decide(id) }
    }

    /// Whether the socket that the parent is waited for on is gone, and the parent would have been
    /// seen by now.
    fn is_hopeless(&self, id: CallId) -> bool {
        let (Lead::Unknown(cookie), _) = self.evidence().lead(id) else { return false };
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
        }
    }

    fn make_root(&mut self, id: CallId) {
        self.stop_waiting(id);
        let Some(call) = self.calls.get_mut(id) else {
            invariant!("a call that becomes a root is open");
            return;
        };
        call.state = State::Decided;
        call.cause = Cause::None;
        call.added = self.now.max(call.added);
        self.schedule.insert(call.added + self.config.quiet, id, Task::Complete);
    }

    /// Hangs a call under its parent; refuses what would be a circle, or too large a tree.
    fn attach(&mut self, link: Link) -> bool {
        match tree::attach(&mut self.calls, link, &self.config, self.now) {
            Ok(()) => {
                self.stop_waiting(link.child);
                return true;
            }
            Err(Unlinked::TooLarge) => self.counters.evictions.trace_size += 1,
            Err(Unlinked::Circle) => {}
        }
        false
    }

    /// Finishes the tree of a root to which nothing was added for long enough.
    fn complete(&mut self, id: CallId) {
        let root = self.calls.get(id).filter(|c| c.state == State::Decided && c.parent.is_none());
        let Some(root) = root else { return };
        let due = root.added + self.config.quiet;
        if due > self.now {
            self.schedule.insert(due, id, Task::Complete);
        } else {
            self.finish_tree(id);
        }
    }

    /// Makes a trace of a tree and removes its calls.
    fn finish_tree(&mut self, root: CallId) {
        let order = tree::calls_of(&self.calls, root);
        let mut built: Map<CallId, Call> = Map::default();
        let mut w3c = None;
        // Children come after their parents, so going back each finds its own built.
        for &id in order.iter().rev() {
            let Some(mut call) = self.calls.remove(id) else {
                invariant!("a call is in one tree, and there once");
                continue;
            };
            self.by_header.remove(id, &call.headers);
            sides::complete(&mut call, &self.kernel);
            w3c = call.headers.w3c;
            self.counters.undecided += u64::from(call.undecided().is_some());
            let children = call.children.iter().filter_map(|child| built.remove(child)).collect();
            built.extend(assemble::call(call, children, &self.names).map(|call| (id, call)));
        }
        let Some(call) = built.remove(&root) else {
            invariant!("a tree has a root");
            return;
        };
        self.counters.traces += 1;
        self.counters.calls += order.len() as u64;
        self.finished.push_back(Arc::new(assemble::trace(call, w3c)));
        if self.finished.len() > self.config.max_calls.max(FINISHED) {
            self.finished.pop_front();
            self.counters.evictions.finished += 1;
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        let tables = self.kernel.bytes()
            + self.observed.bytes()
            + self.calls.bytes()
            + self.requests.bytes();
        let waiting = self.waiting.bytes() + self.schedule.bytes() + self.finished.len() * 4_000;
        (tables + waiting) as u64
    }
}

fn before(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_nanos(
        time.as_nanos().saturating_sub(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)),
    )
}
