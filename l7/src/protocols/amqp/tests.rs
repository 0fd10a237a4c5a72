//! Tests of AMQP 0-9-1.

use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Exchange, Outcome, Protocol};

const HELLO: &[u8] = b"AMQP\0\0\x09\x01";

fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let size = (payload.len() as u32).to_be_bytes();
    [&[kind], &channel.to_be_bytes()[..], &size, payload, &[0xce]].concat()
}

fn method(channel: u16, class: u16, number: u16, arguments: &[u8]) -> Vec<u8> {
    frame(1, channel, &[&class.to_be_bytes(), &number.to_be_bytes(), arguments].concat())
}

fn short(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}

fn long(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes(), text].concat()
}

/// Content header and body in frames of at most `most` bytes.
fn content(channel: u16, properties: &[u8], body: &[u8], most: usize) -> Vec<u8> {
    let size = (body.len() as u64).to_be_bytes();
    let mut all = frame(2, channel, &[&[0, 60, 0, 0], &size[..], properties].concat());
    body.chunks(most).for_each(|part| all.extend(frame(3, channel, part)));
    all
}

fn publish(channel: u16, exchange: &str, key: &str, body: &[u8]) -> Vec<u8> {
    let arguments = [vec![0, 0], short(exchange), short(key), vec![0]].concat();
    [method(channel, 60, 40, &arguments), content(channel, &[0, 0], body, 1000)].concat()
}

fn deliver(channel: u16, consumer: &str, tag: u64, key: &str) -> Vec<u8> {
    let tag = tag.to_be_bytes().to_vec();
    let arguments = [short(consumer), tag, vec![1], short(""), short(key)].concat();
    [method(channel, 60, 60, &arguments), content(channel, &[0, 0], b"body", 1000)].concat()
}

fn settle(channel: u16, number: u16, tag: u64, bits: u8) -> Vec<u8> {
    method(channel, 60, number, &[&tag.to_be_bytes()[..], &[bits]].concat())
}

fn declare(channel: u16, queue: &str, bits: u8) -> Vec<u8> {
    method(channel, 50, 10, &[vec![0, 0], short(queue), vec![bits, 0, 0, 0, 0]].concat())
}

fn consume(channel: u16, queue: &str, bits: u8) -> Vec<u8> {
    method(channel, 60, 20, &[vec![0, 0], short(queue), short(""), vec![bits, 0, 0, 0, 0]].concat())
}

fn close(channel: u16, class: u16, number: u16, code: u16, cause: (u16, u16)) -> Vec<u8> {
    let words = [cause.0.to_be_bytes(), cause.1.to_be_bytes()].concat();
    method(channel, class, number, &[code.to_be_bytes().to_vec(), short("why"), words].concat())
}

/// Log-in as `guest` with password `s3cret`.
fn log_in(t: &mut Talk) {
    let start = [vec![0, 9], long(b""), long(b"PLAIN"), long(b"en_US")].concat();
    let start_ok = [long(b""), short("PLAIN"), long(b"\0guest\0s3cret"), short("en_US")].concat();
    t.c(HELLO).s(method(0, 10, 10, &start)).c(method(0, 10, 11, &start_ok));
    t.s(method(0, 10, 30, &[0, 9, 0, 2, 0, 0, 0, 60])).c(method(
        0,
        10,
        31,
        &[0, 9, 0, 2, 0, 0, 0, 60],
    ));
    t.c(method(0, 10, 40, &[short("/"), vec![0, 0]].concat())).s(method(0, 10, 41, &[0]));
    t.c(method(1, 20, 10, &[0])).s(method(1, 20, 11, &[0, 0, 0, 0]));
}

fn talk() -> Talk {
    let mut t = Talk::tcp(5000);
    log_in(&mut t);
    t.found.exchanges.clear();
    t
}

fn brief(e: &Exchange) -> String {
    format!("{} {} {}", e.operation, text(e, "messaging.destination.name"), e.outcome.as_str())
}

fn told(t: &Talk) -> Vec<String> {
    t.found.exchanges.iter().map(brief).collect()
}

#[test]
fn a_log_in_is_told_without_its_password() {
    let mut t = Talk::tcp(5000);
    log_in(&mut t);
    assert_eq!(
        told(&t),
        ["connection.start  ok", "connection.tune  ok", "connection.open  ok", "channel.open  ok"]
    );
    let [start, .., open, _] = t.found.exchanges.as_slice() else { panic!() };
    assert_eq!((start.protocol, start.client), (Protocol::new("amqp"), t.cx.server));
    assert_eq!(text(start, "amqp.mechanism"), "PLAIN");
    assert_eq!((text(open, "amqp.virtual_host").as_str(), open.client), ("/", t.cx.client));
    let all = format!("{:?}", t.found.exchanges);
    assert!(!all.contains("s3cret") && !all.contains("guest"));
}

#[test]
fn a_publish_asks_for_nothing_and_ends_with_its_body() {
    let mut t = talk();
    let heads = [
        &[0x20 | 0x04, 0x80][..],
        &long(&[&short("traceparent")[..], b"S", &long(b"00-1-2-01")].concat()),
    ];
    let arguments = [vec![0, 0], short("x"), short("k"), vec![0]].concat();
    let properties = [heads.concat(), short("corr"), short("id-7")].concat();
    let bytes = [method(1, 60, 40, &arguments), content(1, &properties, &[7; 2500], 1000)].concat();
    t.c(&bytes);
    let e = &t.found.exchanges[0];
    assert_eq!(brief(e), "basic.publish x:k ok");
    let request = e.request.unwrap();
    assert_eq!((request.bytes, request.whole), (bytes.len() as u64, true));
    assert_eq!(int(e, "messaging.message.body.size"), Some(2500));
    assert_eq!(text(e, "messaging.message.id"), "id-7");
    assert_eq!(text(e, "messaging.message.conversation_id"), "corr");
    assert_eq!(text(e, "messaging.message.header.traceparent"), "00-1-2-01");
    assert_eq!(text(e, "messaging.rabbitmq.destination.routing_key"), "k");
}

#[test]
fn confirms_answer_publishes_by_their_number() {
    let mut t = talk();
    t.c(method(1, 85, 10, &[0])).s(method(1, 85, 11, &[]));
    for key in ["a", "b", "c", "d"] {
        t.c(publish(1, "", key, b"1"));
    }
    t.s(settle(1, 80, 2, 1)).s(settle(1, 120, 4, 0)).s(settle(1, 80, 3, 0)).over();
    let told = told(&t);
    assert_eq!(
        told[1..],
        [
            "basic.publish amq.default:a ok",
            "basic.publish amq.default:b ok",
            "basic.publish amq.default:d server_error",
            "basic.publish amq.default:c ok"
        ]
    );
}

#[test]
fn a_delivery_lasts_until_it_is_acknowledged() {
    let mut t = talk();
    t.c(consume(1, "q", 0)).s(method(1, 60, 21, &short("ctag")));
    for tag in 1..=4 {
        t.s(deliver(1, "ctag", tag, "k"));
    }
    t.c(settle(1, 90, 2, 0))
        .c(settle(1, 80, 1, 0))
        .c(settle(1, 80, 0, 1))
        .s(deliver(1, "unknown", 5, "k"));
    let told = told(&t);
    assert_eq!(told[0], "basic.consume q ok");
    assert_eq!(told[1], "basic.deliver amq.default:k:q server_error");
    assert_eq!(told[2..5], ["basic.deliver amq.default:k:q ok"; 3]);
    assert_eq!(told[5..], ["basic.deliver amq.default:k ok"]);
    let e = &t.found.exchanges[2];
    assert_eq!(int(e, "messaging.rabbitmq.message.delivery_tag"), Some(1));
    assert_eq!(text(e, "amqp.settled_by"), "basic.ack");
    assert!(e.response.unwrap().first > e.request.unwrap().last);
    let mut t = talk();
    t.c(consume(1, "q", 2)).s(method(1, 60, 21, &short("auto"))).s(deliver(1, "auto", 1, "k"));
    assert_eq!(told_last(&t), "basic.deliver amq.default:k:q ok");
}

fn told_last(t: &Talk) -> String {
    told(t).pop().unwrap_or_default()
}

#[test]
fn a_close_answers_what_caused_it() {
    let mut t = talk();
    t.c(declare(1, "none", 1)).s(close(1, 20, 40, 404, (50, 10))).c(method(1, 20, 41, &[]));
    assert_eq!(told(&t), ["queue.declare none client_error", "channel.close  client_error"]);
    let e = &t.found.exchanges[0];
    assert_eq!(
        (text(e, "error.type"), int(e, "amqp.reply_code")),
        ("NOT_FOUND".to_owned(), Some(404))
    );
    t.c(method(1, 20, 10, &[0])).s(method(1, 20, 11, &[0, 0, 0, 0]));
    t.c(method(1, 85, 10, &[0])).s(method(1, 85, 11, &[])).c(publish(1, "none", "", b"1"));
    t.s(close(1, 20, 40, 404, (60, 40)));
    assert_eq!(told_last(&t), "basic.publish none client_error");
    t.s(close(0, 10, 50, 320, (0, 0))).c(method(0, 10, 51, &[]));
    assert_eq!(told_last(&t), "connection.close  server_error");
}

#[test]
fn messages_are_got_one_by_one() {
    let mut t = talk();
    let get = method(1, 60, 70, &[vec![0, 0], short("q"), vec![0]].concat());
    let got =
        [1u64.to_be_bytes().to_vec(), vec![0], short("x"), short("k"), vec![0, 0, 0, 3]].concat();
    t.c(&get).s([method(1, 60, 71, &got), content(1, &[0, 0], b"", 10)].concat());
    t.c(settle(1, 80, 1, 0)).c(&get).s(method(1, 60, 72, &short("")));
    assert_eq!(told(&t), ["basic.get q ok", "basic.get q ok"]);
    let [full, empty] = t.found.exchanges.as_slice() else { panic!() };
    assert_eq!(
        (int(full, "amqp.message_count"), int(empty, "amqp.message_count")),
        (Some(3), None)
    );
}

#[test]
fn what_comes_back_says_why() {
    let mut t = talk();
    let why = [vec![1, 56], short("NO_ROUTE"), short("x"), short("k")].concat();
    t.s([method(1, 60, 50, &why), content(1, &[0, 0], b"back", 10)].concat());
    assert_eq!(told(&t), ["basic.return x:k client_error"]);
}

#[test]
fn channels_take_turns() {
    let mut t = talk();
    let (a, b) = (publish(1, "x", "a", &[1; 3000]), publish(2, "x", "b", &[2; 10]));
    let cut = a.len() - 1008;
    t.c([&a[..cut], &b, &a[cut..]].concat()).c(declare(3, "q", 16));
    assert_eq!(told(&t), ["basic.publish x:b ok", "basic.publish x:a ok", "queue.declare q ok"]);
}

#[test]
fn a_content_that_never_came_ends_where_the_next_begins() {
    let mut t = talk();
    let arguments = [vec![0, 0], short("x"), short("a"), vec![0]].concat();
    let alone = method(1, 60, 40, &arguments);
    t.c(&alone).c(publish(1, "x", "b", b"1"));
    assert_eq!(told(&t), ["basic.publish x:a ok", "basic.publish x:b ok"]);
    assert_eq!(t.found.exchanges[0].request.unwrap().bytes, alone.len() as u64);
}

#[test]
fn large_bodies_are_skipped_also_with_holes() {
    let mut t = talk();
    let body = vec![0xce; 200_000];
    let arguments = [vec![0, 0], short("x"), short("big"), vec![0]].concat();
    let bytes = [method(1, 60, 40, &arguments), content(1, &[0, 0], &body, 131_064)].concat();
    t.c(&bytes[..5000]).gap(C, 20_000).c(&bytes[25_000..]).c(publish(1, "x", "next", b""));
    assert_eq!(told(&t), ["basic.publish x:big ok", "basic.publish x:next ok"]);
    assert!(!t.found.exchanges[0].request.unwrap().whole);
    t.c(&bytes[..100])
        .gap(C, 150_000)
        .c([&bytes[199_900..], &publish(1, "x", "then", b"1")].concat());
    t.c(publish(1, "x", "last", b""));
    assert_eq!(told_last(&t), "basic.publish x:last ok");
}

#[test]
fn joined_in_the_middle() {
    let mut t = Talk::tcp(5672);
    t.c(publish(1, "x", "k", b"1")).s(deliver(1, "c", 9, "k")).c(declare(1, "q", 0));
    t.s(method(1, 50, 11, &[short("q"), vec![0; 8]].concat()));
    assert_eq!(
        told(&t),
        ["basic.publish x:k ok", "basic.deliver amq.default:k ok", "queue.declare q ok"]
    );
    let mut t = Talk::tcp(9999);
    t.s(method(1, 50, 11, &[short("q"), vec![0; 8]].concat()));
    assert_eq!(t.over().iter().map(|e| e.outcome).collect::<Vec<_>>(), [Outcome::NoRequest]);
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let open = method(0, 10, 40, &[short("/"), vec![0, 0]].concat());
    let client = [
        method(1, 85, 10, &[0]),
        publish(1, "x", "a", &[9; 5000]),
        publish(1, "", "b", b""),
        consume(1, "q", 0),
        frame(8, 0, &[]),
    ];
    let server = [
        method(1, 85, 11, &[]),
        settle(1, 80, 2, 1),
        method(1, 60, 21, &short("tag")),
        deliver(1, "tag", 1, "k"),
        deliver(1, "tag", 2, "k"),
    ];
    vec![Script::new(
        5672,
        8,
        &[
            (C, HELLO.to_vec()),
            (S, method(0, 10, 10, &[vec![0, 9], long(b""), long(b"PLAIN"), long(b"")].concat())),
            (
                C,
                method(
                    0,
                    10,
                    11,
                    &[long(b""), short("PLAIN"), long(b"\0a\0b"), short("")].concat(),
                ),
            ),
            (C, open),
            (S, method(0, 10, 41, &[0])),
            (C, client.concat()),
            (S, server.concat()),
            (C, [settle(1, 80, 2, 1), declare(1, "none", 1)].concat()),
            (S, close(1, 20, 40, 404, (50, 10))),
            (C, method(1, 20, 41, &[])),
        ],
    )]
}

#[test]
fn consumers_without_number_are_not_all_remembered() {
    let mut t = Talk::tcp(5672);
    t.c(HELLO);
    for n in 0..16_000u16 {
        let tag = format!("{n:0255}");
        let arguments = [vec![0, 0], short(&tag), short(&tag), vec![8, 0, 0, 0, 0]].concat();
        t.c(method(1 + n % 250, 60, 20, &arguments));
    }
    assert!(t.conversation.bytes() < 1 << 20, "{}", t.conversation.bytes());
}
