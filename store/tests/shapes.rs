//! How programs keep several requests in hand, and what may be believed of it: threads and event
//! loops that go straight from each receive to the next send are joined, everything else makes
//! roots that say so. A wrong link is never made.

#![allow(clippy::unwrap_used, reason = "a test")]

mod world;

use std::sync::Arc;

use store::{Call, Cause, Store, StoreConfig, Trace, Undecided};
use wire::{Process, SeqRange, SockIoKind, Timestamp};
use world::{Conn, Input, Recorder, attribute, process};

const T: u64 = 1_700_000_000_000_000_000;
const US: u64 = 1_000;
const MS: u64 = 1_000_000;

/// One request to the application under test, and the connection of its calls.
struct Request {
    id: usize,
    front: Conn,
    back: Conn,
    calls: usize,
}

/// The application under test, and the clock.
struct App {
    recorder: Recorder,
    now: u64,
    opened: usize,
}

fn thread(number: u32) -> Process {
    process(300, 300 + number, "app")
}

impl App {
    fn new() -> Self {
        Self { recorder: Recorder::new(1), now: T, opened: 0 }
    }

    fn pause(&mut self, time: u64) {
        self.now += time;
    }

    /// A client sends a request, which `tid` reads.
    fn receive(&mut self, tid: u32) -> Request {
        let id = self.opened;
        self.opened += 1;
        let mut front = self.recorder.connection(10, 2, 80, None, [1, 2, 3]);
        let back = self.recorder.connection(2, 3, 8000, None, [3, 2, 4]);
        let curl = process(1000 + id as u32, 1000 + id as u32, "curl");
        self.recorder.request(&mut front, curl, self.now, 100);
        self.pause(50 * US);
        self.recorder.read_request(&front, thread(tid), self.now);
        self.pause(10 * US);
        Request { id, front, back, calls: 0 }
    }

    fn call(&mut self, request: &mut Request, tid: u32) {
        let path = format!("/{}/{}", request.id, request.calls);
        request.calls += 1;
        let back = process(400, 400, "backend");
        let Request { back: conn, .. } = request;
        self.recorder.request(conn, thread(tid), self.now, 100);
        self.recorder.read_request(conn, back, self.now + 20 * US);
        self.recorder.respond(conn, back, self.now + 30 * US, 100, &path, &[]);
        self.pause(10 * US);
    }

    /// Reads the response to the call.
    fn answer(&mut self, request: &Request, tid: u32) {
        self.pause(50 * US);
        self.recorder.read_response(&request.back, thread(tid), self.now);
        self.pause(10 * US);
    }

    /// Reads a part of the response to the call.
    fn read(&mut self, request: &Request, tid: u32, part: SeqRange) {
        self.pause(50 * US);
        let kind = SockIoKind::Receive;
        self.recorder.io(&request.back, true, kind, thread(tid), part, self.now, self.now + US);
        self.pause(10 * US);
    }

    fn respond(&mut self, request: &mut Request, tid: u32) {
        let path = format!("/{}", request.id);
        self.recorder.respond(&mut request.front, thread(tid), self.now, 100, &path, &[]);
        self.pause(20 * US);
    }

    fn traces(self) -> Vec<Arc<Trace>> {
        let mut store = Store::open(StoreConfig::default()).unwrap();
        world::taps().into_iter().for_each(|tap| store.add_tap(tap));
        let (mut traces, mut tick) = (Vec::new(), T);
        for (at, input) in self.recorder.sorted() {
            while tick <= at {
                traces.extend(store.tick(Timestamp::from_nanos(tick)).unwrap());
                tick += 100 * MS;
            }
            match input {
                Input::Io(io) => store.add_sock_io(&io),
                Input::Exchange(exchange) => store.add_exchange(exchange),
            }
        }
        traces.extend(store.finish().unwrap());
        traces
    }
}

fn id(call: &Call) -> usize {
    attribute(call, "url.path").split('/').nth(1).unwrap().parse().unwrap()
}

/// Calls below their request, calls that are roots and say so, and the rest.
#[derive(Debug, Default, PartialEq, Eq)]
struct Links {
    right: usize,
    undecided: usize,
    wrong: usize,
}

fn links(traces: &[Arc<Trace>]) -> Links {
    let mut links = Links::default();
    for trace in traces {
        let is_call = trace.root.server.port == 8000;
        match trace.root.undecided {
            Some(Undecided { open_requests: 1.. }) if is_call => links.undecided += 1,
            None if !is_call => {}
            _ => links.wrong += 1,
        }
        for child in &trace.root.children {
            let right = id(child) == id(&trace.root) && child.cause == Cause::Thread;
            *if right { &mut links.right } else { &mut links.wrong } += 1;
        }
    }
    links
}

/// Two calls one after the other in `tid`.
fn serve(app: &mut App, tid: u32) {
    let mut request = app.receive(tid);
    for _ in 0..2 {
        app.call(&mut request, tid);
        app.answer(&request, tid);
    }
    app.respond(&mut request, tid);
}

#[test]
fn a_thread_for_each_request() {
    let mut app = App::new();
    for _ in 0..20 {
        let mut requests: Vec<_> = (0..4).map(|tid| app.receive(tid)).collect();
        for _ in 0..2 {
            (0..4).for_each(|tid| app.call(&mut requests[tid as usize], tid));
            // In another order, and after a pause.
            (0..4).rev().for_each(|tid| app.answer(&requests[tid as usize], tid));
            app.pause(20 * MS);
        }
        (0..4).for_each(|tid| app.respond(&mut requests[tid as usize], tid));
    }
    assert_eq!(links(&app.traces()), Links { right: 160, ..Links::default() });
}

#[test]
fn an_event_loop_that_handles_each_event_to_its_end() {
    let mut app = App::new();
    for _ in 0..20 {
        let mut requests: Vec<_> = (0..4)
            .map(|_| {
                let mut request = app.receive(0);
                app.call(&mut request, 0);
                request
            })
            .collect();
        for request in requests.iter_mut().rev() {
            app.answer(request, 0);
            app.call(request, 0);
        }
        for request in &mut requests {
            app.answer(request, 0);
            app.respond(request, 0);
        }
    }
    assert_eq!(links(&app.traces()), Links { right: 160, ..Links::default() });
}

/// As asyncio does: what was read in one round of the event loop is acted on in the next. `order`
/// changes the order of the requests from step to step.
fn rounds(order: impl Fn(&mut Vec<Request>)) -> Vec<Arc<Trace>> {
    let mut app = App::new();
    for round in 0..40 {
        let mut requests: Vec<_> = (0..1 + round % 4).map(|_| app.receive(0)).collect();
        for _ in 0..2 {
            requests.iter_mut().for_each(|request| app.call(request, 0));
            order(&mut requests);
            requests.iter().for_each(|request| app.answer(request, 0));
        }
        requests.iter_mut().for_each(|request| app.respond(request, 0));
    }
    app.traces()
}

#[test]
fn rounds_of_an_event_loop() {
    // 40 rounds with 100 requests of two calls each.
    let all = Links { undecided: 200, ..Links::default() };
    assert_eq!(links(&rounds(|_| {})), all);
    assert_eq!(links(&rounds(|requests| requests.reverse())), all);
    assert_eq!(links(&rounds(|requests| requests.rotate_left(1))), all);
}

/// As nginx does when a response comes in two packets: after the first there is nothing to do.
#[test]
fn an_event_loop_that_reads_responses_in_parts() {
    let mut app = App::new();
    for _ in 0..40 {
        let mut first = app.receive(0);
        app.call(&mut first, 0);
        let whole = first.back.response.0;
        let half = SeqRange::new(whole.start, 50);
        app.read(&first, 0, half);
        let mut second = app.receive(0);
        app.call(&mut second, 0);
        app.read(&first, 0, SeqRange { start: half.end, end: whole.end });
        app.respond(&mut first, 0);
        app.answer(&second, 0);
        app.respond(&mut second, 0);
    }
    assert_eq!(links(&app.traces()), Links { right: 80, ..Links::default() });
}

#[test]
fn an_event_loop_with_one_request_at_a_time() {
    let mut app = App::new();
    (0..10).for_each(|_| serve(&mut app, 0));
    assert_eq!(links(&app.traces()), Links { right: 20, ..Links::default() });
}

#[test]
fn timers_between_two_calls() {
    let mut app = App::new();
    let mut asleep: Vec<Request> = Vec::new();
    for _ in 0..100 {
        let mut request = app.receive(0);
        app.call(&mut request, 0);
        // The timer of an earlier request ends before the response comes, or after it.
        if asleep.len() > 3 {
            let mut other = asleep.remove(0);
            if request.id.is_multiple_of(2) {
                app.answer(&request, 0);
                app.call(&mut other, 0);
            } else {
                app.call(&mut other, 0);
                app.answer(&request, 0);
            }
            app.answer(&other, 0);
            app.respond(&mut other, 0);
        } else {
            app.answer(&request, 0);
        }
        asleep.push(request);
    }
    let links = links(&app.traces());
    assert_eq!((links.right, links.wrong), (0, 0), "{links:?}");
}

#[test]
fn work_that_moves_to_another_thread() {
    let mut app = App::new();
    for _ in 0..50 {
        // The first request's work goes on in the thread that has just read the second one.
        let (mut first, mut second) = (app.receive(0), app.receive(1));
        app.call(&mut first, 1);
        app.call(&mut second, 0);
        app.answer(&first, 1);
        app.answer(&second, 0);
        app.respond(&mut first, 1);
        app.respond(&mut second, 0);
    }
    let links = links(&app.traces());
    assert_eq!((links.right, links.wrong), (0, 0), "{links:?}");
}

#[test]
fn a_thread_reads_requests_and_others_work_for_them() {
    let mut app = App::new();
    for _ in 0..50 {
        let mut requests: Vec<_> = (0..3).map(|_| app.receive(0)).collect();
        for _ in 0..2 {
            (1..).zip(&mut requests).for_each(|(tid, request)| app.call(request, tid));
            (1..).zip(&requests).for_each(|(tid, request)| app.answer(request, tid));
        }
        (1..).zip(&mut requests).for_each(|(tid, request)| app.respond(request, tid));
    }
    assert_eq!(links(&app.traces()), Links { undecided: 300, ..Links::default() });
}
