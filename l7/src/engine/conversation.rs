use wire::{Direction, PerDirection, Timestamp};

use crate::correlate::Spare;
use crate::engine::live::Live;
use crate::engine::servers::Servers;
use crate::input::Chunk;
use crate::input::{Context, End};
use crate::limits::RequestLimits;
use fact::{Fact, L7Summary, Sink, Table};

/// Bounds of conversations, and what those that are over leave to the next: most connections say little, and what they take would
/// be asked of the allocator and given back all the time.
#[derive(Debug)]
pub struct Room {
    limits: RequestLimits,
    servers: Servers,
    #[expect(clippy::vec_box, reason = "each is handed on as it is, and never moved")]
    spare: Vec<Box<Live>>,
    /// Exchanges that are over.
    entries: Spare,
}

impl Room {
    /// Conversations kept for reuse.
    const SPARE: usize = 64;

    /// Room for conversations under these limits.
    pub fn new(limits: RequestLimits) -> Self {
        let servers = Servers::new(limits.known_servers as usize);
        Self { limits, servers, spare: Vec::new(), entries: Spare::new() }
    }

    /// A conversation in which nothing was said so far.
    pub fn conversation(&mut self, cx: &Context) -> Conversation {
        let mut live = self.spare.pop().unwrap_or_else(|| Box::new(Live::new(self.limits)));
        live.hints = PerDirection {
            to_server: self.servers.known(&cx.server),
            to_client: self.servers.known(&cx.client),
        };
        Conversation { state: State::Live(live) }
    }

    /// Takes back what a conversation took.
    pub fn take_back(&mut self, conversation: &mut Conversation) {
        if let Some(mut live) = conversation.conclude()
            && self.spare.len() < Self::SPARE
        {
            live.reset();
            self.spare.push(live);
        }
    }

    /// Remembers what the server speaks, once a conversation has shown it.
    pub fn learn(&mut self, cx: &Context, conversation: &mut Conversation) {
        if let State::Live(live) = &mut conversation.state
            && let Some((side, protocol)) = live.take_proof()
        {
            let server = if side == Direction::ToServer { cx.server } else { cx.client };
            self.servers.learn(server, protocol);
        }
    }

    /// Tells of servers that had to be forgotten.
    pub fn tell<S: Sink>(&mut self, sink: &mut S) {
        let entries = self.servers.take_displaced();
        if entries > 0 {
            sink.emit(Fact::Evicted { table: Table::KnownServers, entries });
        }
    }

    /// Memory of what waits to be reused and of what is remembered, in bytes.
    pub fn bytes(&self) -> usize {
        self.servers.bytes()
            + self.spare.iter().map(|live| live.bytes()).sum::<usize>()
            + self.entries.bytes()
    }

    /// Lends what was left over to the conversation until it is given back by another call: what it says now costs no memory then.
    pub fn lend(&mut self, conversation: &mut Conversation) {
        if let State::Live(live) = &mut conversation.state {
            live.swap_spare(&mut self.entries);
        }
    }
}

/// The application side of one flow.
#[derive(Debug)]
pub struct Conversation {
    state: State,
}

#[derive(Debug)]
enum State {
    Live(Box<Live>),
    /// Nothing more can be said.
    Over {
        summary: Option<L7Summary>,
        reversed: bool,
    },
}

impl Conversation {
    /// Takes the next piece of one direction of a TCP stream.
    pub fn chunk<S: Sink>(&mut self, cx: &Context, direction: Direction, chunk: Chunk<'_>, sink: &mut S) {
        let State::Live(live) = &mut self.state else { return };
        match chunk {
            Chunk::Data { offset, time, bytes } => live.data(cx, direction, offset, time, bytes),
            Chunk::Gap { offset, len, time, cut } => live.gap(cx, direction, offset, len, time, cut),
        }
        live.drain(cx, sink);
    }

    /// Takes a UDP datagram as captured.
    pub fn datagram<S: Sink>(
        &mut self,
        cx: &Context,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        sink: &mut S,
    ) {
        let State::Live(live) = &mut self.state else { return };
        live.datagram(cx, direction, time, bytes);
        live.drain(cx, sink);
    }

    /// Ends one or both directions; unanswered requests come out.
    pub fn end<S: Sink>(&mut self, cx: &Context, end: End, sink: &mut S) {
        let State::Live(live) = &mut self.state else { return };
        live.end(cx, end);
        live.drain(cx, sink);
    }

    /// Gives up on requests that waited longer than the limit.
    pub fn tick<S: Sink>(&mut self, cx: &Context, now: Timestamp, sink: &mut S) {
        let State::Live(live) = &mut self.state else { return };
        live.tick(cx, now);
        live.drain(cx, sink);
    }

    /// Whether nothing more can be said.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over { .. })
    }

    /// Whether it became certain what the server speaks, and nobody was told.
    pub fn has_proof(&self) -> bool {
        self.live().is_some_and(|live| live.has_proof())
    }

    /// Whether payload still matters; once false, it stays false and reassembly can stop.
    pub fn wants_payload(&self) -> bool {
        self.live().is_some_and(|live| !live.is_opaque())
    }

    /// Whether the first message decided that client and server are the other way round than the flow guessed.
    /// Callers go on with the directions that they began with; exchanges name the right client all the same.
    pub fn reversed(&self) -> bool {
        match &self.state {
            State::Live(live) => live.reversed(),
            State::Over { reversed, .. } => *reversed,
        }
    }

    /// What was said so far, if the protocol is known.
    pub fn summary(&self) -> Option<L7Summary> {
        match &self.state {
            State::Live(live) => live.summary(),
            State::Over { summary, .. } => *summary,
        }
    }

    /// Requests that wait for a response.
    pub fn pending(&self) -> usize {
        self.live().map_or(0, |live| live.pending())
    }

    /// Whether a request waits for a response.
    pub fn awaits(&self) -> bool {
        self.live().is_some_and(|live| live.awaits())
    }

    /// Memory that it takes, in bytes: heads that are not whole, exchanges in the making, the parser.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.live().map_or(0, |live| live.bytes())
    }

    fn live(&self) -> Option<&Live> {
        match &self.state {
            State::Live(live) => Some(live),
            State::Over { .. } => None,
        }
    }

    /// Nothing more is taken; what was said so far stays.
    fn conclude(&mut self) -> Option<Box<Live>> {
        let over = State::Over { summary: self.summary(), reversed: self.reversed() };
        match std::mem::replace(&mut self.state, over) {
            State::Live(live) => Some(live),
            State::Over { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Talk;
    use fact::{Protocol, Table};

    /// A conversation with the server on this port, in a room.
    fn talk(room: &mut Room, port: u16) -> Talk {
        let mut talk = Talk::tcp(port);
        talk.conversation = room.conversation(&talk.cx);
        talk
    }

    #[test]
    fn what_a_server_spoke_before_is_believed_sooner() {
        let mut room = Room::new(RequestLimits::default());
        let unknown = |room: &mut Room| {
            let mut t = talk(room, 7777);
            t.c("PING\r\n").s("+PONG\r\n");
            t.over().iter().map(|e| e.protocol).collect::<Vec<_>>()
        };
        assert_eq!(unknown(&mut room), [], "such a line could be anything");
        let mut known = talk(&mut room, 7777);
        known.c("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
        room.learn(&known.cx, &mut known.conversation);
        assert_eq!(unknown(&mut room), [], "a question alone proves nothing");
        known.s("$1\r\nv\r\n");
        room.learn(&known.cx, &mut known.conversation);
        assert_eq!(unknown(&mut room), [Protocol::new("redis_inline")]);
        let mut other = talk(&mut room, 7778);
        assert!(other.c("PING\r\n").s("+PONG\r\n").over().is_empty(), "another server's word does not count");
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
        let fields = ["host", "b3", "sw8", "user-agent", "traceparent", "x-request-id", "content-type"];
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
        let whole = talk.found.exchanges.iter().filter(|e| e.request.is_some() && e.response.is_some());
        assert_eq!((whole.count(), talk.conversation.pending()), (last, 0));
    }

    #[test]
    fn a_hint_is_no_proof() {
        let mut room = Room::new(RequestLimits::default());
        let mut redis = talk(&mut room, 7777);
        redis.c("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n").s("$1\r\nv\r\n");
        room.learn(&redis.cx, &mut redis.conversation);
        let mut http = talk(&mut room, 7777);
        http.c("GET / HTTP/1.1\r\n\r\n").s("HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(http.over()[0].protocol, Protocol::new("http"));
    }
}
