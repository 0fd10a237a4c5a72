//! A conversation driven by hand, for tests.

use std::net::{IpAddr, Ipv4Addr};

use wire::{Direction, Endpoint, PerDirection, SeqNum, TapId, Timestamp, Transport};

use crate::contract::Protocol;
use crate::engine::{Conversation, SessionPool};
use crate::input::{Chunk, Health};
use crate::input::{Context, End};
use crate::limits::RequestLimits;
use fact::{Exchange, Fact, FlowId, Inference, Sink, Table, Unanswered, Value};

/// A conversation in turns over TCP, with the server port it runs on.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) port: u16,
    /// Exchanges that come of it, at least.
    pub(crate) least: usize,
    pub(crate) turns: Vec<(Direction, Vec<u8>)>,
}

impl Script {
    pub(crate) fn new<B: AsRef<[u8]>>(port: u16, least: usize, turns: &[(Direction, B)]) -> Self {
        let turns =
            turns.iter().map(|(direction, bytes)| (*direction, bytes.as_ref().to_vec())).collect();
        Self { port, least, turns }
    }

    /// Turns as recorded: a line each, `C` or `S` for who sent it, and its bytes in hexadecimal.
    pub(crate) fn recorded(port: u16, least: usize, lines: &str) -> Self {
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let turn = |line: &str| {
            let (side, hex) = line.split_once(' ').unwrap();
            (if side == "C" { C } else { S }, hex.as_bytes().chunks(2).map(byte).collect())
        };
        Self { port, least, turns: lines.lines().map(turn).collect() }
    }

    /// Sends all turns.
    pub(crate) fn play(&self, talk: &mut Talk) {
        for (direction, bytes) in &self.turns {
            talk.send(*direction, bytes);
        }
    }
}

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) evicted: Vec<(Table, u64)>,
    pub(crate) inferred: Vec<(Inference, u64)>,
}

impl Sink for Found {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::Exchange(exchange) => self.exchanges.push(exchange.clone()),
            Fact::Evicted { table, entries } => self.evicted.push((table, entries)),
            Fact::Inference { result, times, .. } => self.inferred.push((result, times)),
            _ => {}
        }
    }
}

/// Two ends that talk; every piece comes one microsecond after the one before.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) conversation: Conversation,
    pub(crate) cx: Context,
    pub(crate) found: Found,
    pool: SessionPool,
    offsets: PerDirection<u64>,
    now: u64,
}

pub(crate) const C: Direction = Direction::ToServer;
pub(crate) const S: Direction = Direction::ToClient;

impl Talk {
    pub(crate) fn tcp(port: u16) -> Self {
        Self::new(Transport::Tcp, 40_000, port, RequestLimits::default())
    }

    pub(crate) fn udp(port: u16) -> Self {
        Self::new(Transport::Udp, 40_000, port, RequestLimits::default())
    }

    pub(crate) fn new(
        transport: Transport,
        client_port: u16,
        server_port: u16,
        limits: RequestLimits,
    ) -> Self {
        let end = |last, port| Endpoint::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port);
        let cx = Context {
            flow: FlowId(1),
            tap: TapId(0),
            transport,
            client: end(1, client_port),
            server: end(2, server_port),
            roles_known: false,
            base: PerDirection { to_server: SeqNum(1000), to_client: SeqNum(u32::MAX - 9) },
            connect_ns: None,
            connected: None,
            health: Health::default(),
        };
        let mut pool = SessionPool::new(limits);
        let conversation = Conversation::new(&cx, &mut pool);
        Self {
            conversation,
            pool,
            cx,
            found: Found::default(),
            offsets: PerDirection::default(),
            now: 0,
        }
    }

    /// Over TCP, in a protocol that is not in the registry.
    pub(crate) fn of<P: Protocol>() -> Self {
        let mut talk = Self::tcp(P::PORTS.first().copied().unwrap_or(40_001));
        talk.conversation.read_as::<P>(&talk.cx);
        talk
    }

    pub(crate) fn send(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        self.now += 1000;
        let time = Timestamp::from_nanos(self.now);
        if self.cx.transport == Transport::Udp {
            self.conversation.datagram(
                &self.cx,
                direction,
                time,
                bytes,
                &mut self.pool,
                &mut self.found,
            );
            return self;
        }
        let offset = self.offsets[direction];
        self.offsets[direction] += bytes.len() as u64;
        self.conversation.chunk(
            &self.cx,
            direction,
            Chunk::Data { offset, time, bytes },
            &mut self.pool,
            &mut self.found,
        );
        self
    }

    pub(crate) fn c(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.send(C, bytes.as_ref())
    }

    pub(crate) fn s(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.send(S, bytes.as_ref())
    }

    /// Packets with `len` bytes were not captured.
    pub(crate) fn gap(&mut self, direction: Direction, len: u64) -> &mut Self {
        self.missing(direction, len, false)
    }

    /// The snap length cut off `len` bytes.
    pub(crate) fn snap(&mut self, direction: Direction, len: u64) -> &mut Self {
        self.missing(direction, len, true)
    }

    fn missing(&mut self, direction: Direction, len: u64, cut: bool) -> &mut Self {
        self.now += 1000;
        let (offset, time) = (self.offsets[direction], Timestamp::from_nanos(self.now));
        self.offsets[direction] += len;
        self.cx.health.troubles.missing_bytes += len;
        let gap = Chunk::Gap { offset, len, time, cut };
        self.conversation.chunk(&self.cx, direction, gap, &mut self.pool, &mut self.found);
        self
    }

    /// Goes on with another connection, which gets what this one used.
    pub(crate) fn begin_anew(&mut self) {
        self.conversation.close(&mut self.pool);
        self.conversation = Conversation::new(&self.cx, &mut self.pool);
        self.offsets = PerDirection::default();
    }

    pub(crate) fn end(&mut self, end: End) -> &mut Self {
        self.now += 1000;
        let time = Timestamp::from_nanos(self.now);
        self.conversation.end(&self.cx, end, time, &mut self.pool, &mut self.found);
        self
    }

    pub(crate) fn wait(&mut self, nanos: u64) -> &mut Self {
        self.now += nanos;
        self.conversation.tick(
            &self.cx,
            Timestamp::from_nanos(self.now),
            &mut self.pool,
            &mut self.found,
        );
        self
    }

    /// Everything found, the conversation being over.
    pub(crate) fn over(&mut self) -> &[Exchange] {
        self.end(End::Over(Unanswered::InputEnd));
        &self.found.exchanges
    }

    /// Operation, status (or response code) and outcome of everything found so far.
    pub(crate) fn told(&self) -> Vec<String> {
        self.found.exchanges.iter().map(brief).collect()
    }
}

fn brief(exchange: &Exchange) -> String {
    let status = match exchange.attributes.get("http.response.status_code") {
        Some(Value::Int(code)) => code.to_string(),
        _ => text(exchange, "dns.response.code"),
    };
    let what = match text(exchange, "url.path") {
        path if path.is_empty() => text(exchange, "dns.question.name"),
        path => path,
    };
    let parts = [exchange.operation.as_str(), &what, &status, exchange.outcome.as_str()];
    parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A text attribute, empty if there is none.
pub(crate) fn text(exchange: &Exchange, key: &str) -> String {
    match exchange.attributes.get(key) {
        Some(Value::Text(text)) => text.to_owned(),
        _ => String::new(),
    }
}

/// A number attribute.
pub(crate) fn int(exchange: &Exchange, key: &str) -> Option<i64> {
    match exchange.attributes.get(key) {
        Some(Value::Int(n)) => Some(n),
        _ => None,
    }
}

/// Everything about exchanges but times.
pub(crate) fn timeless(exchanges: &[Exchange]) -> Vec<String> {
    let mut all: Vec<String> = exchanges
        .iter()
        .map(|e| {
            let mut e = e.clone();
            for span in [&mut e.request, &mut e.response].into_iter().flatten() {
                span.first = Timestamp::ZERO;
                span.last = Timestamp::ZERO;
            }
            let attributes: Vec<_> = e.attributes.iter().collect();
            let Exchange { client, protocol, operation, outcome, request, response, .. } = &e;
            format!("{client} {protocol:?} {operation} {outcome:?} {request:?} {response:?} {attributes:?}")
        })
        .collect();
    all.sort();
    all
}
