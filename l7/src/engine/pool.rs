//! What the conversations of one shard share: limits, knowledge of servers, memory for reuse.

use wire::PerDirection;

use super::known_servers::KnownServers;
use super::session::Session;
use crate::correlate::EntryPool;
use crate::input::Context;
use crate::limits::RequestLimits;
use fact::{Fact, Sink, Table};

/// Sessions and exchanges for reuse: most connections are short, and the allocator would be asked
/// for their memory and given it back all the time. There is one for each shard; it is passed to
/// each call of a [`Conversation`](super::Conversation).
#[derive(Debug)]
pub struct SessionPool {
    limits: RequestLimits,
    pub(super) servers: KnownServers,
    #[expect(clippy::vec_box, reason = "each is handed on as it is, and never moved")]
    sessions: Vec<Box<Session>>,
    pub(super) entries: EntryPool,
}

impl SessionPool {
    /// Sessions kept for reuse.
    const SESSIONS: usize = 64;

    /// An empty pool; its sessions are under these limits.
    pub fn new(limits: RequestLimits) -> Self {
        let servers = KnownServers::new(limits.known_servers as usize);
        Self { limits, servers, sessions: Vec::new(), entries: EntryPool::new() }
    }

    /// A session of which no byte was seen so far.
    pub(super) fn take(&mut self, cx: &Context) -> Box<Session> {
        let session = self.sessions.pop();
        let mut session = session.unwrap_or_else(|| Box::new(Session::new(self.limits)));
        session.set_hints(PerDirection {
            to_server: self.servers.get(&cx.server),
            to_client: self.servers.get(&cx.client),
        });
        session
    }

    /// Takes back a session. The pool drops it if it is full.
    pub(super) fn put(&mut self, mut session: Box<Session>) {
        if self.sessions.len() < Self::SESSIONS {
            session.reset();
            self.sessions.push(session);
        }
    }

    /// Emits how many servers had to be forgotten since the last call.
    pub fn emit_evicted<S: Sink>(&mut self, sink: &mut S) {
        let entries = self.servers.take_evicted();
        if entries > 0 {
            sink.emit(Fact::Evicted { table: Table::KnownServers, entries });
        }
    }

    /// Memory of what waits to be reused and of what is remembered, in bytes.
    pub fn bytes(&self) -> usize {
        let sessions: usize = self.sessions.iter().map(|session| session.bytes()).sum();
        self.servers.bytes() + sessions + self.entries.bytes()
    }
}
