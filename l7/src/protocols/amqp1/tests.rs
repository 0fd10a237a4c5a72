//! Tests of AMQP 1.0.

use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Exchange, Protocol};

const SASL: &[u8] = b"AMQP\x03\x01\0\0";
const AMQP: &[u8] = b"AMQP\0\x01\0\0";

fn frame(kind: u8, channel: u16, body: &[u8]) -> Vec<u8> {
    let size = (8 + body.len() as u32).to_be_bytes();
    [&size[..], &[2, kind], &channel.to_be_bytes(), body].concat()
}

fn null() -> Vec<u8> {
    vec![0x40]
}

fn truth(value: bool) -> Vec<u8> {
    vec![if value { 0x41 } else { 0x42 }]
}

fn uint(value: u32) -> Vec<u8> {
    [&[0x70][..], &value.to_be_bytes()].concat()
}

fn ushort(value: u16) -> Vec<u8> {
    [&[0x60][..], &value.to_be_bytes()].concat()
}

fn string(text: &str) -> Vec<u8> {
    [&[0xa1, text.len() as u8], text.as_bytes()].concat()
}

fn symbol(text: &str) -> Vec<u8> {
    [&[0xa3, text.len() as u8], text.as_bytes()].concat()
}

/// A described list.
fn list(code: u8, fields: &[Vec<u8>]) -> Vec<u8> {
    let values = fields.concat();
    let head =
        [(values.len() as u32 + 4).to_be_bytes(), (fields.len() as u32).to_be_bytes()].concat();
    [&[0, 0x53, code, 0xd0][..], &head, &values].concat()
}

fn perform(channel: u16, code: u8, fields: &[Vec<u8>]) -> Vec<u8> {
    frame(0, channel, &list(code, fields))
}

fn error(condition: &str) -> Vec<u8> {
    list(0x1d, &[symbol(condition), string("why")])
}

fn attach(
    channel: u16,
    name: &str,
    handle: u32,
    receiver: bool,
    source: Vec<u8>,
    target: Vec<u8>,
) -> Vec<u8> {
    perform(
        channel,
        0x12,
        &[string(name), uint(handle), truth(receiver), null(), null(), source, target],
    )
}

fn node(code: u8, address: &str) -> Vec<u8> {
    list(code, &[string(address)])
}

/// Message with an id, a trace parent and a body.
fn message(body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u32).to_be_bytes();
    let pairs = [string("traceparent"), string("00-1-2-01")].concat();
    let map = [&[0, 0x53, 0x74, 0xc1, pairs.len() as u8 + 1, 2][..], &pairs].concat();
    [&list(0x73, &[string("id-1")])[..], &map, &[0, 0x53, 0x75, 0xb0], &size, body].concat()
}

fn transfer(
    channel: u16,
    handle: u32,
    id: Option<u32>,
    settled: bool,
    more: bool,
    payload: &[u8],
) -> Vec<u8> {
    let id = id.map_or_else(null, uint);
    let fields = [uint(handle), id, vec![0xa0, 1, 7], uint(0), truth(settled), truth(more)];
    frame(0, channel, &[list(0x14, &fields), payload.to_vec()].concat())
}

fn disposition(channel: u16, first: u32, last: Option<u32>, state: Vec<u8>) -> Vec<u8> {
    perform(
        channel,
        0x15,
        &[truth(true), uint(first), last.map_or_else(null, uint), truth(true), state],
    )
}

fn accepted() -> Vec<u8> {
    vec![0, 0x53, 0x24, 0x45]
}

/// Everything up to a session in which link `l` of the client sends to `q`; the server calls the
/// session 5, and the link 9.
fn beginning() -> Vec<(wire::Direction, Vec<u8>)> {
    let init = list(0x41, &[symbol("PLAIN"), [&[0xa0, 8][..], b"\0u\0s3cre"].concat()]);
    vec![
        (C, SASL.to_vec()),
        (S, [SASL.to_vec(), frame(1, 0, &list(0x40, &[symbol("PLAIN")]))].concat()),
        (C, frame(1, 0, &init)),
        (S, frame(1, 0, &list(0x44, &[vec![0x50, 0]]))),
        (C, [AMQP.to_vec(), perform(0, 0x10, &[string("me"), string("host")])].concat()),
        (S, [AMQP.to_vec(), perform(0, 0x10, &[string("broker")])].concat()),
        (C, perform(1, 0x11, &[null(), uint(0), uint(10), uint(10)])),
        (C, attach(1, "l", 3, false, node(0x28, "here"), node(0x29, "q"))),
        (S, perform(5, 0x11, &[ushort(1), uint(0), uint(10), uint(10)])),
        (S, attach(5, "l", 9, true, node(0x28, "here"), node(0x29, "q"))),
    ]
}

fn talk() -> Talk {
    let mut t = Talk::tcp(4000);
    for (direction, bytes) in beginning() {
        t.send(direction, &bytes);
    }
    t
}

fn brief(e: &Exchange) -> String {
    format!("{} {} {}", e.operation, text(e, "messaging.destination.name"), e.outcome.as_str())
}

fn told(t: &Talk) -> Vec<String> {
    t.found.exchanges.iter().map(brief).collect()
}

#[test]
fn both_sides_open_begin_and_attach() {
    let t = talk();
    assert_eq!(told(&t), ["sasl-init  ok", "open  ok", "begin  ok", "attach q ok"]);
    let [login, open, ..] = t.found.exchanges.as_slice() else { panic!() };
    assert_eq!(
        (login.protocol, text(login, "amqp.mechanism").as_str()),
        (Protocol::new("amqp1"), "PLAIN")
    );
    assert_eq!(text(open, "amqp.container_id"), "me");
    assert!(!format!("{:?}", t.found.exchanges).contains("s3cre"));
    assert!(t.found.exchanges.iter().all(|e| e.client == t.cx.client));
}

#[test]
fn refused_log_ins_say_why() {
    let mut t = Talk::tcp(4000);
    t.c(SASL).s(SASL).c(frame(1, 0, &list(0x41, &[symbol("PLAIN")])));
    t.s(frame(1, 0, &list(0x44, &[vec![0x50, 1]])));
    assert_eq!(told(&t), ["sasl-init  client_error"]);
}

#[test]
fn dispositions_answer_transfers_by_their_numbers() {
    let mut t = talk();
    for id in 0..5 {
        t.c(transfer(1, 3, Some(id), false, false, &message(b"body")));
    }
    t.s(disposition(5, 1, Some(2), accepted())).s(disposition(
        5,
        0,
        None,
        list(0x25, &[error("amqp:not-found")]),
    ));
    t.s(disposition(5, 3, None, vec![0, 0x53, 0x26, 0x45])).over();
    assert_eq!(
        told(&t)[4..],
        [
            "transfer q ok",
            "transfer q ok",
            "transfer q client_error",
            "transfer q server_error",
            "transfer q no_response"
        ]
    );
    let e = &t.found.exchanges[4];
    assert_eq!(
        (int(e, "amqp.delivery_id"), int(e, "messaging.message.body.size")),
        (Some(1), Some(4))
    );
    assert_eq!(text(e, "messaging.message.id"), "id-1");
    assert_eq!(text(e, "messaging.message.header.traceparent"), "00-1-2-01");
    assert_eq!(text(&t.found.exchanges[6], "error.type"), "amqp:not-found");
}

#[test]
fn a_delivery_may_come_in_several_transfers() {
    let mut t = talk();
    let payload = message(&[9; 60_000]);
    let (first, second) = payload.split_at(20_000);
    t.c(transfer(1, 3, Some(0), false, true, first)).c(transfer(1, 3, None, false, false, second));
    t.s(disposition(5, 0, None, accepted()));
    t.c(transfer(1, 3, Some(1), true, false, &message(b"x")));
    assert_eq!(told(&t)[4..], ["transfer q ok", "transfer q ok"]);
    let [whole, settled] = &t.found.exchanges[4..] else { panic!() };
    assert!(whole.request.unwrap().bytes > 60_000 && settled.response.is_none());
}

#[test]
fn the_broker_sends_as_well() {
    let mut t = talk();
    t.c(attach(1, "r", 4, true, node(0x28, "inbox"), node(0x29, "me")));
    t.s(attach(5, "r", 2, false, node(0x28, "inbox"), node(0x29, "me")));
    t.s(transfer(5, 2, Some(0), false, false, &message(b"x"))).c(disposition(
        1,
        0,
        None,
        accepted(),
    ));
    assert_eq!(told(&t)[4..], ["attach inbox ok", "transfer inbox ok"]);
    assert_eq!(text(&t.found.exchanges[5], "messaging.operation.type"), "receive");
}

#[test]
fn an_error_answers_what_waits() {
    let mut t = talk();
    t.c(attach(1, "none", 6, false, node(0x28, "x"), node(0x29, "none")));
    t.s(perform(5, 0x17, &[error("amqp:not-found")])).c(perform(1, 0x17, &[]));
    t.c(perform(0, 0x18, &[])).s(perform(0, 0x18, &[]));
    assert_eq!(told(&t)[4..], ["attach none client_error", "end  client_error", "close  ok"]);
    let mut t = talk();
    t.c(attach(1, "no", 6, true, node(0x28, "no"), node(0x29, "x")));
    t.s(attach(5, "no", 6, false, null(), node(0x29, "x")));
    t.s(perform(5, 0x16, &[uint(6), truth(true), error("amqp:unauthorized-access")]));
    t.c(perform(1, 0x16, &[uint(6), truth(true)]));
    assert_eq!(told(&t)[4..], ["attach no client_error", "detach  client_error"]);
}

#[test]
fn joined_in_the_middle_or_after_a_hole() {
    let mut t = Talk::tcp(4000);
    t.c(transfer(1, 3, Some(7), false, false, &message(b"x"))).s(disposition(
        1,
        7,
        None,
        accepted(),
    ));
    assert_eq!(told(&t), ["transfer  ok"]);
    t.c(&transfer(1, 3, Some(8), false, false, &message(&[1; 5000]))[..1000]).gap(C, 2000);
    t.c([vec![0x53; 300], transfer(1, 3, Some(9), true, false, &message(b"x"))].concat());
    t.over();
    assert_eq!(told(&t)[1..], ["transfer  ok", "transfer  no_response"]);
}

#[test]
fn tls_takes_over_where_it_is_agreed() {
    let mut t = Talk::tcp(5672);
    t.c(b"AMQP\x02\x01\0\0").s(b"AMQP\x02\x01\0\0").c(b"\x16\x03\x01\0\x05\x01\0\0\x01\x00").over();
    assert!(t.found.exchanges.iter().all(|e| e.protocol != Protocol::new("amqp1")));
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let mut turns = beginning();
    let payload = message(&[5; 9000]);
    let sent = [
        transfer(1, 3, Some(0), false, true, &payload[..5000]),
        transfer(1, 3, None, false, false, &payload[5000..]),
        transfer(1, 3, Some(1), true, false, &message(b"x")),
        frame(0, 0, &[]),
        transfer(1, 3, Some(2), false, false, &message(b"x")),
    ];
    turns.push((C, sent.concat()));
    turns.push((
        S,
        [disposition(5, 0, None, accepted()), perform(5, 0x17, &[error("amqp:x")])].concat(),
    ));
    turns.push((C, [perform(1, 0x17, &[]), perform(0, 0x18, &[])].concat()));
    turns.push((S, perform(0, 0x18, &[])));
    vec![Script::new(5672, 9, &turns)]
}
