//! Frames in pieces of any size, with gaps, and the exchanges that come of them.

use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Outcome, Protocol};

const ASKED: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: h.example:8000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
const UPGRADED: &str =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n";

/// A frame; the client's are masked.
fn frame(masked: bool, first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let bit = if masked { 0x80 } else { 0 };
    let mut out = vec![first];
    match payload.len() {
        n @ 0..126 => out.push(bit | n as u8),
        n @ 126..65536 => out.extend([&[bit | 126][..], &(n as u16).to_be_bytes()].concat()),
        n => out.extend([&[bit | 127][..], &(n as u64).to_be_bytes()].concat()),
    }
    if masked {
        out.extend(mask);
    }
    out.extend(
        payload.iter().zip(mask.iter().cycle()).map(|(b, m)| if masked { b ^ m } else { *b }),
    );
    out
}

fn client(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(true, first, payload)
}

fn server(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(false, first, payload)
}

fn upgraded() -> Talk {
    let mut t = Talk::tcp(8000);
    t.c(ASKED).s(UPGRADED);
    t
}

/// Operation, whether the client sent it, outcome.
fn told(t: &Talk) -> Vec<String> {
    let line = |e: &fact::Exchange| {
        let from = if e.client == t.cx.client { "c" } else { "s" };
        format!("{from} {} {}", e.operation, e.outcome.as_str())
    };
    t.found.exchanges.iter().skip(1).map(line).collect()
}

#[test]
fn messages_of_both_sides_are_told() {
    let mut t = upgraded();
    t.s(server(0x82, b"first")).c(client(0x81, "hello GET / HTTP/1.1\r\n\r\n".as_bytes()));
    t.c([
        client(0x01, b"in "),
        client(0x89, b"p1"),
        client(0x00, b"three "),
        client(0x80, b"parts"),
    ]
    .concat());
    t.s([server(0x8a, b"p1"), server(0xc1, &[b'z'; 300]), server(0x82, &vec![0; 70_000])].concat());
    assert_eq!(
        told(&t),
        ["s BINARY ok", "c TEXT ok", "c TEXT ok", "c PING ok", "s TEXT ok", "s BINARY ok"]
    );
    let all = &t.found.exchanges;
    assert_eq!((all[0].protocol, all[0].operation.as_str()), (Protocol::new("http"), "GET"));
    assert!(
        all[1..]
            .iter()
            .all(|e| e.protocol == Protocol::new("websocket") && text(e, "url.path") == "/chat")
    );
    assert_eq!(
        (text(&all[1], "server.address"), int(&all[1], "server.port")),
        ("h.example".into(), Some(8000))
    );
    let size = |n: usize| int(&all[n], "wirespan.websocket.payload.size");
    assert_eq!((size(1), size(3), size(6)), (Some(5), Some(14), Some(70_000)));
    assert_eq!(int(&all[3], "wirespan.websocket.fragments"), Some(3));
    assert!(all[4].response.is_some(), "the pong");
    assert!(format!("{:?}", all[5].attributes).contains("compressed"));
}

#[test]
fn a_close_is_answered_and_says_why() {
    let mut t = upgraded();
    t.s(server(0x88, &[0x03, 0xf3, b'n', b'o'])).c(client(0x88, &[0x03, 0xf3]));
    let e = &t.found.exchanges[1];
    assert_eq!((e.operation.as_str(), e.outcome), ("CLOSE", Outcome::ServerError));
    assert_eq!((e.client, int(e, "wirespan.websocket.close.code")), (t.cx.server, Some(1011)));
    assert!(e.response.is_some());
    let mut t = upgraded();
    t.c(client(0x89, b"x")).c(client(0x8a, b"unasked")).c(client(0x88, &[])).over();
    assert_eq!(told(&t), ["c PONG ok", "c PING no_response", "c CLOSE no_response"]);
}

#[test]
fn a_hole_inside_a_message_is_passed_over_and_behind_another_nothing_is_guessed() {
    let mut t = upgraded();
    let large = client(0x82, &[1; 1000]);
    t.c(&large[..100]).gap(C, 800).c(&large[900..]).c(client(0x81, b"next"));
    assert_eq!(told(&t), ["c BINARY ok", "c TEXT ok"]);
    assert!(
        !t.found.exchanges[1].request.unwrap().whole && t.found.exchanges[2].request.unwrap().whole
    );
    t.gap(C, 10).c(client(0x81, b"not seen")).s(server(0x81, b"seen")).s(server(0x89, b"ping"));
    assert_eq!(told(&t)[2..], ["s TEXT ok", "s PING ok"]);
    t.s(server(0x8a, b"to a ping that is not seen"));
    assert_eq!(t.found.exchanges[5].outcome, Outcome::NoRequest);
    t.gap(S, 1).over();
    assert_eq!(t.found.exchanges.len(), 6);
}

#[test]
fn what_is_no_frame_ends_it() {
    for wrong in [
        client(0x83, b"?"),
        client(0x91, b"?"),
        client(0x80, b"?"),
        client(0x09, b"?"),
        server(0x81, b"?"),
    ] {
        let mut t = upgraded();
        t.c(wrong).s(server(0x81, b"?")).over();
        assert_eq!(t.found.exchanges.len(), 1);
        assert!(!t.conversation.wants_payload());
    }
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let turns = [
        (C, ASKED.as_bytes().to_vec()),
        (S, [UPGRADED.as_bytes(), &server(0x82, b"first")].concat()),
        (C, [client(0x01, b"in "), client(0x89, b"p1"), client(0x80, &[b'x'; 200])].concat()),
        (S, [server(0x8a, b"p1"), server(0x81, b"answer"), server(0x88, &[3, 232])].concat()),
        (C, client(0x88, &[3, 232])),
    ];
    vec![Script::new(8000, 6, &turns)]
}
