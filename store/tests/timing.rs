//! Where the time of a call went: connect, send, wait and receive, the network's share, and the
//! part of a trace that took longest.

#![allow(clippy::unwrap_used, reason = "a test")]

mod world;

use std::sync::Arc;

use fact::{Connected, Exchange, Outcome};
use store::{Call, ObservedAt, Part, PartKind, Store, StoreConfig, Trace, culprit, flatten};
use wire::{Direction, Process, SeqNum, SeqRange, SockIo, SockIoKind, TapId, Timestamp, Transport};
use world::{endpoint, exchange, http, process};

const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;
const US: u64 = 1_000;
const START: u64 = 1_700_000_000 * SECOND;

fn at(ns: u64) -> Timestamp {
    Timestamp::from_nanos(START + ns)
}

/// First and last byte of request and response at one tap, in nanoseconds from the start.
fn seen(tap: u32, request: (u64, u64), response: Option<(u64, u64)>) -> Exchange {
    let message = |seq: u32, len, (first, last): (u64, u64)| {
        http(SeqRange::new(SeqNum(seq), len), START + first, START + last)
    };
    let (client, server) = (endpoint(1, 40_000), endpoint(2, 80));
    let response = response.map(|times| message(5_000, 300_000, times));
    exchange(TapId(tap), client, server, Some(message(100, 2_000, request)), response, "/x")
}

fn opened(mut exchange: Exchange, from: u64, until: u64, repeats: u32) -> Exchange {
    exchange.connect_ns = Some(until - from);
    exchange.connected = Some(Connected { at: at(until), repeats });
    exchange
}

fn unanswered(mut exchange: Exchange, outcome: Outcome, until: u64) -> Exchange {
    exchange.outcome = outcome;
    exchange.waited_until = Some(at(until));
    exchange
}

/// A system call on the client's (cookie 1) or the server's socket (2).
fn io(
    client: bool,
    kind: SockIoKind,
    seq: (u32, u32),
    enter: u64,
    exit: u64,
    process: Process,
) -> SockIo {
    let (near, far) = (endpoint(1, 40_000), endpoint(2, 80));
    let (local, remote) = if client { (near, far) } else { (far, near) };
    SockIo {
        kind,
        process,
        cookie: if client { 1 } else { 2 },
        local,
        remote,
        seq: SeqRange::new(SeqNum(seq.0), seq.1),
        enter: at(enter),
        exit: at(exit),
    }
}

fn trace(exchanges: Vec<Exchange>, records: &[SockIo]) -> Arc<Trace> {
    let mut store = Store::open(StoreConfig::default()).unwrap();
    records.iter().for_each(|io| store.add_sock_io(io));
    exchanges.into_iter().for_each(|exchange| store.add_exchange(Box::new(exchange)));
    let mut traces = store.finish().unwrap();
    assert_eq!(traces.len(), 1);
    traces.pop().unwrap()
}

/// Connect, send, wait, receive; and that they add up.
fn phases(call: &Call) -> [Option<u64>; 4] {
    let phases = [call.connect_ns, Some(call.send_ns), call.wait_ns, Some(call.transfer_ns)];
    assert_eq!(phases.iter().flatten().sum::<u64>(), call.duration_ns(), "{call:#?}");
    assert!(call.has_phases());
    phases
}

#[test]
fn the_first_tap_tells_the_phases_and_the_last_one_the_service() {
    let near = seen(1, (MS, 3 * MS), Some((50 * MS, 90 * MS)));
    let far = seen(2, (6 * MS, 8 * MS), Some((45 * MS, 85 * MS)));
    let trace = trace(vec![far, near], &[]);
    let call = &trace.root;
    assert_eq!(phases(call), [None, Some(2 * MS), Some(47 * MS), Some(40 * MS)]);
    assert_eq!((call.service_ns, call.network_ns), (Some(37 * MS), Some(10 * MS)));
    let longest = culprit(call).unwrap();
    assert_eq!((longest.part, longest.duration_ns), (Part::Transfer, 40 * MS));
    assert_eq!(trace.longest.unwrap().part, PartKind::Transfer);
    let at_taps: Vec<_> = flatten(&trace)
        .iter()
        .map(|span| (span.phases.send_ns, span.phases.wait_ns, span.phases.receive_ns))
        .collect();
    assert_eq!(at_taps, [(2 * MS, Some(47 * MS), 40 * MS), (2 * MS, Some(37 * MS), 40 * MS)]);
}

#[test]
fn a_single_tap_cannot_tell_service_from_network() {
    let trace = trace(vec![seen(1, (0, 0), Some((50 * MS, 51 * MS)))], &[]);
    assert_eq!((trace.root.service_ns, trace.root.network_ns), (None, None));
    let longest = culprit(&trace.root).unwrap();
    assert_eq!((longest.part, longest.duration_ns), (Part::Wait, 50 * MS));
}

/// Taps whose clocks differ by more than the call took: each difference is of one clock.
#[test]
fn clocks_of_two_nodes_need_not_agree() {
    let near = seen(1, (0, 0), Some((50 * MS, 50 * MS)));
    let far = seen(2, (200 * MS, 200 * MS), Some((230 * MS, 230 * MS)));
    let trace = trace(vec![near, far], &[]);
    assert_eq!((trace.root.service_ns, trace.root.network_ns), (Some(30 * MS), Some(20 * MS)));
}

/// Times between one node's clock of packets and that of its system calls may cross by some
/// microseconds: what would be negative is nothing.
#[test]
fn a_service_that_seems_to_take_longer_than_the_wait_leaves_nothing_to_the_network() {
    let near = seen(1, (10, 10), Some((50 * MS, 50 * MS)));
    let far = seen(2, (20, 20), Some((50 * MS + 100, 50 * MS + 100)));
    let trace = trace(vec![near, far], &[]);
    assert_eq!(trace.root.network_ns, Some(0));
    phases(&trace.root);
}

#[test]
fn a_call_begins_with_the_connection_that_was_opened_for_it() {
    let near = opened(
        seen(1, (1_021 * MS, 1_021 * MS), Some((1_030 * MS, 1_030 * MS))),
        MS,
        1_020 * MS,
        1,
    );
    let far = opened(
        seen(2, (1_021 * MS + 10, 1_021 * MS + 10), Some((1_029 * MS, 1_029 * MS))),
        1_019 * MS,
        1_020 * MS,
        0,
    );
    let trace = trace(vec![near, far], &[]);
    let call = &trace.root;
    assert_eq!(call.start_unix_ns, START + MS);
    assert_eq!(phases(call), [Some(1_020 * MS), Some(0), Some(9 * MS), Some(0)]);
    assert_eq!(call.syn_repeats, 1);
    assert_eq!(culprit(call).unwrap().part, Part::Connect);
    // The spans of the taps have their own: as packets passed there, from the request on.
    let spans = flatten(&trace);
    assert_eq!(spans[0].phases.connect_ns, Some(1_019 * MS));
    assert_eq!(spans[1].phases.connect_ns, Some(MS));
    assert_eq!(spans[0].start_unix_ns, START + 1_021 * MS);
}

#[test]
fn a_connection_opened_in_advance_was_not_waited_for() {
    for (idle, expected) in [(10 * MS, Some(11 * MS)), (10 * MS + 1, None), (SECOND, None)] {
        let begin = MS + idle;
        let exchange = opened(seen(1, (begin, begin), Some((begin + MS, begin + MS))), 0, MS, 0);
        let trace = trace(vec![exchange], &[]);
        assert_eq!(phases(&trace.root)[0], expected, "{idle} ns idle");
    }
    // A slow handshake may be followed a little later.
    let begin = 1_100 * MS;
    let exchange =
        opened(seen(1, (begin, begin), Some((begin + MS, begin + MS))), 0, 1_020 * MS, 1);
    assert_eq!(phases(&trace(vec![exchange], &[]).root)[0], Some(1_100 * MS));
}

#[test]
fn a_call_without_a_response_lasts_as_long_as_was_waited() {
    for outcome in [Outcome::NoResponse, Outcome::Reset] {
        let near = unanswered(seen(1, (0, MS), None), outcome, 30 * SECOND);
        let far = unanswered(seen(2, (MS, 2 * MS), None), outcome, 30 * SECOND - MS);
        let trace = trace(vec![near, far], &[]);
        let call = &trace.root;
        assert_eq!(phases(call), [None, Some(MS), Some(30 * SECOND - MS), Some(0)]);
        assert_eq!((call.service_ns, call.network_ns), (None, None));
        assert_eq!(culprit(call).unwrap().part, Part::Wait);
        assert_eq!(flatten(&trace)[1].end_unix_ns, START + 30 * SECOND - MS);
    }
}

#[test]
fn nothing_is_waited_for_where_no_response_is_expected() {
    let one_way = Exchange { outcome: Outcome::Ok, ..seen(1, (0, 4 * MS), None) };
    let far = Exchange { outcome: Outcome::Ok, ..seen(2, (MS, 5 * MS), None) };
    let trace = trace(vec![one_way, far], &[]);
    assert_eq!(phases(&trace.root), [None, Some(5 * MS), None, Some(0)]);
    assert!(flatten(&trace).iter().all(|span| span.phases.wait_ns.is_none()));
}

#[test]
fn a_response_without_its_request_has_no_wait() {
    let mut late = seen(1, (0, 0), Some((50 * MS, 90 * MS)));
    late.request = None;
    late.outcome = Outcome::NoRequest;
    let trace = trace(vec![late], &[]);
    assert_eq!(phases(&trace.root), [None, Some(0), None, Some(40 * MS)]);
}

/// The response begins before the request is whole.
#[test]
fn an_early_response_ends_the_request() {
    let trace = trace(vec![seen(1, (0, 60 * MS), Some((50 * MS, 90 * MS)))], &[]);
    assert_eq!(phases(&trace.root), [None, Some(50 * MS), Some(0), Some(40 * MS)]);
}

/// Both processes with a tap between: a request of one call, a response that is read in many.
#[test]
fn processes_are_the_outermost_points() {
    use SockIoKind::{Connect, Receive, Send};
    let curl = process(7, 7, "curl");
    let nginx = process(9, 9, "nginx");
    let mut records = vec![
        io(true, Connect, (0, 0), 0, 100 * US, curl),
        io(true, Send, (100, 2_000), 200 * US, 260 * US, curl),
        io(false, Receive, (100, 1_500), 300 * US, 310 * US, nginx),
        io(false, Receive, (1_600, 500), 330 * US, 340 * US, nginx),
        io(false, Send, (5_000, 300_000), 20 * MS, 21 * MS, nginx),
    ];
    // Parts of a bulk transfer, which are kept as one record.
    for part in 0..30 {
        let enter = 20 * MS + 100 * US + part * MS;
        records.push(io(
            true,
            Receive,
            (5_000 + part as u32 * 10_000, 10_000),
            enter,
            enter + US,
            curl,
        ));
    }
    let tap = seen(1, (210 * US, 240 * US), Some((20 * MS + 50 * US, 49 * MS)));
    let trace = trace(vec![opened(tap, 10 * US, 90 * US, 0)], &records);
    let call = &trace.root;
    assert_eq!(call.client.first_received_ns, Some(START + 20 * MS + 101 * US));
    assert_eq!(call.client.received_ns, Some(START + 49 * MS + 101 * US));
    assert_eq!(call.server.last_received_ns, Some(START + 340 * US));
    // The request is as long as at the first tap, from the entry of the call that sent it.
    let wait = 20 * MS + 101 * US - 230 * US;
    assert_eq!(phases(call), [Some(200 * US), Some(30 * US), Some(wait), Some(29 * MS)]);
    let service = 20 * MS - 340 * US;
    // From the tap into the processes 100 and 51 µs, out of them 50 and 10 µs.
    let unread = (100 - 50) * US + (51 - 10) * US;
    assert_eq!((call.service_ns, call.unread_ns), (Some(service), Some(unread)));
    assert_eq!(call.network_ns, Some(wait - service - unread));
    let longest = culprit(call).unwrap();
    assert_eq!((longest.part, longest.duration_ns), (Part::Transfer, 29 * MS));
    let spans = flatten(&trace);
    let of = |at| spans.iter().find(|span| span.observed_at == at).unwrap().phases;
    assert_eq!(of(ObservedAt::ServerProcess).send_ns, 30 * US);
    assert_eq!(of(ObservedAt::ServerProcess).wait_ns, Some(service));
    assert_eq!(of(ObservedAt::ClientProcess).wait_ns, Some(wait));
}

/// A request that nobody reads for half a second is no slow network, nor is a path that takes long
/// both ways a slow reader; of bytes that were sent again it is not known.
#[test]
fn a_busy_reader_is_no_network() {
    use SockIoKind::{Receive, Send};
    let server = process(9, 9, "redis-server");
    let of = |path: u64, unread: u64, repeats: u64| {
        let read = path + unread;
        let records = [
            io(false, Receive, (100, 2_000), read, read + US, server),
            io(false, Send, (5_000, 300_000), read + MS, read + MS + US, server),
        ];
        let back = read + MS + path;
        let mut tap = seen(1, (0, 0), Some((back, back)));
        tap.tcp.retransmissions = repeats;
        let trace = trace(vec![tap], &records);
        let call = &trace.root;
        assert_eq!(
            call.wait_ns,
            Some(call.service_ns.unwrap() + call.unread_ns.unwrap() + call.network_ns.unwrap())
        );
        (call.unread_ns.unwrap(), call.network_ns.unwrap())
    };
    assert_eq!(of(10 * US, 500 * MS, 0), (500 * MS + US, 20 * US));
    assert_eq!(of(20 * MS, 0, 0), (US, 40 * MS));
    assert_eq!(of(10 * US, 500 * MS, 1), (0, 500 * MS + 21 * US));
}

fn call(start: u64, end: u64, service: u64, children: Vec<Call>) -> Call {
    let trace = trace(vec![seen(1, (start, start), Some((end, end)))], &[]);
    let root = trace.root.clone();
    Call { service_ns: Some(service), network_ns: Some(0), children, ..root }
}

/// Of a service that waits for others its own time is compared, and overlapping calls count once.
#[test]
fn calls_below_explain_the_time_of_a_service() {
    let below = vec![
        call(10 * MS, 60 * MS, 20 * MS, Vec::new()),
        call(30 * MS, 70 * MS, 40 * MS, Vec::new()),
        call(80 * MS, 90 * MS, 10 * MS, Vec::new()),
    ];
    let root = call(0, 100 * MS, 100 * MS, below);
    assert_eq!(store::own_service_ns(&root), Some(30 * MS));
    let longest = culprit(&root).unwrap();
    assert_eq!((longest.part, longest.duration_ns), (Part::Service, 40 * MS));
    assert!(std::ptr::eq(longest.call, &root.children[1]));
}

#[test]
fn a_slow_hop_is_the_longest_part_where_nothing_took_longer() {
    let near = seen(1, (0, 0), Some((25 * MS, 25 * MS)));
    let far = seen(2, (20 * MS, 20 * MS), Some((24 * MS, 24 * MS)));
    let trace = trace(vec![near, far], &[]);
    let longest = culprit(&trace.root).unwrap();
    assert_eq!(longest.part, Part::Step { direction: Direction::ToServer, to: 1 });
    assert_eq!(longest.duration_ns, 20 * MS);
    assert_eq!(trace.longest.unwrap().part, PartKind::RequestStep);
}

#[test]
fn datagrams_have_phases_too() {
    let mut dns = seen(1, (0, 0), Some((MS, MS)));
    dns.transport = Transport::Udp;
    assert_eq!(phases(&trace(vec![dns], &[]).root), [None, Some(0), Some(MS), Some(0)]);
}

/// A file of a version that did not know the phases: they are missing, and nothing is made up.
#[test]
fn traces_without_phases_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let config = StoreConfig { path: Some(path.clone()), ..StoreConfig::default() };
    let mut store = Store::open(config).unwrap();
    store.add_exchange(Box::new(seen(1, (0, MS), Some((50 * MS, 90 * MS)))));
    let kept = store.finish().unwrap().pop().unwrap();
    drop(store);
    let mut body = serde_json::to_value(&*kept).unwrap();
    let phases = ["connect_ns", "send_ns", "wait_ns", "transfer_ns"];
    let old = [&phases[..], &["service_ns", "unread_ns", "network_ns"]].concat();
    let root = body["root"].as_object_mut().unwrap();
    old.iter().for_each(|key| assert!(root.remove(*key).is_some(), "{key} is in the record"));
    assert!(body.as_object_mut().unwrap().remove("longest").is_some());
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute("UPDATE traces SET body = ?1", [body.to_string()]).unwrap();
    drop(database);
    let read = store::Reader::open(&path).unwrap().trace(&kept.trace_id).unwrap().unwrap();
    assert!(!read.root.has_phases());
    assert_eq!(read.root.duration_ns(), 90 * MS);
    let longest = culprit(&read.root).unwrap();
    assert_eq!((longest.part, longest.duration_ns), (Part::Wait, 90 * MS));
}
