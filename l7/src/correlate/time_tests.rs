//! How long exchanges last: until when an absent response was waited for, and which exchange had to
//! wait for the connection.

use crate::input::End;
use crate::testing::{C, S, Talk};
use fact::{Exchange, Unanswered};

const SECOND: u64 = 1_000_000_000;
/// What `Talk` lets pass before each piece.
const STEP: u64 = 1000;
const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Nanoseconds from the first byte of the request to the end of the exchange, and the wait.
fn lasted(exchange: &Exchange) -> (u64, Option<u64>) {
    let phases = exchange.phases();
    let duration = exchange.end().nanos_since(exchange.start());
    assert_eq!(phases.send_ns + phases.wait_ns.unwrap_or(0) + phases.receive_ns, duration);
    (duration, phases.wait_ns)
}

#[test]
fn a_request_without_response_lasts_until_the_connection_ended() {
    for why in [
        Unanswered::Reset,
        Unanswered::Closed,
        Unanswered::TimedOut,
        Unanswered::InputEnd,
        Unanswered::Displaced,
    ] {
        let mut t = Talk::tcp(80);
        t.c(GET).wait(30 * SECOND).end(End::Over(why));
        let waited = 30 * SECOND + STEP;
        assert_eq!(lasted(&t.found.exchanges[0]), (waited, Some(waited)), "{why:?}");
    }
}

#[test]
fn nobody_waits_for_a_server_that_closed_its_direction() {
    let mut t = Talk::tcp(80);
    t.c(GET).wait(2 * SECOND).end(End::Fin(S)).wait(5 * SECOND);
    t.end(End::Fin(C)).end(End::Over(Unanswered::Closed));
    assert_eq!(lasted(&t.found.exchanges[0]).0, 2 * SECOND + STEP);
}

#[test]
fn the_wait_ends_at_its_limit_however_late_that_is_noticed() {
    let mut t = Talk::tcp(80);
    t.c(GET).wait(3600 * SECOND);
    assert_eq!(lasted(&t.found.exchanges[0]).0, 120 * SECOND);
}

#[test]
fn a_datagram_without_response_lasts_until_the_wait_is_over() {
    let mut t = Talk::udp(53);
    t.c(b"\0\x07\x01\0\0\x01\0\0\0\0\0\0\x01a\x04test\0\0\x01\0\x01").wait(15 * SECOND);
    assert_eq!(lasted(&t.found.exchanges[0]), (15 * SECOND, Some(15 * SECOND)));
}

#[test]
fn a_response_that_is_not_whole_ends_with_its_last_byte() {
    let mut t = Talk::tcp(80);
    t.c(GET).s("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").s("ab").wait(9 * SECOND);
    t.end(End::Over(Unanswered::Reset));
    let exchange = &t.found.exchanges[0];
    assert_eq!((lasted(exchange), exchange.waited_until), ((2 * STEP, Some(STEP)), None));
}

#[test]
fn a_response_that_may_have_been_missed_was_not_waited_for() {
    let mut t = Talk::tcp(80);
    t.c(GET).gap(S, 60).wait(9 * SECOND).over();
    assert_eq!(lasted(&t.found.exchanges[0]), (0, None));
}

#[test]
fn one_way_messages_wait_for_nothing() {
    let mut t = Talk::tcp(4222);
    t.s("INFO {\"version\":\"2\"}\r\n").c("PUB a.b 2\r\nhi\r\n").wait(200 * SECOND).over();
    let sent = t.found.exchanges.iter().find(|e| e.operation == "PUB").unwrap();
    assert_eq!((lasted(sent), sent.waited_until), ((0, None), None));
}

#[test]
fn the_first_request_of_a_connection_tells_what_the_connection_took() {
    let mut t = Talk::tcp(80);
    t.cx.connect_ns = Some(77);
    t.c(GET).s(OK).c(GET).s(OK);
    let told: Vec<_> = t.found.exchanges.iter().map(|e| e.connect_ns).collect();
    assert_eq!(told, [Some(77), None]);
}

#[test]
fn among_requests_that_overlap_the_first_that_began_tells_it() {
    let mut t = Talk::tcp(53);
    t.cx.connect_ns = Some(77);
    let query = |id: u8| {
        let mut query = b"\0\x18\0\0\x01\0\0\x01\0\0\0\0\0\0\x01a\x04test\0\0\x01\0\x01".to_vec();
        query[3] = id;
        query
    };
    let answer = |id: u8| {
        let mut answer = query(id);
        answer[4] |= 0x80;
        answer
    };
    t.c(query(1)).c(query(2)).s(answer(2)).s(answer(1));
    let told: Vec<_> =
        t.found.exchanges.iter().map(|e| (e.start().as_nanos(), e.connect_ns)).collect();
    assert_eq!(told, [(2 * STEP, None), (STEP, Some(77))]);
}

#[test]
fn after_a_log_in_that_is_not_told_the_next_request_tells_it() {
    const QUERY: &[u8] = b"Q\0\0\0\x0dSELECT 1\0";
    const DONE: &[u8] = b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";
    let mut t = Talk::tcp(5432);
    t.cx.connect_ns = Some(77);
    t.c(b"\0\0\0\x10\0\x03\0\0user\0u\0\0");
    t.s(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I");
    t.c(QUERY).s(DONE).c(QUERY).s(DONE);
    let told: Vec<_> =
        t.found.exchanges.iter().map(|e| (e.operation.as_str(), e.connect_ns)).collect();
    assert_eq!(told, [("Query", Some(77)), ("Query", None)]);
}
