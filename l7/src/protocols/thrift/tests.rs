//! Messages of every encoding and transport in pieces of any size, with gaps, and the exchanges
//! that come of them.

use super::header::Encoding;
use super::walk::{Walk, WalkStep};
use crate::testing::{C, Script, Talk, int, text};
use fact::{Outcome, Protocol};

const OLD_BUFFERED: &str = include_str!("testdata/old_buffered.hex");
const BINARY_BUFFERED: &str = include_str!("testdata/binary_buffered.hex");
const BINARY_FRAMED: &str = include_str!("testdata/binary_framed.hex");
const COMPACT_BUFFERED: &str = include_str!("testdata/compact_buffered.hex");
const COMPACT_FRAMED: &str = include_str!("testdata/compact_framed.hex");
const HEADER: &str = include_str!("testdata/header.hex");
const SEVERAL_SERVICES: &str = include_str!("testdata/several_services.hex");

/// Port, lines, protocol and transport of each recording.
const ALL: [(u16, &str, &str, &str); 7] = [
    (9090, OLD_BUFFERED, "binary", "buffered"),
    (9201, BINARY_BUFFERED, "binary", "buffered"),
    (9202, BINARY_FRAMED, "binary", "framed"),
    (9203, COMPACT_BUFFERED, "compact", "buffered"),
    (9204, COMPACT_FRAMED, "compact", "framed"),
    (9205, HEADER, "binary", "header"),
    (9206, SEVERAL_SERVICES, "binary", "framed"),
];

#[test]
fn calls_and_how_they_ended_in_every_form() {
    for (port, lines, protocol, transport) in ALL {
        let mut t = Talk::tcp(port);
        Script::recorded(port, 7, lines).play(&mut t);
        let found: Vec<_> = t
            .found
            .exchanges
            .iter()
            .map(|e| format!("{} {} {}", e.operation, e.outcome.as_str(), text(e, "error.type")))
            .collect();
        assert_eq!(
            found,
            [
                "get ok ",
                "get server_error declared_exception",
                "visit ok ",
                "clear ok ",
                "fail server_error internal_error",
                "newer client_error unknown_method",
                "all ok ",
            ],
            "port {port}"
        );
        for e in &t.found.exchanges {
            assert_eq!(
                (e.protocol, text(e, "rpc.method")),
                (Protocol::new("thrift"), e.operation.clone())
            );
            assert_eq!(
                (text(e, "thrift.protocol"), text(e, "thrift.transport")),
                (protocol.into(), transport.into())
            );
            assert_eq!(text(e, "rpc.service"), if port == 9206 { "shop" } else { "" });
        }
        assert_eq!(int(&t.found.exchanges[1], "thrift.exception.field"), Some(1));
        assert!(t.found.exchanges[2].response.is_none(), "nobody answers a one-way call");
    }
}

/// A framed call of the binary protocol, or an answer to it.
fn framed(kind: u8, id: u32, body: &[u8]) -> Vec<u8> {
    let message = [&[0x80, 1, 0, kind, 0, 0, 0, 1, b'm'][..], &id.to_be_bytes(), body].concat();
    [&(message.len() as u32).to_be_bytes()[..], &message].concat()
}

#[test]
fn answers_find_their_calls_in_any_order() {
    let mut t = Talk::tcp(9999);
    t.c([framed(1, 1, &[0]), framed(1, 2, &[0])].concat());
    t.s([framed(2, 2, &[0]), framed(3, 1, &[8, 0, 2, 0, 0, 0, 6, 0])].concat());
    let outcomes: Vec<_> = t.found.exchanges.iter().map(|e| e.outcome).collect();
    assert_eq!(outcomes, [Outcome::Ok, Outcome::ServerError]);
    assert_eq!(t.found.exchanges[1].request.unwrap().first.as_nanos(), 1000);
}

#[test]
fn large_messages_are_skipped_not_kept() {
    let big = [&[11, 0, 1, 0, 0, 0x75, 0x30][..], &[b'x'; 30_000], &[0]].concat();
    let bare = [&[0x80, 1, 0, 1, 0, 0, 0, 1, b'm', 0, 0, 0, 9][..], &big].concat();
    for (call, answer) in [
        (framed(1, 9, &big), framed(2, 9, &[0])),
        (bare, vec![0x80, 1, 0, 2, 0, 0, 0, 1, b'm', 0, 0, 0, 9, 0]),
    ] {
        let mut t = Talk::tcp(9999);
        for piece in call.chunks(1448) {
            t.c(piece);
            assert!(t.conversation.bytes() < 20_000);
        }
        t.s(answer);
        assert_eq!(t.found.exchanges[0].outcome, Outcome::Ok);
        assert_eq!(t.found.exchanges[0].request.unwrap().bytes, call.len() as u64);
    }
}

#[test]
fn after_a_hole_the_next_believable_message_counts() {
    let mut t = Talk::tcp(9202);
    t.c(framed(1, 1, &[0])).s(framed(2, 1, &[0])).c(&framed(1, 2, &[0])[..10]).gap(C, 8);
    t.c([7; 9]).c(framed(1, 3, &[0])).s(framed(2, 3, &[0])).over();
    let last = t.found.exchanges.last().unwrap();
    assert_eq!((last.operation.as_str(), last.outcome), ("m", Outcome::Ok));
}

#[test]
fn containers_in_each_other_have_a_limit() {
    for (encoding, nested) in
        [(Encoding::Binary, [15, 0, 0, 0, 1].repeat(100)), (Encoding::Compact, [0x19].repeat(100))]
    {
        let start: &[u8] = if encoding == Encoding::Binary { &[15, 0, 1] } else { &[0x19] };
        let bytes = [start, &nested].concat();
        let (mut walk, mut at) = (Walk::new(encoding), 0);
        let end = loop {
            match walk.step(bytes.get(at..).unwrap_or_default()) {
                WalkStep::Over(length) => at += length as usize,
                other => break other,
            }
        };
        assert_eq!(end, WalkStep::Malformed);
        assert!(walk.bytes() < 4096);
    }
}

#[test]
fn other_beginnings_are_not_taken_for_it() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\x82\xa1",
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"\0\0\0\x0bgetServices\x01\0\0\0\0\0",
    ] {
        let mut t = Talk::tcp(9999);
        t.c(bytes).over();
        assert!(
            t.found.exchanges.iter().all(|e| e.protocol != Protocol::new("thrift")),
            "{bytes:?}"
        );
    }
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    ALL.map(|(port, lines, ..)| Script::recorded(port, 7, lines)).to_vec()
}
