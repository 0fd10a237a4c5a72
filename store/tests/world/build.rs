//! Messages, exchanges and system calls of made-up connections.

use std::net::{IpAddr, Ipv4Addr};

use fact::{Attributes, Exchange, FlowId, MessageSpan, Outcome, Protocol, TcpTrouble};
use wire::{Endpoint, Process, SeqNum, SeqRange, SockIo, SockIoKind, TapId, Timestamp, Transport};

use super::rng::Rng;

#[derive(Clone, Debug)]
pub enum Input {
    Io(SockIo),
    Exchange(Box<Exchange>),
}

/// One TCP connection with the sockets of both ends.
#[derive(Clone, Debug)]
pub struct Conn {
    /// As the client knows the two ends.
    pub client: Endpoint,
    pub server: Endpoint,
    /// As the server knows them.
    pub client_nat: Endpoint,
    pub server_nat: Endpoint,
    pub client_cookie: u64,
    pub server_cookie: u64,
    pub to_server: SeqNum,
    pub to_client: SeqNum,
    pub taps: [TapId; 3],
    /// The message now under way: range, time at the taps.
    pub request: (SeqRange, [u64; 3]),
    pub response: (SeqRange, [u64; 3]),
}

pub fn endpoint(host: u8, port: u16) -> Endpoint {
    Endpoint::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, host)), port)
}

pub fn process(pid: u32, tid: u32, name: &str) -> Process {
    Process { pid, tid, command: command(name), cgroup: u64::from(pid) * 10 }
}

pub fn command(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    name.bytes().take(15).enumerate().for_each(|(i, b)| bytes[i] = b);
    bytes
}

/// Collects what is recorded, with the time at which it reaches the store.
pub struct Recorder {
    pub rng: Rng,
    pub inputs: Vec<(u64, Input)>,
    /// Largest delay of kernel records, and of exchanges, in nanoseconds.
    pub io_delay: u64,
    pub exchange_delay: u64,
    /// Kernel records lost, per mille.
    pub lost: u64,
    next_cookie: u64,
    next_port: u16,
}

impl Recorder {
    pub fn new(seed: u64) -> Self {
        let rng = Rng(seed);
        Self {
            rng,
            inputs: Vec::new(),
            io_delay: 50_000_000,
            exchange_delay: 100_000_000,
            lost: 0,
            next_cookie: 1,
            next_port: 20_000,
        }
    }

    pub fn connection(
        &mut self,
        client: u8,
        server: u8,
        server_port: u16,
        virtual_host: Option<u8>,
        taps: [u32; 3],
    ) -> Conn {
        self.next_cookie += 2;
        self.next_port = if self.next_port >= 60_000 { 20_000 } else { self.next_port + 1 };
        let source = endpoint(client, self.next_port);
        Conn {
            client: source,
            server: endpoint(virtual_host.unwrap_or(server), server_port),
            client_nat: if virtual_host.is_some() { endpoint(1, self.next_port) } else { source },
            server_nat: endpoint(server, server_port),
            client_cookie: self.next_cookie,
            server_cookie: self.next_cookie + 1,
            to_server: SeqNum(self.rng.next() as u32),
            to_client: SeqNum(self.rng.next() as u32),
            taps: taps.map(TapId),
            request: (SeqRange::default(), [0; 3]),
            response: (SeqRange::default(), [0; 3]),
        }
    }

    pub fn io(
        &mut self,
        conn: &Conn,
        at_client: bool,
        kind: SockIoKind,
        who: Process,
        seq: SeqRange,
        enter: u64,
        exit: u64,
    ) {
        let lost = self.rng.chance(self.lost);
        let delay = self.rng.below(self.io_delay + 1);
        if lost {
            return;
        }
        let (cookie, local, remote) = if at_client {
            (conn.client_cookie, conn.client, conn.server)
        } else {
            (conn.server_cookie, conn.server_nat, conn.client_nat)
        };
        let (enter, exit_time) = (Timestamp::from_nanos(enter), Timestamp::from_nanos(exit));
        let io = SockIo { kind, process: who, cookie, local, remote, seq, enter, exit: exit_time };
        self.inputs.push((exit + delay, Input::Io(io)));
    }

    pub fn connect(&mut self, conn: &Conn, who: Process, at: u64) {
        self.io(conn, true, SockIoKind::Connect, who, SeqRange::default(), at, at + 2_000);
    }

    pub fn close(&mut self, conn: &Conn, at_client: bool, who: Process, at: u64) {
        self.io(conn, at_client, SockIoKind::Close, who, SeqRange::default(), at, at + 1_000);
    }

    /// The client sends a request at `at`; returns when it reaches the server.
    pub fn request(&mut self, conn: &mut Conn, who: Process, at: u64, len: u32) -> u64 {
        let seq = SeqRange::new(conn.to_server, len);
        conn.to_server = seq.end;
        self.io(conn, true, SockIoKind::Send, who, seq, at, at + 6_000);
        // A veth and its bridge give one packet the same time.
        conn.request = (seq, [at + 3_000, at + 3_000, at + 5_000]);
        at + 8_000
    }

    /// The server reads the request at `at`, in two parts if it is long.
    pub fn read_request(&mut self, conn: &Conn, who: Process, at: u64) {
        self.read(conn, false, who, at, conn.request.0);
    }

    pub fn read_response(&mut self, conn: &Conn, who: Process, at: u64) {
        self.read(conn, true, who, at, conn.response.0);
    }

    fn read(&mut self, conn: &Conn, at_client: bool, who: Process, at: u64, seq: SeqRange) {
        let head = seq.len().min(200);
        self.io(
            conn,
            at_client,
            SockIoKind::Receive,
            who,
            SeqRange::new(seq.start, head),
            at,
            at + 1_000,
        );
        if seq.len() > head {
            let rest = SeqRange::new(seq.start.plus(head), seq.len() - head);
            self.io(conn, at_client, SockIoKind::Receive, who, rest, at + 1_200, at + 1_800);
        }
    }

    /// The server answers at `at`; the exchange is recorded at all taps. Returns when it reaches
    /// the client.
    pub fn respond(
        &mut self,
        conn: &mut Conn,
        who: Process,
        at: u64,
        len: u32,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> u64 {
        let seq = SeqRange::new(conn.to_client, len);
        conn.to_client = seq.end;
        self.io(conn, false, SockIoKind::Send, who, seq, at, at + 6_000);
        conn.response = (seq, [at + 5_000, at + 3_000, at + 3_000]);
        for i in 0..3 {
            let near = i == 0;
            let (client, server) =
                if near { (conn.client, conn.server) } else { (conn.client_nat, conn.server_nat) };
            let request = message(conn.request.0, conn.request.1[i]);
            let response = message(seq, conn.response.1[i]);
            let mut e = exchange(conn.taps[i], client, server, Some(request), Some(response), path);
            headers.iter().for_each(|(key, value)| e.attributes.push_text(key, value));
            let delay = self.rng.below(self.exchange_delay + 1);
            self.inputs.push((conn.response.1[i] + delay, Input::Exchange(Box::new(e))));
        }
        at + 8_000
    }

    pub fn sorted(mut self) -> Vec<(u64, Input)> {
        self.inputs.sort_by_key(|(at, _)| *at);
        self.inputs
    }
}

fn message(seq: SeqRange, at: u64) -> MessageSpan {
    let at = Timestamp::from_nanos(at);
    MessageSpan { seq, bytes: u64::from(seq.len()), first: at, last: at, whole: true }
}

pub fn http(seq: SeqRange, first: u64, last: u64) -> MessageSpan {
    let (first, last) = (Timestamp::from_nanos(first), Timestamp::from_nanos(last));
    MessageSpan { seq, bytes: u64::from(seq.len()), first, last, whole: true }
}

pub fn exchange(
    tap: TapId,
    client: Endpoint,
    server: Endpoint,
    request: Option<MessageSpan>,
    response: Option<MessageSpan>,
    path: &str,
) -> Exchange {
    let mut attributes = Attributes::default();
    attributes.push_text("http.request.method", "GET");
    attributes.push_text("url.path", path);
    attributes.push_int("http.response.status_code", 200);
    Exchange {
        flow: FlowId(u64::from(tap.0) * 100_000 + u64::from(client.port)),
        tap,
        transport: Transport::Tcp,
        client,
        server,
        protocol: Protocol::new("http"),
        operation: "GET".into(),
        outcome: if response.is_some() { Outcome::Ok } else { Outcome::NoResponse },
        request,
        response,
        connect_ns: None,
        connected: None,
        waited_until: None,
        attributes,
        tcp: TcpTrouble::default(),
    }
}

pub fn attribute<'a>(call: &'a store::Call, key: &str) -> &'a str {
    call.attributes.text(key).unwrap_or_default()
}

/// Exchanges without any process, one a millisecond from `start`.
pub fn exchanges(n: u64, start: u64) -> Vec<Exchange> {
    (0..n)
        .map(|i| {
            let at = start + i * 1_000_000;
            let conn = (endpoint(9, 1024 + (i % 60_000) as u16), endpoint(8, 80));
            let seq = |base: u64| {
                SeqRange::new(
                    SeqNum((base ^ start.rotate_left(7) ^ i.wrapping_mul(0x9e37_79b9)) as u32),
                    100,
                )
            };
            let (request, response) =
                (http(seq(1), at, at), http(seq(2), at + 500_000, at + 500_000));
            exchange(TapId(1), conn.0, conn.1, Some(request), Some(response), "/x")
        })
        .collect()
}
