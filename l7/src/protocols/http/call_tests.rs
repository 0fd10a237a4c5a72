//! gRPC-Web calls in HTTP/1 bodies.

use crate::input::End;
use crate::testing::{Talk, int, text};
use fact::{Exchange, Outcome, Protocol};
use wire::Direction;

const WEB: &[u8] =
    b"\0\0\0\0\x03abc\x01\0\0\0\0\0\0\0\0\x01x\x80\0\0\0\x21grpc-status: 5\r\ngrpc-message:no\r\n";
const WEB_TEXT: &[u8] =
    b"AAAAAANhYmMBAAAAAAAAAAABeA==gAAAACFncnBjLXN0YXR1czogNQ0KZ3JwYy1tZXNzYWdlOm5vDQo=";

fn ask(method: &str, form: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /shop.v1.Cart/{method} HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc-web{form}\r\n\
         Authorization: Bearer s3cret\r\n{fields}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn call(method: &str, form: &str, body: &[u8]) -> Vec<u8> {
    ask(method, form, &format!("Content-Length: {}\r\n", body.len()), body)
}

fn answer(form: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web{form}\r\n{fields}\r\n");
    [head.as_bytes(), body].concat()
}

fn with_length(form: &str, body: &[u8]) -> Vec<u8> {
    answer(form, &format!("Content-Length: {}\r\n", body.len()), body)
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut chunks: Vec<u8> = Vec::new();
    for chunk in body.chunks(size) {
        chunks.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunks.extend_from_slice(chunk);
        chunks.extend_from_slice(b"\r\n");
    }
    [&chunks[..], b"0\r\n\r\n"].concat()
}

fn message(bytes: usize) -> Vec<u8> {
    [&[0][..], &(bytes as u32).to_be_bytes(), &vec![0x80; bytes]].concat()
}

fn trailers(status: u32) -> Vec<u8> {
    let text = format!("grpc-status:{status}\r\n");
    [&[0x80][..], &(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
}

fn told(e: &Exchange) -> (Protocol, &str, Outcome, Option<i64>) {
    (e.protocol, e.operation.as_str(), e.outcome, int(e, "rpc.grpc.status_code"))
}

fn counts(e: &Exchange) -> (Option<i64>, Option<i64>) {
    (int(e, "wirespan.rpc.request.messages"), int(e, "wirespan.rpc.response.messages"))
}

#[test]
fn a_call_says_its_method_messages_and_status() {
    let mut t = Talk::tcp(8080);
    t.c(call("Get", "", &message(3))).s(with_length("", WEB));
    let e = &t.found.exchanges[0];
    assert_eq!(told(e), (Protocol::new("grpc"), "Get", Outcome::ClientError, Some(5)));
    assert_eq!(counts(e), (Some(1), Some(3)));
    for (key, value) in [
        ("rpc.system", "grpc"),
        ("rpc.service", "shop.v1.Cart"),
        ("rpc.method", "Get"),
        ("rpc.response.status_code", "NOT_FOUND"),
        ("rpc.response.metadata.grpc-message", "no"),
        ("http.request.method", "POST"),
        ("network.protocol.version", "1.1"),
        ("http.request.header.content-type", "application/grpc-web"),
    ] {
        assert_eq!(text(e, key), value, "{key}");
    }
    assert_eq!(int(e, "http.response.body.size"), Some(WEB.len() as i64));
    assert!(!format!("{:?}", e.attributes).contains("s3cret"));
}

#[test]
fn bodies_come_in_chunks_in_text_and_in_segments_of_any_size() {
    for segment in [1, 2, 7, 1000] {
        for chunk in [1, 3, 5, 6, 17, 1000] {
            for (form, body) in [("+proto", WEB), ("-text", WEB_TEXT), ("-text+proto", WEB_TEXT)] {
                let mut t = Talk::tcp(8080);
                let sent = ask(
                    "Get",
                    form,
                    "Transfer-Encoding: chunked\r\n",
                    &chunked(&message(40), chunk),
                );
                let first = if form == "+proto" { sent } else { call("Get", form, b"AAAAAAA=") };
                first.chunks(segment).for_each(|bytes| _ = t.c(bytes));
                let answer = answer(form, "Transfer-Encoding: chunked\r\n", &chunked(body, chunk));
                answer.chunks(segment).for_each(|bytes| _ = t.s(bytes));
                t.c("GET / HTTP/1.1\r\n\r\n").s("HTTP/1.1 204 No\r\n\r\n");
                let [e, next] = t.found.exchanges.as_slice() else {
                    panic!("{segment} {chunk} {form}")
                };
                assert_eq!(
                    told(e),
                    (Protocol::new("grpc"), "Get", Outcome::ClientError, Some(5)),
                    "{form}"
                );
                assert_eq!(counts(e), (Some(1), Some(3)), "{segment} {chunk} {form}");
                assert_eq!(told(next), (Protocol::new("http"), "GET", Outcome::Ok, None));
            }
        }
    }
}

#[test]
fn how_a_call_ended_may_stand_in_the_head_or_nowhere() {
    let mut t = Talk::tcp(8080);
    for _ in 0..3 {
        t.c(call("Del", "+proto", &message(1)));
        t.s(answer(
            "+proto",
            "grpc-status: 12\r\ngrpc-message: no%20way\r\nContent-Length: 0\r\n",
            b"",
        ));
    }
    // No gRPC: a proxy's.
    for _ in 0..3 {
        t.c(call("Del", "", &message(1))).s("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno");
    }
    t.c(call("Del", "", &message(1))).s(with_length("", &message(3)));
    t.c(call("Del", "", &message(1))).s(with_length("", b"{\"json\":1}"));
    t.c(call("Del", "", &message(1))).s(with_length("", &trailers(0)));
    let found: Vec<_> = t.found.exchanges.iter().map(told).collect();
    let grpc = |outcome, status| (Protocol::new("grpc"), "Del", outcome, status);
    assert_eq!(found[..3], [grpc(Outcome::ServerError, Some(12)); 3]);
    assert_eq!(found[3..6], [grpc(Outcome::ServerError, None); 3]);
    let [none, json, empty] = &found[6..] else { panic!() };
    assert_eq!([none, json].map(|e| *e), [grpc(Outcome::LostBytes, None); 2]);
    assert_eq!(*empty, grpc(Outcome::Ok, Some(0)));
    let e = &t.found.exchanges;
    assert_eq!(text(&e[2], "rpc.response.metadata.grpc-message"), "no way");
    assert_eq!(counts(&e[7]), (Some(1), None));
}

#[test]
fn messages_are_passed_over_and_holes_in_them_harm_nothing_else() {
    let body = [message(100_000), message(7), trailers(0)].concat();
    for chunk in [40_000, 1_000_000] {
        let mut t = Talk::tcp(8080);
        t.c(call("Watch", "", &message(9)));
        let answer = answer("", "Transfer-Encoding: chunked\r\n", &chunked(&body, chunk));
        t.s(&answer[..1000]).gap(Direction::ToClient, 20_000).s(&answer[21_000..]);
        t.c(call("Get", "", &message(9))).s(with_length("", &[message(4), trailers(0)].concat()));
        let [e, next] = t.found.exchanges.as_slice() else { panic!() };
        assert_eq!(told(e), (Protocol::new("grpc"), "Watch", Outcome::LostBytes, Some(0)));
        assert_eq!(counts(e), (Some(1), Some(2)));
        assert_eq!(
            (told(next), counts(next)),
            ((Protocol::new("grpc"), "Get", Outcome::Ok, Some(0)), (Some(1), Some(1)))
        );
    }
}

#[test]
fn a_body_may_end_with_the_connection() {
    let body = [message(4), message(3000), trailers(8)].concat();
    for segment in [1, 1000] {
        let mut t = Talk::tcp(8080);
        t.c(call("Get", "", &message(9)));
        answer("", "", &body).chunks(segment).for_each(|bytes| _ = t.s(bytes));
        t.end(End::Fin(Direction::ToClient));
        let e = &t.found.exchanges[0];
        assert_eq!(
            (told(e), counts(e)),
            ((Protocol::new("grpc"), "Get", Outcome::ClientError, Some(8)), (Some(1), Some(2)))
        );
    }
}

#[test]
fn a_response_alone_is_a_call_too_and_grpc_itself_is_none_in_http_1() {
    let mut t = Talk::tcp(8080);
    t.s(with_length("", &[message(4), trailers(0)].concat()));
    assert_eq!(
        told(&t.found.exchanges[0]),
        (Protocol::new("grpc"), "", Outcome::NoRequest, Some(0))
    );
    let mut t = Talk::tcp(8080);
    t.c("POST /a.B/C HTTP/1.1\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\n\r\n");
    t.s("HTTP/1.1 415 No\r\ngrpc-status: 3\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(
        told(&t.found.exchanges[0]),
        (Protocol::new("http"), "POST", Outcome::ClientError, None)
    );
}
