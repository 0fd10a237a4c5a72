//! The application side of one flow: what a transport drives.

use wire::{Direction, Timestamp};

use super::pool::SessionPool;
use super::session::Session;
use super::stream_buffer::Gap;
#[cfg(test)]
use crate::contract::Protocol;
use crate::input::Chunk;
use crate::input::{Context, End};
use fact::{L7Summary, Sink};

/// The application side of one flow. It has a session from the pool until it is closed.
#[derive(Debug)]
pub struct Conversation {
    state: State,
}

#[derive(Debug)]
enum State {
    Open(Box<Session>),
    /// Nothing more is taken; the summary stays.
    Closed {
        summary: Option<L7Summary>,
        reversed: bool,
    },
}

impl Conversation {
    /// A conversation of which no byte was seen so far.
    pub fn new(cx: &Context, pool: &mut SessionPool) -> Self {
        Self { state: State::Open(pool.take(cx)) }
    }

    /// Takes the next piece of one direction of a TCP stream.
    pub fn chunk<S: Sink>(
        &mut self,
        cx: &Context,
        direction: Direction,
        chunk: Chunk<'_>,
        pool: &mut SessionPool,
        sink: &mut S,
    ) {
        // A closed conversation takes nothing: late segments may follow its end.
        let State::Open(session) = &mut self.state else { return };
        let entries = &mut pool.entries;
        match chunk {
            Chunk::Data { offset, time, bytes } => {
                session.data(cx, direction, offset, time, bytes, entries);
            }
            Chunk::Gap { offset, len, time, cut } => {
                let gap = Gap { offset, len, time, snapped: cut };
                session.gap(cx, direction, gap, entries);
            }
        }
        session.emit(cx, entries, sink);
    }

    /// Takes a UDP datagram as captured.
    pub fn datagram<S: Sink>(
        &mut self,
        cx: &Context,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        pool: &mut SessionPool,
        sink: &mut S,
    ) {
        let State::Open(session) = &mut self.state else { return };
        session.datagram(cx, direction, time, bytes, &mut pool.entries);
        session.emit(cx, &mut pool.entries, sink);
    }

    /// Ends one or both directions at `time`; unanswered requests are emitted.
    pub fn end<S: Sink>(
        &mut self,
        cx: &Context,
        end: End,
        time: Timestamp,
        pool: &mut SessionPool,
        sink: &mut S,
    ) {
        let State::Open(session) = &mut self.state else { return };
        session.end(cx, end, time, &mut pool.entries);
        session.emit(cx, &mut pool.entries, sink);
    }

    /// Gives up on requests that waited for longer than the limit.
    pub fn tick<S: Sink>(
        &mut self,
        cx: &Context,
        now: Timestamp,
        pool: &mut SessionPool,
        sink: &mut S,
    ) {
        let State::Open(session) = &mut self.state else { return };
        session.tick(cx, now, &mut pool.entries);
        session.emit(cx, &mut pool.entries, sink);
    }

    /// Gives the session back to the pool. Nothing more is taken; the summary stays.
    pub fn close(&mut self, pool: &mut SessionPool) {
        let closed = State::Closed { summary: self.summary(), reversed: self.is_reversed() };
        if let State::Open(session) = std::mem::replace(&mut self.state, closed) {
            pool.put(session);
        }
    }

    /// Whether nothing more is taken.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// Whether it became certain what the server speaks, and the pool does not know.
    pub fn has_proof(&self) -> bool {
        self.session().is_some_and(|session| session.has_proof())
    }

    /// Has the pool remember what the server speaks, if that became certain.
    pub fn remember_server(&mut self, cx: &Context, pool: &mut SessionPool) {
        if let State::Open(session) = &mut self.state
            && let Some((to_server, protocol)) = session.take_proof()
        {
            let server = if to_server == Direction::ToServer { cx.server } else { cx.client };
            pool.servers.insert(server, protocol);
        }
    }

    /// Whether payload still matters; once false, it stays false and reassembly can stop.
    pub fn wants_payload(&self) -> bool {
        self.session().is_some_and(|session| !session.is_opaque())
    }

    /// Whether the first message decided that client and server are the other way round than the
    /// flow guessed. Callers go on with the directions that they began with; exchanges name the
    /// right client all the same.
    pub fn is_reversed(&self) -> bool {
        match &self.state {
            State::Open(session) => session.is_reversed(),
            State::Closed { reversed, .. } => *reversed,
        }
    }

    /// The messages counted so far, if the protocol is known.
    pub fn summary(&self) -> Option<L7Summary> {
        match &self.state {
            State::Open(session) => session.summary(),
            State::Closed { summary, .. } => *summary,
        }
    }

    /// Number of requests that wait for a response.
    pub fn pending(&self) -> usize {
        self.session().map_or(0, |session| session.pending())
    }

    /// Whether a request waits for a response.
    pub fn has_pending(&self) -> bool {
        self.session().is_some_and(|session| session.has_pending())
    }

    /// Memory that it takes, in bytes: heads that are not whole, exchanges in the making, the
    /// parser.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.session().map_or(0, |session| session.bytes())
    }

    /// Has a protocol read it that is not in the registry.
    #[cfg(test)]
    pub(crate) fn read_as<P: Protocol>(&mut self, cx: &Context) {
        if let State::Open(session) = &mut self.state {
            session.read_as::<P>(cx);
        }
    }

    fn session(&self) -> Option<&Session> {
        match &self.state {
            State::Open(session) => Some(session),
            State::Closed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::RequestLimits;
    use crate::testing::Talk;
    use fact::Table;

    /// A conversation with the server on this port, of sessions that know the servers of `pool`.
    fn talk(pool: &mut SessionPool, port: u16) -> Talk {
        let mut talk = Talk::tcp(port);
        talk.conversation = Conversation::new(&talk.cx, pool);
        talk
    }

    fn remember(pool: &mut SessionPool, talk: &mut Talk) {
        talk.conversation.remember_server(&talk.cx, pool);
    }

    #[test]
    fn what_a_server_spoke_before_is_believed_sooner() {
        let mut pool = SessionPool::new(RequestLimits::default());
        let unknown = |pool: &mut SessionPool| {
            let mut t = talk(pool, 7777);
            t.c("PING\r\n").s("+PONG\r\n");
            t.over().iter().map(|e| e.protocol).collect::<Vec<_>>()
        };
        assert_eq!(unknown(&mut pool), [], "such a line could be anything");
        let mut known = talk(&mut pool, 7777);
        known.c("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
        remember(&mut pool, &mut known);
        assert_eq!(unknown(&mut pool), [], "a question alone proves nothing");
        known.s("$1\r\nv\r\n");
        remember(&mut pool, &mut known);
        assert_eq!(unknown(&mut pool), [fact::Protocol::new("redis_inline")]);
        let mut other = talk(&mut pool, 7778);
        assert!(
            other.c("PING\r\n").s("+PONG\r\n").over().is_empty(),
            "another server's word does not count"
        );
    }

    #[test]
    fn lines_without_an_end_are_not_waited_for_for_ever() {
        let mut talk = Talk::tcp(7777);
        talk.c("FOO ");
        let least = RequestLimits::default().undecided_bytes / 1000;
        for _ in 0..least + 200 {
            assert!(talk.conversation.bytes() < 200_000);
            talk.c("a".repeat(1000));
        }
        assert!(!talk.conversation.wants_payload(), "nobody recognises it");
        assert_eq!(talk.found.evicted[0].0, Table::MessageHeads);
    }

    #[test]
    fn large_requests_wait_in_bounded_memory() {
        let mut talk = Talk::tcp(8080);
        let value = "v".repeat(1000);
        let fields =
            ["host", "b3", "sw8", "user-agent", "traceparent", "x-request-id", "content-type"];
        let head: String = fields.iter().map(|name| format!("{name}: {value}\r\n")).collect();
        for n in 0..4000 {
            talk.c(format!("GET /{n} HTTP/1.1\r\n{head}\r\n"));
        }
        assert!(talk.conversation.bytes() < 20 << 20, "{}", talk.conversation.bytes());
        let displaced: u64 = talk.found.evicted.iter().map(|(_, entries)| entries).sum();
        assert_eq!(
            (displaced, talk.found.evicted[0].0),
            (talk.found.exchanges.len() as u64, Table::PendingRequests)
        );
        // Answers find their requests all the same.
        let last = talk.conversation.pending();
        for _ in 0..4000 {
            talk.s("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
        let whole =
            talk.found.exchanges.iter().filter(|e| e.request.is_some() && e.response.is_some());
        assert_eq!((whole.count(), talk.conversation.pending()), (last, 0));
    }

    #[test]
    fn a_hint_is_no_proof() {
        let mut pool = SessionPool::new(RequestLimits::default());
        let mut redis = talk(&mut pool, 7777);
        redis.c("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n").s("$1\r\nv\r\n");
        remember(&mut pool, &mut redis);
        let mut http = talk(&mut pool, 7777);
        http.c("GET / HTTP/1.1\r\n\r\n").s("HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(http.over()[0].protocol, fact::Protocol::new("http"));
    }
}
