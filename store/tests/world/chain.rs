//! A chain of services under concurrent load, and how well its traces were joined.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use store::{Store, StoreConfig, Trace};
use wire::{Process, SockIoKind, Tap, TapId, TapKind, Timestamp};

use super::build::{Conn, Input, Recorder, attribute, process};

/// client → proxy (one event-loop thread) → service (threads) → back end (one event-loop thread).
#[derive(Clone, Debug)]
pub struct Setup {
    pub seed: u64,
    pub requests: usize,
    pub clients: usize,
    pub client_keeps: bool,
    pub proxy_keeps: bool,
    pub nat: bool,
    pub threads: usize,
    /// Calls that the service makes to the back end, one after the other.
    pub calls: usize,
    pub lost: u64,
    pub io_delay: u64,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: 1,
            requests: 2_000,
            clients: 16,
            client_keeps: false,
            proxy_keeps: false,
            nat: false,
            threads: 16,
            calls: 1,
            lost: 0,
            io_delay: 50_000_000,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    ClientStart(usize),
    ProxyReadable(usize),
    ProxyConnected(usize),
    ServiceReadable(usize),
    BackReadable(usize),
    ServiceAnswered(usize),
    ThreadFree(usize),
    ProxyAnswered(usize),
    ClientAnswered(usize),
}

struct Request {
    client: usize,
    front: Conn,
    middle: Option<Conn>,
    back: Option<Conn>,
    thread: usize,
    left: usize,
    fresh: bool,
}

const START: u64 = 1_700_000_000_000_000_000;

/// All that taps and kernel recorded, in the order in which it reaches the store.
pub fn simulate(setup: &Setup) -> Vec<(u64, Input)> {
    let mut r = Recorder::new(setup.seed);
    r.lost = setup.lost;
    r.io_delay = setup.io_delay;
    let mut heap = BinaryHeap::new();
    for client in 0..setup.clients {
        heap.push(Reverse((START + r.rng.below(2_000_000), Event::ClientStart(client))));
    }
    let mut requests: Vec<Request> = Vec::new();
    let mut idle_front: Vec<Option<Conn>> = vec![None; setup.clients];
    let mut idle_middle: Vec<Conn> = Vec::new();
    let mut free_threads: VecDeque<usize> = (0..setup.threads).collect();
    let mut queue: VecDeque<usize> = VecDeque::new();
    let (mut proxy_free, mut back_free) = (0u64, 0u64);
    let proxy = process(200, 200, "nginx");
    let back = process(400, 400, "backend");
    let service = |thread: usize| process(300, 301 + thread as u32, "gunicorn");
    let curl = |client: usize| process(1000 + client as u32, 1000 + client as u32, "curl");
    let path = |id: usize| format!("/r/{id}");
    let busy = |free: &mut u64, at: u64, needs: u64| {
        let begin = (*free).max(at);
        *free = begin + needs;
        begin
    };
    while let Some(Reverse((at, event))) = heap.pop() {
        match event {
            Event::ClientStart(client) => {
                if requests.len() >= setup.requests {
                    continue;
                }
                let id = requests.len();
                let kept = idle_front[client].take();
                let fresh = kept.is_none();
                let mut front =
                    kept.unwrap_or_else(|| r.connection(10 + client as u8, 2, 80, None, [1, 2, 3]));
                if fresh {
                    r.connect(&front, curl(client), at);
                }
                let len = 80 + r.rng.below(300) as u32;
                let reaches = r.request(&mut front, curl(client), at + 30_000, len);
                requests.push(Request {
                    client,
                    front,
                    middle: None,
                    back: None,
                    thread: 0,
                    left: setup.calls,
                    fresh,
                });
                heap.push(Reverse((reaches, Event::ProxyReadable(id))));
            }
            Event::ProxyReadable(id) => {
                let begin = busy(&mut proxy_free, at, 15_000);
                let q = &mut requests[id];
                if q.fresh {
                    r.io(
                        &q.front,
                        false,
                        SockIoKind::Accept,
                        proxy,
                        wire::SeqRange::default(),
                        begin,
                        begin + 500,
                    );
                }
                r.read_request(&q.front, proxy, begin + 1_000);
                let virtual_host = setup.nat.then_some(99);
                match idle_middle.pop().filter(|_| setup.proxy_keeps) {
                    Some(mut middle) => {
                        let reaches = r.request(&mut middle, proxy, begin + 6_000, 120);
                        q.middle = Some(middle);
                        heap.push(Reverse((reaches, Event::ServiceReadable(id))));
                    }
                    None => {
                        let middle = r.connection(2, 3, 8000, virtual_host, [3, 2, 4]);
                        r.connect(&middle, proxy, begin + 5_000);
                        q.middle = Some(middle);
                        let later = begin + 20_000 + r.rng.below(100_000);
                        heap.push(Reverse((later, Event::ProxyConnected(id))));
                    }
                }
            }
            Event::ProxyConnected(id) => {
                let begin = busy(&mut proxy_free, at, 10_000);
                let middle = requests[id].middle.as_mut().unwrap();
                let reaches = r.request(middle, proxy, begin + 1_000, 120);
                heap.push(Reverse((reaches, Event::ServiceReadable(id))));
            }
            Event::ServiceReadable(id) => {
                let Some(thread) = free_threads.pop_front() else {
                    queue.push_back(id);
                    continue;
                };
                requests[id].thread = thread;
                let who = service(thread);
                r.read_request(requests[id].middle.as_ref().unwrap(), who, at + 2_000);
                call_back(&mut r, &mut heap, &mut requests[id], id, who, at + 10_000);
            }
            Event::BackReadable(id) => {
                let begin = busy(&mut back_free, at, 9_000);
                let conn = requests[id].back.as_mut().unwrap();
                r.read_request(conn, back, begin + 500);
                let reaches = r.respond(conn, back, begin + 3_000, 150, &path(id), &[]);
                heap.push(Reverse((reaches + r.rng.below(50_000), Event::ServiceAnswered(id))));
            }
            Event::ServiceAnswered(id) => {
                let who = service(requests[id].thread);
                let conn = requests[id].back.as_ref().unwrap();
                r.read_response(conn, who, at);
                r.close(conn, true, who, at + 5_000);
                requests[id].left -= 1;
                if requests[id].left > 0 {
                    call_back(&mut r, &mut heap, &mut requests[id], id, who, at + 20_000);
                    continue;
                }
                let middle = requests[id].middle.as_mut().unwrap();
                let size = 300 + r.rng.below(4000) as u32;
                let reaches = r.respond(middle, who, at + 30_000, size, &path(id), &[]);
                heap.push(Reverse((reaches, Event::ProxyAnswered(id))));
                heap.push(Reverse((at + 40_000, Event::ThreadFree(requests[id].thread))));
            }
            Event::ThreadFree(thread) => {
                free_threads.push_back(thread);
                if let Some(next) = queue.pop_front() {
                    heap.push(Reverse((at + 10_000, Event::ServiceReadable(next))));
                }
            }
            Event::ProxyAnswered(id) => {
                let begin = busy(&mut proxy_free, at, 20_000);
                let q = &mut requests[id];
                let middle = q.middle.take().unwrap();
                r.read_response(&middle, proxy, begin + 500);
                if setup.proxy_keeps {
                    idle_middle.push(middle);
                } else {
                    r.close(&middle, true, proxy, begin + 5_000);
                }
                let reaches = r.respond(&mut q.front, proxy, begin + 6_000, 500, &path(id), &[]);
                heap.push(Reverse((reaches, Event::ClientAnswered(id))));
            }
            Event::ClientAnswered(id) => {
                let q = &requests[id];
                r.read_response(&q.front, curl(q.client), at);
                if setup.client_keeps {
                    idle_front[q.client] = Some(q.front.clone());
                } else {
                    r.close(&q.front, true, curl(q.client), at + 2_000);
                    r.close(&q.front, false, proxy, at + 90_000);
                }
                heap.push(Reverse((
                    at + 10_000 + r.rng.below(200_000),
                    Event::ClientStart(q.client),
                )));
            }
        }
    }
    r.sorted()
}

fn call_back(
    r: &mut Recorder,
    heap: &mut BinaryHeap<Reverse<(u64, Event)>>,
    q: &mut Request,
    id: usize,
    who: Process,
    at: u64,
) {
    let mut conn = r.connection(3, 4, 9000, None, [4, 2, 5]);
    r.connect(&conn, who, at);
    let reaches = r.request(&mut conn, who, at + 40_000, 100);
    q.back = Some(conn);
    heap.push(Reverse((reaches, Event::BackReadable(id))));
}

/// Names of the taps that the simulation uses.
pub fn taps() -> Vec<Tap> {
    let tap = |id, name: &str, kind| Tap { id: TapId(id), name: name.into(), kind };
    vec![
        tap(1, "veth_client", TapKind::Veth),
        tap(2, "bridge", TapKind::Bridge),
        tap(3, "veth_proxy", TapKind::Veth),
        tap(4, "veth_service", TapKind::Veth),
        tap(5, "veth_back", TapKind::Veth),
    ]
}

/// Feeds a store as the binary does, a tick every 100 ms.
pub fn run(setup: &Setup, config: StoreConfig) -> (Vec<Arc<Trace>>, Store) {
    let mut store = Store::open(config).unwrap();
    taps().into_iter().for_each(|tap| store.add_tap(tap));
    let mut traces = Vec::new();
    let mut next_tick = START;
    for (at, input) in simulate(setup) {
        while next_tick <= at {
            traces.extend(store.tick(Timestamp::from_nanos(next_tick)).unwrap());
            next_tick += 100_000_000;
        }
        match input {
            Input::Io(io) => store.add_sock_io(&io),
            Input::Exchange(exchange) => store.add_exchange(exchange),
        }
    }
    for _ in 0..60 {
        traces.extend(store.tick(Timestamp::from_nanos(next_tick)).unwrap());
        next_tick += 100_000_000;
    }
    traces.extend(store.finish().unwrap());
    (traces, store)
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    pub traces: usize,
    /// Whole, with every process and hop, and nothing else in it.
    pub complete: usize,
    /// With a call of another request in it.
    pub foreign: usize,
}

pub fn score(traces: &[Arc<Trace>], calls: usize) -> Score {
    let mut score = Score { traces: traces.len(), ..Score::default() };
    for trace in traces {
        let path = attribute(&trace.root, "url.path");
        let (mut own, mut all, mut whole) = (0, 0, true);
        trace.visit(|call| {
            all += 1;
            own += usize::from(attribute(call, "url.path") == path);
            whole &= call.client.process.is_some()
                && call.server.process.is_some()
                && call.hops.len() == 3;
            whole &= call.client.sent_ns <= call.hops[0].request_ns;
            whole &= call.hops.windows(2).all(|pair| pair[0].request_ns <= pair[1].request_ns);
            whole &= call.hops.last().unwrap().request_ns <= call.server.received_ns;
        });
        let shape =
            trace.root.children.len() == 1 && trace.root.children[0].children.len() == calls;
        score.foreign += usize::from(own != all);
        score.complete += usize::from(own == all && whole && shape);
    }
    score
}
