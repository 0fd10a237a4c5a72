//! Calls with their observations.

use fact::{Attributes, Connected, Exchange, FlowId, MessageSpan, Outcome, Protocol, TcpTrouble};
use wire::{Endpoint, SeqRange, TapId, Timestamp, Transport};

use crate::call_id::CallId;
use crate::hash::Map;
use crate::headers::TraceHeaders;
use crate::model::{Cause, Undecided};
use crate::side::Side;

/// An exchange at one tap.
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    pub(crate) tap: TapId,
    pub(crate) flow: FlowId,
    pub(crate) client: Endpoint,
    pub(crate) server: Endpoint,
    pub(crate) outcome: Outcome,
    pub(crate) request: Option<MessageSpan>,
    pub(crate) response: Option<MessageSpan>,
    pub(crate) connect_ns: Option<u64>,
    pub(crate) connected: Option<Connected>,
    pub(crate) waited_until: Option<Timestamp>,
    pub(crate) tcp: TcpTrouble,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Other taps and kernel records may still come.
    Observed,
    /// Its processes are known; its cause is waited for.
    Waiting,
    /// Its place in a tree is decided.
    Decided,
}

/// A call whose trace is not complete.
#[derive(Debug)]
pub(crate) struct OpenCall {
    pub(crate) transport: Transport,
    pub(crate) protocol: Protocol,
    pub(crate) operation: String,
    pub(crate) outcome: Outcome,
    pub(crate) attributes: Attributes,
    pub(crate) observations: Vec<Observation>,
    pub(crate) headers: TraceHeaders,
    pub(crate) client: Option<Side>,
    pub(crate) server: Option<Side>,
    pub(crate) state: State,
    /// The socket on which its parent is waited for.
    pub(crate) wait: Option<u64>,
    /// It has been put down for a recheck.
    pub(crate) queued: bool,
    /// It has waited long enough for calls in between that may never be seen.
    pub(crate) impatient: bool,
    pub(crate) parent: Option<CallId>,
    pub(crate) cause: Cause,
    pub(crate) guess: bool,
    pub(crate) children: Vec<CallId>,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// Root only: when something was last added to its tree, and how many calls it has.
    pub(crate) added: Timestamp,
    pub(crate) size: usize,
    pub(crate) depth: usize,
}

impl OpenCall {
    pub(crate) fn new(exchange: Exchange, headers: TraceHeaders) -> Self {
        let observed = observation(&exchange);
        let mut call = Self {
            transport: exchange.transport,
            protocol: exchange.protocol,
            observations: Vec::with_capacity(4),
            start: exchange.start(),
            end: exchange.end(),
            outcome: exchange.outcome,
            headers,
            client: None,
            server: None,
            state: State::Observed,
            wait: None,
            queued: false,
            impatient: false,
            parent: None,
            cause: Cause::None,
            guess: false,
            children: Vec::new(),
            added: Timestamp::ZERO,
            size: 1,
            depth: 1,
            operation: exchange.operation,
            attributes: exchange.attributes,
        };
        call.observations.push(observed);
        call
    }

    /// Adds what another tap saw of it.
    pub(crate) fn observe(&mut self, exchange: Exchange, headers: TraceHeaders) {
        self.headers.join(headers);
        self.start = self.start.min(exchange.start());
        self.end = self.end.max(exchange.end());
        self.observations.push(observation(&exchange));
        if completeness(exchange.outcome) > completeness(self.outcome) {
            self.outcome = exchange.outcome;
            self.attributes = exchange.attributes;
        }
        if self.operation.is_empty() {
            self.operation = exchange.operation;
        }
    }

    pub(crate) fn request(&self) -> Option<SeqRange> {
        self.observations.iter().find_map(|o| o.request).map(|m| m.seq)
    }

    pub(crate) fn response(&self) -> Option<SeqRange> {
        // The longest: a tap that lost the end of it saw less.
        self.observations
            .iter()
            .filter_map(|o| o.response)
            .map(|m| m.seq)
            .max_by_key(|seq| seq.len())
    }

    /// Where nothing is believed to have caused it, and its process had requests in hand that may
    /// have.
    pub(crate) fn undecided(&self) -> Option<Undecided> {
        let begun = self.client.as_ref().and_then(|side| side.begun)?;
        (self.cause == Cause::None && begun.open_requests > 0)
            .then_some(Undecided { open_requests: begun.open_requests })
    }

    /// Whether the server was still busy with it at `time`, as far as known.
    pub(crate) fn is_open_at(&self, time: Timestamp) -> bool {
        match self.server.as_ref().and_then(|s| s.finished) {
            Some(finished) => finished > time,
            None => self.end > time,
        }
    }
}

fn observation(exchange: &Exchange) -> Observation {
    Observation {
        tap: exchange.tap,
        flow: exchange.flow,
        client: exchange.client,
        server: exchange.server,
        outcome: exchange.outcome,
        request: exchange.request,
        response: exchange.response,
        connect_ns: exchange.connect_ns,
        connected: exchange.connected,
        waited_until: exchange.waited_until,
        tcp: exchange.tcp,
    }
}

const fn completeness(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Ok | Outcome::ClientError | Outcome::ServerError => 4,
        Outcome::Reset => 3,
        Outcome::NoResponse => 2,
        Outcome::LostBytes => 1,
        Outcome::NoRequest => 0,
    }
}

/// All calls of traces that are not complete.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    open: Map<CallId, OpenCall>,
    next: CallId,
    oldest: CallId,
}

impl Calls {
    /// The id that the next call gets.
    pub(crate) const fn next_id(&self) -> CallId {
        self.next
    }

    pub(crate) fn insert(&mut self, call: OpenCall) -> CallId {
        let id = self.next;
        self.next += 1;
        self.open.insert(id, call);
        id
    }

    pub(crate) fn get(&self, id: CallId) -> Option<&OpenCall> {
        self.open.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: CallId) -> Option<&mut OpenCall> {
        self.open.get_mut(&id)
    }

    pub(crate) fn remove(&mut self, id: CallId) -> Option<OpenCall> {
        self.open.remove(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// The call that came first of those that are there.
    pub(crate) fn oldest(&mut self) -> Option<CallId> {
        while self.oldest < self.next {
            if self.open.contains_key(&self.oldest) {
                return Some(self.oldest);
            }
            self.oldest += 1;
        }
        None
    }

    /// The root of the tree that `id` is in.
    pub(crate) fn root_of(&self, mut id: CallId) -> CallId {
        while let Some(parent) = self.get(id).and_then(|call| call.parent) {
            id = parent;
        }
        id
    }

    pub(crate) fn bytes(&self) -> usize {
        // A call with three observations and a dozen attributes.
        self.open.capacity() * (size_of::<OpenCall>() + 8)
            + self.open.len() * (3 * size_of::<Observation>() + 700)
    }
}
