//! Records in pieces of any size, with gaps, and the exchanges that come of them.

use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Exchange, Protocol};

fn record(kind: u8, id: u16, content: &[u8], padding: u8) -> Vec<u8> {
    let mut r = vec![1, kind];
    r.extend(id.to_be_bytes());
    r.extend((content.len() as u16).to_be_bytes());
    r.extend([padding, 0]);
    r.extend(content);
    r.extend(vec![0; usize::from(padding)]);
    r
}

fn begin(id: u16) -> Vec<u8> {
    record(1, id, &[0, 1, 1, 0, 0, 0, 0, 0], 0)
}

fn end(id: u16, status: u8) -> Vec<u8> {
    record(3, id, &[0, 0, 0, 0, status, 0, 0, 0], 0)
}

fn parameters(all: &[(&str, &str)]) -> Vec<u8> {
    let mut p = Vec::new();
    for (name, value) in all {
        p.push(name.len() as u8);
        match value.len() {
            short @ 0..128 => p.push(short as u8),
            long => p.extend((long as u32 | 1 << 31).to_be_bytes()),
        }
        p.extend(name.bytes().chain(value.bytes()));
    }
    p
}

fn request(id: u16, method: &str, uri: &str) -> Vec<u8> {
    let long = "x".repeat(300);
    let all = [
        ("SCRIPT_FILENAME", "/srv/x.php"),
        ("REQUEST_METHOD", method),
        ("REQUEST_URI", uri),
        ("HTTP_COOKIE", "sesame"),
        ("HTTP_LONG", &long),
        ("HTTP_HOST", "shop.example:8080"),
        ("HTTP_TRACEPARENT", "00-1-2-01"),
    ];
    [begin(id), record(4, id, &parameters(&all), 3), record(4, id, &[], 0), record(5, id, &[], 0)]
        .concat()
}

fn told(exchange: &Exchange) -> String {
    let code = int(exchange, "http.response.status_code").unwrap_or(0);
    format!(
        "{} {} {code} {}",
        exchange.operation,
        text(exchange, "url.path"),
        exchange.outcome.as_str()
    )
}

fn all(talk: &Talk) -> Vec<String> {
    talk.found.exchanges.iter().map(told).collect()
}

#[test]
fn requests_and_answers() {
    let mut t = Talk::tcp(12_345);
    t.c(request(1, "GET", "/a?x=1&token=sesame"));
    t.s([
        record(6, 1, b"Content-type: text/html\r\n\r\nhello", 1),
        record(6, 1, b" world", 0),
        record(6, 1, &[], 0),
        end(1, 0),
    ]
    .concat());
    t.c(request(1, "POST", "/b"))
        .s([record(6, 1, b"Status: 404 Not Found\r\n\r\n", 0), end(1, 0)].concat());
    t.c(request(1, "GET", "/c")).s([
        record(7, 1, b"PHP Warning", 0),
        record(6, 1, b"Location: /\r\n\r\n", 0),
        end(1, 0),
    ]
    .concat());
    t.c(request(1, "GET", "/d")).s(end(1, 2));
    assert_eq!(
        all(&t),
        ["GET /a 200 ok", "POST /b 404 client_error", "GET /c 302 ok", "GET /d 0 server_error"]
    );
    let e = &t.found.exchanges;
    assert_eq!(e[0].protocol, Protocol::new("fastcgi"));
    assert!(!format!("{e:?}").contains("sesame"));
    assert_eq!(text(&e[0], "url.query"), "x=1&token=REDACTED");
    assert_eq!(text(&e[0], "http.request.header.traceparent"), "00-1-2-01");
    assert_eq!(text(&e[0], "server.address"), "shop.example");
    assert_eq!(int(&e[0], "http.response.body.size"), Some(11));
    assert_eq!(int(&e[2], "fastcgi.stderr.size"), Some(11));
    assert_eq!(text(&e[3], "error.type"), "OVERLOADED");
}

#[test]
fn several_requests_at_once() {
    let mut t = Talk::tcp(9000);
    t.c([request(1, "GET", "/1"), request(2, "GET", "/2"), request(7, "PUT", "/7")].concat());
    let part = |id, text: &str| record(6, id, text.as_bytes(), 0);
    t.s([
        part(2, "Status: 500 x\r\n\r\n"),
        part(1, "X: y\r\n\r\na"),
        part(7, "X: y\r\n\r\n"),
        end(7, 0),
    ]
    .concat());
    t.s([end(2, 0), part(1, "more"), end(1, 0)].concat());
    assert_eq!(all(&t), ["PUT /7 200 ok", "GET /2 500 server_error", "GET /1 200 ok"]);
}

#[test]
fn bodies_aborts_and_values() {
    let mut t = Talk::tcp(9000);
    let body = [0; 60_000];
    t.c([
        begin(1),
        record(4, 1, &parameters(&[("REQUEST_METHOD", "POST"), ("SCRIPT_NAME", "/up")]), 0),
    ]
    .concat());
    t.c(record(4, 1, &[], 0)).c(record(5, 1, &body, 0)).c(record(5, 1, &body, 0)).c(record(
        5,
        1,
        &[],
        0,
    ));
    t.s([record(6, 1, b"Status: 201 x\r\n\r\n", 0), end(1, 0)].concat());
    t.c([
        begin(2),
        record(4, 2, &parameters(&[("REQUEST_METHOD", "GET")]), 0),
        record(2, 2, &[], 0),
    ]
    .concat())
        .s(end(2, 0));
    t.c(record(9, 0, &parameters(&[("FCGI_MAX_CONNS", "")]), 0)).s(record(
        10,
        0,
        &parameters(&[("FCGI_MAX_CONNS", "1")]),
        0,
    ));
    assert_eq!(all(&t), ["POST /up 201 ok", "GET  0 ok", "GET_VALUES  0 ok"]);
    assert_eq!(int(&t.found.exchanges[0], "http.request.body.size"), Some(120_000));
    assert_eq!(text(&t.found.exchanges[1], "error.type"), "aborted");
}

#[test]
fn parameters_may_be_cut_anywhere() {
    let all_of_them = parameters(&[
        ("A", &"y".repeat(200)),
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", "/cut"),
        ("Z", "1"),
    ]);
    for cut in [3, 100, 206, 207] {
        let (first, second) = all_of_them.split_at(cut);
        let mut t = Talk::tcp(9000);
        t.c([
            begin(1),
            record(4, 1, first, 0),
            record(4, 1, second, 0),
            record(4, 1, &[], 0),
            record(5, 1, &[], 0),
        ]
        .concat());
        t.s([record(6, 1, b"X: y\r\n\r\n", 0), end(1, 0)].concat());
        let want = if cut == 3 || cut == 207 { "  200 ok" } else { "GET /cut 200 ok" };
        assert_eq!(all(&t), [want], "{cut}");
    }
}

#[test]
fn requests_are_found_again_behind_a_hole() {
    let mut t = Talk::tcp(9000);
    t.c(&request(1, "GET", "/1")[..100]).gap(C, 400).c(request(1, "GET", "/2"));
    t.s(record(6, 1, b"X: y\r\n\r\n", 0)).gap(S, 20).s(end(1, 0));
    t.c(request(1, "GET", "/3")).s([record(6, 1, b"X: y\r\n\r\n", 0), end(1, 0)].concat());
    assert_eq!(all(&t).last().map(String::as_str), Some("GET /3 200 ok"), "{:?}", all(&t));
}

#[test]
fn others_are_not_taken_for_it() {
    let mut t = Talk::tcp(9000);
    t.c([1, 2, 0, 0, 0, 0, 0, 0])
        .c([1, 1, 0, 0, 0, 8, 0, 0, 0, 9])
        .s("+OK\r\n")
        .c("\x01\x05hello\x01\x01");
    assert!(t.over().is_empty());
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let asked =
        [request(1, "GET", "/a"), begin(2), record(2, 2, &[], 1), request(3, "POST", "/b?c")]
            .concat();
    let answered = [
        record(7, 3, b"note", 0),
        record(6, 1, b"Status: 200 OK\r\n\r\nbody", 4),
        end(2, 0),
        record(6, 3, b"Status: 500 no\n\n", 0),
        record(6, 1, b"more", 0),
        end(1, 0),
        end(3, 0),
    ];
    vec![Script::new(9000, 3, &[(C, asked), (S, answered.concat())])]
}
