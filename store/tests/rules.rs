//! Single rules of joining, each in the smallest scenario.

#![allow(clippy::unwrap_used, reason = "a test")]

mod world;

use fact::{Exchange, Outcome, Protocol};
use std::sync::Arc;
use store::{Call, Cause, Store, StoreConfig, Trace, Undecided};
use wire::{SeqNum, SeqRange, SockIoKind, TapId, Timestamp, Transport};
use world::{Conn, Input, Recorder, attribute, endpoint, exchange, http, process};

const T: u64 = 1_700_000_000_000_000_000;
const MS: u64 = 1_000_000;
const TRACEPARENT: (&str, &str) =
    ("http.request.header.traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

fn feed(recorder: Recorder, config: StoreConfig) -> (Vec<Arc<Trace>>, Store) {
    let mut store = Store::open(config).unwrap();
    world::taps().into_iter().for_each(|tap| store.add_tap(tap));
    let mut traces = Vec::new();
    let mut tick = T;
    for (at, input) in recorder.sorted() {
        while tick <= at {
            traces.extend(store.tick(Timestamp::from_nanos(tick)).unwrap());
            tick += 100 * MS;
        }
        match input {
            Input::Io(io) => store.add_sock_io(&io),
            Input::Exchange(e) => store.add_exchange(e),
        }
    }
    traces.extend(store.finish().unwrap());
    traces.sort_by_key(|t| t.root.start_unix_ns);
    (traces, store)
}

fn shape(call: &Call) -> String {
    let children: Vec<String> = call.children.iter().map(shape).collect();
    format!("{}({})", attribute(call, "url.path"), children.join(" "))
}

fn shapes(traces: &[Arc<Trace>]) -> Vec<String> {
    traces.iter().map(|t| shape(&t.root)).collect()
}

fn front(r: &mut Recorder) -> Conn {
    r.connection(10, 2, 80, None, [1, 2, 3])
}

fn back(r: &mut Recorder) -> Conn {
    r.connection(2, 3, 8000, None, [3, 2, 4])
}

#[test]
fn a_call_made_after_the_answer_is_a_root() {
    let mut r = Recorder::new(1);
    let (curl, app, db) = (process(1, 1, "curl"), process(2, 2, "app"), process(3, 3, "db"));
    let (mut a, mut b) = (front(&mut r), back(&mut r));
    r.request(&mut a, curl, T, 100);
    r.read_request(&a, app, T + MS);
    r.respond(&mut a, app, T + 2 * MS, 100, "/a", &[]);
    r.connect(&b, app, T + 3 * MS);
    r.request(&mut b, app, T + 4 * MS, 100);
    r.read_request(&b, db, T + 5 * MS);
    r.respond(&mut b, db, T + 6 * MS, 100, "/b", &[]);
    let (traces, _) = feed(r, StoreConfig::default());
    assert_eq!(shapes(&traces), ["/a()", "/b()"]);
}

/// The record of a send that blocked may know its end alone.
#[test]
fn nothing_is_sent_after_its_packets() {
    let mut r = Recorder::new(1);
    let (curl, app) = (process(1, 1, "curl"), process(2, 2, "app"));
    let mut a = front(&mut r);
    r.request(&mut a, curl, T, 100);
    r.read_request(&a, app, T + MS);
    let answered = r.respond(&mut a, app, T + 2 * MS, 100, "/a", &[]);
    r.read_response(&a, curl, answered);
    for (_, input) in &mut r.inputs {
        if let Input::Io(io) = input
            && io.kind == SockIoKind::Send
        {
            io.enter = io.exit;
        }
    }
    let (traces, _) = feed(r, StoreConfig::default());
    let call = &traces[0].root;
    let (requests, responses): (Vec<_>, Vec<_>) =
        call.hops.iter().map(|hop| (hop.request_ns, hop.response_ns)).unzip();
    assert_eq!(call.client.sent_ns, requests.into_iter().min().unwrap());
    assert_eq!(call.server.sent_ns, responses.into_iter().min().unwrap());
    assert_eq!(call.start_unix_ns, call.client.sent_ns.unwrap());
}

#[test]
fn a_connection_opened_in_advance_follows_its_requests() {
    let mut r = Recorder::new(1);
    let (curl, app, db) = (process(1, 1, "curl"), process(2, 2, "app"), process(3, 3, "db"));
    let (mut a, mut b) = (front(&mut r), back(&mut r));
    r.connect(&b, app, T);
    r.request(&mut a, curl, T + 3000 * MS, 100);
    r.read_request(&a, app, T + 3001 * MS);
    r.request(&mut b, app, T + 3002 * MS, 100);
    r.read_request(&b, db, T + 3003 * MS);
    let answered = r.respond(&mut b, db, T + 3004 * MS, 100, "/b", &[]);
    r.read_response(&b, app, answered);
    r.respond(&mut a, app, T + 3006 * MS, 100, "/a", &[]);
    let (traces, store) = feed(r, StoreConfig::default());
    assert_eq!(shapes(&traces), ["/a(/b())"]);
    assert_eq!((store.counters().ambiguous, store.counters().undecided), (0, 0));
}

#[test]
fn a_request_of_half_a_minute_still_finds_its_processes_and_children() {
    let mut r = Recorder::new(1);
    let (curl, app, db) = (process(1, 1, "curl"), process(2, 2, "app"), process(3, 3, "db"));
    let mut a = front(&mut r);
    r.request(&mut a, curl, T, 100);
    r.read_request(&a, app, T + MS);
    for i in 0..30 {
        let mut b = back(&mut r);
        let at = T + i * 1000 * MS + 2 * MS;
        r.connect(&b, app, at);
        r.request(&mut b, app, at + MS, 100);
        r.read_request(&b, db, at + 2 * MS);
        let answered = r.respond(&mut b, db, at + 3 * MS, 100, "/b", &[]);
        r.read_response(&b, app, answered);
        r.close(&b, true, app, answered + MS);
    }
    r.respond(&mut a, app, T + 30_500 * MS, 100, "/a", &[]);
    let (traces, _) = feed(r, StoreConfig::default());
    assert_eq!(traces.len(), 1);
    assert_eq!(traces[0].root.children.len(), 30);
    assert_eq!(traces[0].root.client.process.as_ref().unwrap().command, "curl");
    assert_eq!(traces[0].root.server.received_ns, Some(T + MS + 1000));
}

#[test]
fn of_several_requests_read_at_once_none_is_guessed() {
    let mut r = Recorder::new(1);
    let (curl, app, db) = (process(1, 1, "curl"), process(2, 2, "app"), process(3, 3, "db"));
    let (mut a, mut b) = (front(&mut r), back(&mut r));
    r.request(&mut a, curl, T, 100);
    let first = a.request;
    r.request(&mut a, curl, T + 20_000, 100);
    let second = a.request;
    let both = SeqRange { start: first.0.start, end: second.0.end };
    r.io(&a, false, SockIoKind::Receive, app, both, T + MS, T + MS + 1000);
    r.connect(&b, app, T + 2 * MS);
    r.request(&mut b, app, T + 3 * MS, 100);
    r.read_request(&b, db, T + 4 * MS);
    let answered = r.respond(&mut b, db, T + 5 * MS, 100, "/b", &[]);
    r.read_response(&b, app, answered);
    a.request = first;
    r.respond(&mut a, app, T + 7 * MS, 100, "/first", &[]);
    a.request = second;
    r.respond(&mut a, app, T + 8 * MS, 100, "/second", &[]);
    let (traces, store) = feed(r, StoreConfig::default());
    assert_eq!(shapes(&traces), ["/first()", "/second()", "/b()"]);
    assert_eq!(traces[2].root.undecided, Some(Undecided { open_requests: 1 }));
    assert_eq!((store.counters().ambiguous, store.counters().undecided), (0, 1));
}

/// A thread takes a request, another makes the call: nothing but a header can tell.
fn handed_over(header: (&'static str, &str), other_header: (&'static str, &str)) -> Recorder {
    let mut r = Recorder::new(1);
    let (curl, taker, maker, db) =
        (process(1, 1, "curl"), process(2, 2, "app"), process(2, 22, "app"), process(3, 3, "db"));
    let (mut a, mut b) = (front(&mut r), back(&mut r));
    r.request(&mut a, curl, T, 100);
    r.read_request(&a, taker, T + MS);
    r.connect(&b, maker, T + 2 * MS);
    r.request(&mut b, maker, T + 3 * MS, 100);
    r.read_request(&b, db, T + 4 * MS);
    let answered = r.respond(&mut b, db, T + 5 * MS, 100, "/b", &[other_header]);
    r.read_response(&b, maker, answered);
    r.respond(&mut a, taker, T + 7 * MS, 100, "/a", &[header]);
    r
}

#[test]
fn a_header_joins_what_changed_threads() {
    let request_id = ("http.request.header.x-request-id", "f00dcafe");
    for header in
        [TRACEPARENT, request_id, ("http.request.header.sw8", "1-dHJhY2U=-c2Vn-0-x-y-z-w")]
    {
        let (traces, _) = feed(handed_over(header, header), StoreConfig::default());
        assert_eq!(shapes(&traces), ["/a(/b())"], "{header:?}");
        assert_eq!(traces[0].root.children[0].cause, Cause::Header);
    }
    let off = StoreConfig { use_headers: false, ..StoreConfig::default() };
    let (traces, _) = feed(handed_over(TRACEPARENT, TRACEPARENT), off);
    assert_eq!(shapes(&traces), ["/a()", "/b()"]);
    let (traces, _) = feed(handed_over(TRACEPARENT, request_id), StoreConfig::default());
    assert_eq!(shapes(&traces), ["/a()", "/b()"]);
}

#[test]
fn a_header_joins_also_when_the_parent_ends_after_a_while() {
    let mut r = handed_over(TRACEPARENT, TRACEPARENT);
    for (at, input) in &mut r.inputs {
        if let Input::Exchange(e) = input
            && e.server == endpoint(2, 80)
        {
            *at += 1_500 * MS;
        }
    }
    let (traces, _) = feed(r, StoreConfig::default());
    assert_eq!(shapes(&traces), ["/a(/b())"]);
}

#[test]
fn the_trace_takes_the_id_of_its_root_s_traceparent() {
    let (traces, _) = feed(handed_over(TRACEPARENT, TRACEPARENT), StoreConfig::default());
    assert_eq!(traces[0].trace_id.to_string(), "0af7651916cd43dd8448eb211c80319c");
}

#[test]
fn the_same_header_of_another_host_or_time_joins_nothing() {
    let header = ("http.request.header.x-request-id", "always-the-same");
    let call = |client: u8, server: u8, from: u64, to: u64, seq: u32, path: &str| {
        let message = |base: u32, at: u64| http(SeqRange::new(SeqNum(base), 50), at, at);
        let ends = (endpoint(client, 4000 + seq as u16), endpoint(server, 80));
        let mut e = exchange(
            TapId(1),
            ends.0,
            ends.1,
            Some(message(seq, from)),
            Some(message(!seq, to)),
            path,
        );
        e.attributes.push_text(header.0, header.1);
        e
    };
    let mut store = Store::open(StoreConfig::default()).unwrap();
    for e in [
        call(1, 2, T, T + 9 * MS, 1, "/a"),
        // Not from host 2; before; not within.
        call(7, 3, T + MS, T + 2 * MS, 2, "/b"),
        call(2, 3, T - MS, T + MS, 3, "/c"),
        call(2, 3, T + 8 * MS, T + 19 * MS, 4, "/d"),
        call(2, 3, T + 4 * MS, T + 5 * MS, 5, "/child"),
    ] {
        store.add_exchange(Box::new(e));
    }
    let mut found = shapes(&store.finish().unwrap());
    found.sort();
    assert_eq!(found, ["/a(/child())", "/b()", "/c()", "/d()"]);
}

fn datagram(tap: u32, client: (u8, u16), server: u8, id: u32, at: u64) -> Exchange {
    let empty = SeqRange::new(SeqNum(id), 0);
    let mut e = exchange(
        TapId(tap),
        endpoint(client.0, client.1),
        endpoint(server, 53),
        Some(http(empty, at, at)),
        Some(http(empty, at + MS, at + MS)),
        "",
    );
    (e.transport, e.protocol, e.operation) = (Transport::Udp, Protocol::new("dns"), "A".into());
    e.attributes.push_text("dns.question.name", "example.org");
    e
}

#[test]
fn datagrams_join_by_transaction_also_across_translation_and_not_for_ever() {
    let mut store = Store::open(StoreConfig::default()).unwrap();
    store.add_exchange(Box::new(datagram(1, (5, 999), 53, 7, T)));
    store.add_exchange(Box::new(datagram(2, (5, 999), 53, 7, T)));
    store.add_exchange(Box::new(datagram(3, (5, 999), 54, 7, T + 4000)));
    store.add_exchange(Box::new(datagram(1, (5, 999), 53, 8, T)));
    store.add_exchange(Box::new(datagram(1, (5, 999), 53, 7, T + 3000 * MS)));
    let mut hops: Vec<usize> = store.finish().unwrap().iter().map(|t| t.root.hops.len()).collect();
    hops.sort_unstable();
    assert_eq!(hops, [1, 1, 3]);
}

#[test]
fn a_tap_that_missed_the_response_is_a_hop_all_the_same() {
    let ends = (endpoint(1, 5000), endpoint(2, 80));
    let request = http(SeqRange::new(SeqNum(u32::MAX - 20), 100), T, T);
    let response = http(SeqRange::new(SeqNum(9), 100), T + MS, T + MS);
    let mut store = Store::open(StoreConfig::default()).unwrap();
    store.add_exchange(Box::new(exchange(TapId(1), ends.0, ends.1, Some(request), None, "/x")));
    store.add_exchange(Box::new(exchange(
        TapId(2),
        ends.0,
        ends.1,
        Some(request),
        Some(response),
        "/x",
    )));
    store.add_exchange(Box::new(exchange(TapId(3), ends.0, ends.1, None, Some(response), "/x")));
    let traces = store.finish().unwrap();
    assert_eq!(traces.len(), 1);
    assert_eq!(traces[0].root.outcome, Outcome::Ok);
    assert_eq!(traces[0].root.hops.len(), 3);
}

/// A call follows a query whose protocol nobody understands, on a kept or a new connection.
fn after_a_query(kept: bool, gap: u64) -> Vec<Arc<Trace>> {
    let mut r = Recorder::new(1);
    let (curl, app, db) = (process(1, 1, "curl"), process(2, 2, "app"), process(3, 3, "db"));
    let (mut a, mut b, mut query) = (front(&mut r), back(&mut r), back(&mut r));
    if kept {
        r.connect(&query, app, T);
    }
    let t = T + 100 * MS;
    r.request(&mut a, curl, t, 100);
    r.read_request(&a, app, t + MS);
    if !kept {
        r.connect(&query, app, t + 2 * MS);
    }
    r.request(&mut query, app, t + 3 * MS, 100);
    query.response.0 = SeqRange::new(query.to_client, 300);
    r.read_response(&query, app, t + 4 * MS);
    r.connect(&b, app, t + 5 * MS);
    r.request(&mut b, app, t + 6 * MS, 100);
    r.read_request(&b, db, t + 7 * MS);
    let answered = r.respond(&mut b, db, t + 8 * MS, 100, "/b", &[]);
    r.read_response(&b, app, answered);
    r.respond(&mut a, app, t + gap, 100, "/a", &[]);
    feed(r, StoreConfig::default()).0
}

#[test]
fn queries_that_are_not_understood_do_not_break_the_chain() {
    for gap in [10 * MS, 1000 * MS, 9000 * MS] {
        for kept in [false, true] {
            assert_eq!(shapes(&after_a_query(kept, gap)), ["/a(/b())"], "{gap} {kept}");
        }
    }
}
