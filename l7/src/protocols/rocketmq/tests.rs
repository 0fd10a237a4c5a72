//! Commands in pieces of any size, with gaps, and the exchanges that come of them.

use super::header::begins;
use crate::contract::Probe;
use crate::testing::{C, S, Script, Talk, int, text};
use fact::Outcome;

fn command(form: u8, header: &[u8], body: &[u8]) -> Vec<u8> {
    let length = (4 + header.len() + body.len()) as u32;
    let header_length = u32::from(form) << 24 | header.len() as u32;
    [&length.to_be_bytes()[..], &header_length.to_be_bytes(), header, body].concat()
}

fn json(header: &str, body: &[u8]) -> Vec<u8> {
    command(0, header.as_bytes(), body)
}

fn binary(code: u16, opaque: u32, flag: u32, remark: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut ext = Vec::new();
    for (name, value) in fields {
        ext.extend((name.len() as u16).to_be_bytes());
        ext.extend(name.as_bytes());
        ext.extend((value.len() as u32).to_be_bytes());
        ext.extend(value.as_bytes());
    }
    let mut header =
        [&code.to_be_bytes()[..], &[0], &[1, 0x8b], &opaque.to_be_bytes(), &flag.to_be_bytes()]
            .concat();
    header.extend((remark.len() as u32).to_be_bytes());
    header.extend(remark.as_bytes());
    header.extend((ext.len() as u32).to_be_bytes());
    header.extend(ext);
    command(1, &header, b"")
}

/// As a Java client writes them.
const ROUTE: &str = r#"{"code":105,"extFields":{"topic":"Orders"},"flag":0,"language":"JAVA","opaque":0,"serializeTypeCurrentRPC":"JSON","version":401}"#;
const ROUTE_ANSWER: &str = r#"{"code":0,"flag":1,"language":"JAVA","opaque":0,"serializeTypeCurrentRPC":"JSON","version":401}"#;
const SEND: &str = r#"{"code":310,"extFields":{"a":"payers","b":"Orders","c":"TBW102","d":"4","e":"2","f":"0","g":"1700037570339","h":"0","i":"KEYS\u0001k7\u0002UNIQ_KEY\u0001AC1E0001\u0002sw8\u00011-a-b\u0002TAGS\u0001new","j":"0","k":"false","m":"false"},"flag":0,"language":"JAVA","opaque":6,"serializeTypeCurrentRPC":"JSON","version":401}"#;
const SEND_ANSWER: &str = r#"{"code":0,"extFields":{"queueId":"2","msgId":"0A0000","queueOffset":"7"},"flag":1,"language":"JAVA","opaque":6,"serializeTypeCurrentRPC":"JSON","version":401}"#;
const NO_ROUTE: &str = r#"{"code":17,"flag":1,"language":"JAVA","opaque":8,"remark":"No topic route info in name server for the topic: Nope","serializeTypeCurrentRPC":"JSON","version":401}"#;

pub(crate) fn scripts() -> Vec<Script> {
    vec![
        Script::new(
            9876,
            1,
            &[(C, json(ROUTE, b"")), (S, json(ROUTE_ANSWER, b"{\"brokerDatas\":[]}"))],
        ),
        Script::new(
            4000,
            4,
            &[
                (
                    C,
                    [
                        json(SEND, &[7; 5000]),
                        binary(11, 7, 0, "", &[("consumerGroup", "g"), ("topic", "Orders")]),
                    ]
                    .concat(),
                ),
                (
                    S,
                    [
                        binary(40, 1, 2, "", &[("consumerGroup", "g")]),
                        binary(19, 7, 1, "OFFSET_OVERFLOW_ONE", &[]),
                    ]
                    .concat(),
                ),
                (S, json(SEND_ANSWER, b"")),
                (C, binary(34, 8, 2, "", &[])),
            ],
        ),
    ]
}

#[test]
fn a_sent_message_is_told() {
    let mut t = Talk::tcp(10_911);
    t.c(json(SEND, &[7; 5000])).s(json(SEND_ANSWER, b""));
    let e = &t.found.exchanges[0];
    assert_eq!((e.operation.as_str(), e.outcome), ("SEND_MESSAGE_V2", Outcome::Ok));
    for (key, value) in [
        ("messaging.destination.name", "Orders"),
        ("messaging.destination.partition.id", "2"),
        ("messaging.rocketmq.producer.group", "payers"),
        ("messaging.message.id", "AC1E0001"),
        ("messaging.rocketmq.message.tag", "new"),
        ("messaging.rocketmq.message.keys", "k7"),
        ("messaging.message.header.sw8", "1-a-b"),
        ("messaging.operation.type", "send"),
    ] {
        assert_eq!(text(e, key), value, "{key}");
    }
    assert_eq!(int(e, "messaging.message.body.size"), Some(5000));
    assert_eq!(int(e, "messaging.rocketmq.response_code"), Some(0));
}

#[test]
fn both_forms_and_both_directions_are_read() {
    let mut t = Talk::tcp(4000);
    for (direction, bytes) in &scripts()[1].turns {
        t.send(*direction, bytes);
    }
    let told = [
        "NOTIFY_CONSUMER_IDS_CHANGED ok",
        "PULL_MESSAGE ok",
        "SEND_MESSAGE_V2 ok",
        "HEART_BEAT ok",
    ];
    assert_eq!(t.told(), told);
    let [notified, pulled, _, beat] = &t.found.exchanges[..] else { panic!("four") };
    assert_eq!((notified.client.port, beat.client.port), (4000, 40_000));
    assert_eq!(text(pulled, "messaging.consumer.group.name"), "g");
    assert!(notified.response.is_none() && beat.response.is_none());
}

#[test]
fn errors_have_their_names_and_remarks() {
    let mut t = Talk::tcp(9876);
    t.c(json(&ROUTE.replace("\"opaque\":0", "\"opaque\":8"), b"")).s(json(NO_ROUTE, b""));
    t.c(binary(9999, 9, 0, "", &[])).s(binary(2, 9, 1, "[TIMEOUT_CLEAN_QUEUE]broker busy", &[]));
    assert_eq!(t.told(), ["GET_ROUTEINFO_BY_TOPIC client_error", "CODE_9999 server_error"]);
    let kinds: Vec<_> = t.found.exchanges.iter().map(|e| text(e, "error.type")).collect();
    assert_eq!(kinds, ["TOPIC_NOT_EXIST", "SYSTEM_BUSY"]);
    assert!(text(&t.found.exchanges[0], "error.message").starts_with("No topic route"));
}

#[test]
fn commands_are_found_in_the_middle_and_behind_holes() {
    let mut t = Talk::tcp(4000);
    t.s([9; 77]).c(json(ROUTE, b"")).s(json(ROUTE_ANSWER, &[b'x'; 3 << 20]));
    t.gap(C, 500).c([&[1; 7][..], &json(SEND, b"m")].concat()).gap(S, 9).s([
        &[0; 40][..],
        &json(SEND_ANSWER, b""),
    ]
    .concat());
    assert_eq!(t.told(), ["GET_ROUTEINFO_BY_TOPIC ok", "SEND_MESSAGE_V2 ok"]);
    assert!(t.conversation.bytes() < 50_000, "{}", t.conversation.bytes());
}

#[test]
fn only_its_own_commands_are_taken() {
    assert_eq!(begins(&json(ROUTE, b"")), (Probe::Yes, false));
    assert_eq!(begins(&binary(0, 1, 1, "", &[])), (Probe::Yes, true));
    assert_eq!(begins(&json(ROUTE, b"")[..30]).0, Probe::More);
    for bytes in [
        json(r#"{"jsonrpc":"2.0","method":"x"}"#, b""),
        command(1, &[0; 30], b""),
        b"\0\0\0\x30\0\0\0\x20{\"a\":1}                                 ".to_vec(),
        vec![0; 64],
    ] {
        assert_eq!(begins(&bytes).0, Probe::No, "{bytes:?}");
    }
}
