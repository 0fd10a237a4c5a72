//! Tests of ZooKeeper.

use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Exchange, Protocol};

fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(body.len() as u32).to_be_bytes(), body.as_slice()].concat()
}

fn n(value: i32) -> [u8; 4] {
    value.to_be_bytes()
}

fn buffer(bytes: &[u8]) -> Vec<u8> {
    [&n(bytes.len() as i32), bytes].concat()
}

/// ConnectRequest with password `s3cret…`.
fn connect() -> Vec<u8> {
    framed(&[&n(0), &[0; 8], &n(10_000), &[0; 8], &buffer(b"s3crets3crets3cr"), &[0]])
}

fn connected(timeout: i32) -> Vec<u8> {
    framed(&[&n(0), &n(timeout), &[0, 1, 2, 3, 4, 5, 6, 7], &buffer(b"s3crets3crets3cr"), &[0]])
}

fn request(xid: i32, op: i32, body: &[u8]) -> Vec<u8> {
    framed(&[&n(xid), &n(op), body])
}

fn reply(xid: i32, error: i32, body: &[u8]) -> Vec<u8> {
    framed(&[&n(xid), &[0, 0, 0, 0, 0, 0, 0, 9], &n(error), body])
}

fn get(xid: i32, path: &str) -> Vec<u8> {
    request(xid, 4, &[&buffer(path.as_bytes())[..], &[1]].concat())
}

fn talk() -> Talk {
    let mut t = Talk::tcp(4000);
    t.c(connect()).s(connected(10_000));
    t
}

fn brief(e: &Exchange) -> String {
    format!("{} {} {}", e.operation, text(e, "zookeeper.path"), e.outcome.as_str())
}

fn told(t: &Talk) -> Vec<String> {
    t.found.exchanges.iter().map(brief).collect()
}

#[test]
fn a_session_begins_without_its_password() {
    let t = talk();
    let e = &t.found.exchanges[0];
    assert_eq!((e.protocol, brief(e).as_str()), (Protocol::new("zookeeper"), "connect  ok"));
    assert_eq!(int(e, "zookeeper.timeout_ms"), Some(10_000));
    assert_eq!(text(e, "zookeeper.session"), "0x1020304050607");
    assert!(!format!("{e:?}").contains("s3cr"));
    let mut t = Talk::tcp(4000);
    t.c(connect()).s(connected(0));
    assert_eq!(told(&t), ["connect  client_error"]);
    assert_eq!(text(&t.found.exchanges[0], "db.response.status_code"), "SESSIONEXPIRED");
}

#[test]
fn replies_find_their_requests_by_number() {
    let mut t = talk();
    let data = [buffer(b"/a"), buffer(&[7; 9000])].concat();
    t.c([
        get(1, "/a"),
        request(2, 1, &data),
        request(-2, 11, b""),
        request(3, 3, &[&buffer(b"/x")[..], &[0]].concat()),
    ]
    .concat());
    t.s([reply(-2, 0, b""), reply(2, -110, b""), reply(1, 0, &[1; 20]), reply(3, -101, b"")]
        .concat());
    t.c(request(4, -11, b"")).s(reply(4, 0, b""));
    assert_eq!(
        told(&t)[1..],
        ["ping  ok", "create /a client_error", "getData /a ok", "exists /x ok", "closeSession  ok"]
    );
    let create = &t.found.exchanges[2];
    assert_eq!(text(create, "db.response.status_code"), "NODEEXISTS");
    assert_eq!(int(create, "zookeeper.data_size"), Some(9000));
}

#[test]
fn credentials_are_not_kept() {
    let mut t = talk();
    t.c(request(-4, 100, &[&n(0)[..], &buffer(b"digest"), &buffer(b"bob:s3cret")].concat()))
        .s(reply(-4, -115, b""));
    t.c(request(5, 102, &buffer(b"s3cret"))).s(reply(5, 0, &buffer(b"s3cret")));
    assert_eq!(told(&t)[1..], ["auth  client_error", "sasl  ok"]);
    assert_eq!(text(&t.found.exchanges[1], "zookeeper.auth_scheme"), "digest");
    assert!(!format!("{:?}", t.found.exchanges).contains("s3cret"));
}

#[test]
fn events_ask_for_nothing() {
    let mut t = talk();
    t.s(reply(-1, 0, &[&n(3)[..], &n(3), &buffer(b"/watched")].concat()));
    assert_eq!(told(&t)[1..], ["notification /watched ok"]);
    assert_eq!(text(&t.found.exchanges[1], "zookeeper.event"), "NodeDataChanged");
}

#[test]
fn several_operations_fail_together() {
    let delete = [&n(2)[..], &[0], &n(-1), &buffer(b"/gone"), &n(-1)].concat();
    let create = [
        &n(1)[..],
        &[0],
        &n(-1),
        &buffer(b"/new"),
        &buffer(b"x"),
        &n(1),
        &n(31),
        &buffer(b"world"),
        &buffer(b"anyone"),
        &n(0),
    ]
    .concat();
    let end = [&n(-1)[..], &[1], &n(-1)].concat();
    let mut t = talk();
    t.c(request(7, 14, &[create, delete, end.clone()].concat()));
    let failed = [
        [&n(-1)[..], &[0], &n(0), &n(0)].concat(),
        [&n(-1)[..], &[0], &n(-101), &n(-101)].concat(),
        end,
    ]
    .concat();
    t.s(reply(7, 0, &failed));
    let e = &t.found.exchanges[1];
    assert_eq!(
        (brief(e).as_str(), int(e, "db.operation.batch.size")),
        ("multi  client_error", Some(2))
    );
    assert_eq!(text(e, "db.response.status_code"), "NONODE");
}

#[test]
fn four_letter_words_are_answered_up_to_the_end() {
    let mut t = Talk::tcp(2181);
    t.c("ru").c("ok").s("im").s("ok").end(crate::input::End::Fin(S));
    assert_eq!(told(&t), ["ruok  ok"]);
    let e = &t.found.exchanges[0];
    assert_eq!((e.response.unwrap().bytes, e.response.unwrap().whole), (4, true));
}

#[test]
fn large_messages_and_holes() {
    let mut t = talk();
    let large = reply(1, 0, &vec![0; 300_000]);
    t.c(get(1, "/big"));
    large.chunks(1400).for_each(|piece| {
        t.s(piece);
    });
    t.c(get(2, "/b"))
        .gap(C, 30)
        .c([b"xyz".to_vec(), get(4, "/d")].concat())
        .s(reply(2, 0, b""))
        .s(reply(4, 0, b""));
    assert_eq!(told(&t)[1..], ["getData /big ok", "getData /b ok", "getData /d ok"]);
    assert!(t.conversation.bytes() < 20_000);
}

#[test]
fn joined_in_the_middle_on_the_usual_port() {
    let mut t = Talk::tcp(2181);
    t.c(get(9, "/a")).s(reply(9, 0, b"")).s(reply(8, -101, b"")).over();
    assert_eq!(told(&t), ["getData /a ok", "  no_request"]);
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let data = [buffer(b"/a"), buffer(&[7; 9000])].concat();
    let asked =
        [get(1, "/a"), request(2, 1, &data), request(-2, 11, b""), request(3, -11, b"")].concat();
    let event = [&n(3)[..], &n(3), &buffer(b"/a")].concat();
    let replies = [
        reply(-2, 0, b""),
        reply(2, -110, b""),
        reply(-1, 0, &event),
        reply(1, 0, &[1; 8000]),
        reply(3, 0, b""),
    ];
    vec![
        Script::new(
            2181,
            6,
            &[(C, connect()), (S, connected(4000)), (C, asked), (S, replies.concat())],
        ),
        Script::new(2181, 1, &[(C, b"stat".to_vec()), (S, b"Zookeeper version".to_vec())]),
    ]
}

#[test]
fn joined_in_the_middle_on_any_port() {
    let mut t = Talk::tcp(4000);
    t.s(reply(6, 0, b"")).c(get(7, "/a")).s(reply(7, 0, b"x"));
    let e = t.over();
    assert_eq!(
        (e.len(), e[0].operation.as_str(), e[0].protocol),
        (1, "getData", Protocol::new("zookeeper"))
    );
    let mut t = Talk::tcp(4000);
    t.c(request(7, 4, &[&buffer(b"/a")[..], &[7]].concat())).s(reply(7, 0, b"x"));
    assert!(t.over().is_empty(), "a watch is there or not");
}
