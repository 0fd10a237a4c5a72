//! Tests of MQTT.

use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Exchange, Outcome, Protocol};

fn varint(mut n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (n & 0x7f) as u8;
        n >>= 7;
        out.push(if n > 0 { byte | 0x80 } else { byte });
        if n == 0 {
            return out;
        }
    }
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    [&[first], &varint(body.len())[..], body].concat()
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

/// CONNECT of client `c` as user `u` with password `s3cret`.
fn connect(level: u8) -> Vec<u8> {
    let properties = if level == 5 { vec![0] } else { vec![] };
    let texts = [string("c"), string("u"), string("s3cret")].concat();
    packet(0x10, &[string("MQTT"), vec![level, 0xc2, 0, 60], properties, texts].concat())
}

fn publish(flags: u8, topic: &str, id: Option<u16>, behind: &[u8]) -> Vec<u8> {
    let id = id.map_or(vec![], |id| id.to_be_bytes().to_vec());
    packet(0x30 | flags, &[string(topic), id, behind.to_vec()].concat())
}

fn talk(level: u8) -> Talk {
    let mut t = Talk::tcp(4000);
    t.c(connect(level)).s(if level == 5 { &b"\x20\x03\0\0\0"[..] } else { b"\x20\x02\0\0" });
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
    for level in [4, 5] {
        let mut t = talk(level);
        let e = &t.over()[0];
        assert_eq!(
            (e.protocol, e.operation.as_str(), e.outcome),
            (Protocol::new("mqtt"), "CONNECT", Outcome::Ok)
        );
        assert_eq!(text(e, "messaging.client.id"), "c");
        assert_eq!(text(e, "user.name"), "u");
        assert_eq!(text(e, "network.protocol.version"), if level == 5 { "5" } else { "3.1.1" });
        assert!(!format!("{e:?}").contains("s3cret"));
    }
}

#[test]
fn refused_log_ins_say_why() {
    let mut t = Talk::tcp(1883);
    t.c(connect(4)).s(b"\x20\x02\0\x05");
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.outcome, text(e, "error.type").as_str()),
        (Outcome::ClientError, "not authorized")
    );
    let mut t = Talk::tcp(1883);
    t.c(connect(5)).s(b"\x20\x03\0\x89\0");
    let e = &t.found.exchanges[0];
    assert_eq!((e.outcome, text(e, "error.type").as_str()), (Outcome::ServerError, "server busy"));
}

#[test]
fn each_quality_of_service_is_one_exchange() {
    let mut t = talk(4);
    t.c(publish(0, "a", None, b"xyz")).c(publish(2, "b", Some(7), b"x")).c(publish(
        5,
        "c",
        Some(8),
        b"",
    ));
    t.s(b"\x50\x02\0\x08\x40\x02\0\x07").c(b"\x62\x02\0\x08").s(b"\x70\x02\0\x08");
    t.c(b"\xc0\0").s(b"\xd0\0").c(b"\xe0\0");
    assert_eq!(
        told(&t),
        [
            "CONNECT  ok",
            "PUBLISH a ok",
            "PUBLISH c ok",
            "PUBLISH b ok",
            "PINGREQ  ok",
            "DISCONNECT  ok"
        ]
    );
    let [_, a, c, b, ..] = t.found.exchanges.as_slice() else { panic!() };
    assert!(a.response.is_none() && b.response.is_some());
    assert_eq!((int(a, "messaging.message.body.size"), int(a, "mqtt.qos")), (Some(3), Some(0)));
    assert_eq!((int(c, "mqtt.packet_id"), int(c, "mqtt.qos")), (Some(8), Some(2)));
    assert_eq!(text(c, "messaging.operation.type"), "send");
}

#[test]
fn the_broker_publishes_too_with_its_own_ids() {
    let mut t = talk(4);
    t.c(publish(2, "up", Some(1), b"")).s(publish(2, "down", Some(1), b""));
    t.s(b"\x40\x02\0\x01").c(b"\x40\x02\0\x01");
    assert_eq!(told(&t)[1..], ["PUBLISH up ok", "PUBLISH down ok"]);
    let down = &t.found.exchanges[2];
    assert_eq!(
        (down.client, text(down, "messaging.operation.type").as_str()),
        (t.cx.server, "receive")
    );
}

#[test]
fn subscriptions_tell_their_filters_and_refusals() {
    let mut t = talk(4);
    let filters = [vec![0, 1], string("a/+"), vec![1], string("b/#"), vec![0]].concat();
    t.c(packet(0x82, &filters)).s(b"\x90\x04\0\x01\x01\x80");
    t.c(packet(0xa2, &[vec![0, 2], string("a/+")].concat())).s(b"\xb0\x02\0\x02");
    assert_eq!(told(&t)[1..], ["SUBSCRIBE a/+,b/# client_error", "UNSUBSCRIBE a/+ ok"]);
    let mut t = talk(5);
    let filters = [vec![0, 1, 0], string("x"), vec![2]].concat();
    t.c(packet(0x82, &filters)).s(b"\x90\x04\0\x01\0\x87");
    assert_eq!(told(&t)[1..], ["SUBSCRIBE x client_error"]);
    assert_eq!(text(&t.found.exchanges[1], "error.type"), "not authorized");
}

#[test]
fn aliases_stand_for_the_topic_that_was_given_with_them() {
    let mut t = talk(5);
    let properties =
        |extra: &[u8]| [varint(3 + extra.len()), vec![0x23, 0, 4], extra.to_vec()].concat();
    let context = [vec![0x26], string("traceparent"), string("00-1-2-01")].concat();
    t.c(publish(0, "long/name", None, &[properties(&context), b"xy".to_vec()].concat()));
    t.c(publish(0, "", None, &properties(&[])));
    t.s(publish(0, "", None, &properties(&[])));
    assert_eq!(told(&t)[1..], ["PUBLISH long/name ok", "PUBLISH long/name ok", "PUBLISH  ok"]);
    let e = &t.found.exchanges[1];
    assert_eq!(text(e, "messaging.message.header.traceparent"), "00-1-2-01");
    assert_eq!(int(e, "messaging.message.body.size"), Some(2));
    t.gap(C, 10).c(publish(0, "", None, &properties(&[])));
    assert_eq!(told(&t)[4..], ["PUBLISH  ok"]);
}

#[test]
fn reason_codes_of_acknowledgements_decide_the_outcome() {
    let mut t = talk(5);
    t.c(publish(2, "a", Some(1), b"\0")).s(b"\x40\x03\0\x01\x10");
    t.c(publish(4, "b", Some(2), b"\0")).s(b"\x50\x04\0\x02\x97\0");
    t.s(b"\xe0\x02\x8e\0");
    assert_eq!(
        told(&t)[1..],
        ["PUBLISH a ok", "PUBLISH b server_error", "DISCONNECT  client_error"]
    );
}

#[test]
fn large_payloads_are_skipped() {
    let mut t = talk(4);
    let large = publish(2, "big", Some(3), &vec![0x30; 300_000]);
    for piece in large.chunks(1400) {
        t.c(piece);
    }
    t.s(b"\x40\x02\0\x03");
    assert_eq!(told(&t)[1..], ["PUBLISH big ok"]);
    assert_eq!(t.found.exchanges[1].request.unwrap().bytes, large.len() as u64);
    assert!(t.conversation.bytes() < 20_000);
    t.c(&large[..100]).gap(C, large.len() as u64 - 200).c(&large[large.len() - 100..]);
    t.c(publish(0, "next", None, b""));
    assert_eq!(told(&t)[2..], ["PUBLISH next ok"]);
}

#[test]
fn lost_bytes_cost_what_they_held() {
    let mut t = talk(4);
    t.c(publish(0, "a", None, b"1"))
        .gap(C, 40)
        .c([b"tail".to_vec(), publish(0, "b", None, b"2")].concat());
    t.c(publish(0, "c", None, b"3"));
    assert_eq!(told(&t)[1..], ["PUBLISH a ok", "PUBLISH b ok", "PUBLISH c ok"]);
}

#[test]
fn joined_in_the_middle_on_the_usual_port_only() {
    let messages = [publish(2, "a", Some(9), b"x"), publish(0, "b", None, b"y")].concat();
    let mut t = Talk::tcp(1883);
    t.c(&messages).s(b"\x40\x02\0\x09");
    assert_eq!(told(&t), ["PUBLISH b ok", "PUBLISH a ok"]);
    let mut t = Talk::tcp(1884);
    t.c(&messages).s(b"\x40\x02\0\x09");
    assert!(t.over().is_empty());
    let mut t = Talk::tcp(1883);
    t.s(publish(0, "pushed", None, b"y"));
    assert_eq!(told(&t), ["PUBLISH pushed ok"]);
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let client = [
        publish(2, "a/b", Some(1), b"payload"),
        publish(0, "c", None, &vec![b'x'; 9000]),
        packet(0x82, &[vec![0, 2], string("a/#"), vec![1]].concat()),
    ];
    let server =
        [&b"\x40\x02\0\x01\x90\x03\0\x02\x01"[..], &publish(4, "a/b", Some(1), b"payload")]
            .concat();
    let alias = [b"\x03\x23\0\x01".to_vec(), b"data".to_vec()].concat();
    let five = [publish(2, "t", Some(5), &alias), publish(0, "", None, &alias)].concat();
    vec![
        Script::new(
            1883,
            5,
            &[
                (C, connect(4)),
                (S, b"\x20\x02\0\0".to_vec()),
                (C, client.concat()),
                (S, server),
                (C, b"\x50\x02\0\x01\xc0\0".to_vec()),
                (S, b"\x62\x02\0\x01\xd0\0".to_vec()),
                (C, b"\x70\x02\0\x01\xe0\0".to_vec()),
            ],
        ),
        Script::new(
            1883,
            3,
            &[
                (C, connect(5)),
                (S, b"\x20\x06\0\0\x03\x22\0\x0a".to_vec()),
                (C, five),
                (S, b"\x40\x02\0\x05\xe0\x02\x8b\0".to_vec()),
            ],
        ),
    ]
}

#[test]
fn joined_in_the_middle_on_any_port() {
    let mut t = Talk::tcp(4000);
    let message = publish(2, "bus/17", Some(9), b"late");
    t.c(&message[..5]).c(&message[5..]).s(b"\x40\x02\0\x09").s(publish(0, "bus/18", None, b"!"));
    assert_eq!(told(&t), ["PUBLISH bus/17 ok", "PUBLISH bus/18 ok"]);
    // What directory services say begins with the same byte.
    let bind = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0";
    let mut t = Talk::tcp(4000);
    assert!(t.c(bind).c(publish(0, "a", None, b"")).over().is_empty());
}
