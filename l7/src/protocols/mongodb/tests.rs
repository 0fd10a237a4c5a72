//! Messages in pieces of any size, compressed and not, with gaps, and the exchanges that come of
//! them.

use super::header::is_message;
use crate::contract::Probe;
use crate::limits::RequestLimits;
use crate::testing::{C, S, Script, Talk, int, text};
use fact::Outcome;

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

/// A document of elements as they are on the wire.
fn document(elements: &[&[u8]]) -> Vec<u8> {
    let body = elements.concat();
    [&(body.len() as u32 + 5).to_le_bytes()[..], &body, &[0]].concat()
}

fn string(name: &str, value: &str) -> Vec<u8> {
    let length = (value.len() as u32 + 1).to_le_bytes();
    [&[2], name.as_bytes(), &[0], &length, value.as_bytes(), &[0]].concat()
}

fn number(name: &str, value: i32) -> Vec<u8> {
    [&[0x10], name.as_bytes(), &[0], &value.to_le_bytes()[..]].concat()
}

fn inner(kind: u8, name: &str, document: &[u8]) -> Vec<u8> {
    [&[kind], name.as_bytes(), &[0], document].concat()
}

fn message(id: u32, to: u32, opcode: u32, body: &[u8]) -> Vec<u8> {
    let mut m = Vec::new();
    for word in [body.len() as u32 + 16, id, to, opcode] {
        m.extend(word.to_le_bytes());
    }
    m.extend(body);
    m
}

fn msg(id: u32, to: u32, flags: u32, sections: &[&[u8]]) -> Vec<u8> {
    message(id, to, 2013, &[&flags.to_le_bytes()[..], &sections.concat()].concat())
}

fn command(id: u32, elements: &[&[u8]]) -> Vec<u8> {
    msg(id, 0, 0, &[&[0], &document(elements)])
}

fn reply(id: u32, to: u32, elements: &[&[u8]]) -> Vec<u8> {
    msg(id, to, 0, &[&[0], &document(elements)])
}

fn find(id: u32) -> Vec<u8> {
    let filter = document(&[&string("name", "Alice")]);
    command(id, &[&string("find", "users"), &inner(3, "filter", &filter), &string("$db", "shop")])
}

/// A log-in with SCRAM and an error, of a real shell and server.
const REAL: [(wire::Direction, &str); 4] = [
    (
        C,
        "d90000000100000000000000dd0700000100000000c0000000107361736c436f6e74696e75650001000000057061796c6f616400
         7800000000633d626977732c723d6e66746550695a2f57536e31466b363179416a45576f716d385a2f4636306739624c65
         4a56384c4e2f725051456d58446462364c4e32556f5a6e6654627676672c703d6841545461324845584c3556444c456155
         755338386f38706348666a512b565146496472717042347571733d10636f6e766572736174696f6e4964000100000002
         246462000600000061646d696e0000a29d9d5d",
    ),
    (
        S,
        "810000003d00000001000000dd07000001000000006800000010636f6e766572736174696f6e4964000100000008646f6e65
         0000057061796c6f6164002e00000000763d674f4a6c4558723137576e557451386a70332f5254396c386f443651374d465839
         464b71547a5461747a633d016f6b00000000000000f03f00539456c0",
    ),
    (
        C,
        "590000000b00000000000000dd070000010000000040000000017265706c53657447657453746174757300000000000000f03f
         01666f725368656c6c00000000000000f03f02246462000600000061646d696e0000a8412cb1",
    ),
    (
        S,
        "7e000000470000000b000000dd070000010000000065000000016f6b000000000000000000026572726d7367001b0000006e6f
         742072756e6e696e672077697468202d2d7265706c5365740010636f6465004c00000002636f64654e616d6500150000004e6f
         5265706c69636174696f6e456e61626c6564000027c2613e",
    ),
];

/// The handshake of old, with an answer to 0.
fn old_handshake() -> [(wire::Direction, Vec<u8>); 2] {
    let query =
        [&[0; 4][..], b"admin.$cmd\0", &[0; 4], &[255; 4], &document(&[&number("isMaster", 1)])]
            .concat();
    let answer =
        [&[8, 0, 0, 0][..], &[0; 12], &[1, 0, 0, 0], &document(&[&number("ok", 1)])].concat();
    [(C, message(0, 0, 2004, &query)), (S, message(60, 0, 1, &answer))]
}

/// `compressed` is a snappy block of the flags, section and document of an `OP_MSG`.
fn snappy(id: u32, to: u32, original: &[u8]) -> Vec<u8> {
    assert!(original.len() < 60, "one literal");
    let block = [&[original.len() as u8, (original.len() as u8 - 1) << 2][..], original].concat();
    let head = [&2013u32.to_le_bytes()[..], &(original.len() as u32).to_le_bytes(), &[1]].concat();
    message(id, to, 2012, &[head, block].concat())
}

fn insert_many(id: u32, flags: u32) -> Vec<u8> {
    let documents =
        [document(&[&number("a", 1)]), document(&[&string("b", "x")]), document(&[])].concat();
    let size = (documents.len() as u32 + 14).to_le_bytes();
    let sequence = [&[1][..], &size, b"documents\0", &documents].concat();
    let body = document(&[&string("insert", "users"), &string("$db", "shop")]);
    msg(id, 0, flags, &[&sequence, &[0], &body])
}

pub(crate) fn scripts() -> Vec<Script> {
    let real: Vec<_> = REAL.iter().map(|(direction, digits)| (*direction, hex(digits))).collect();
    let ping = [&[0; 5][..], &document(&[&number("ping", 1), &string("$db", "a")])].concat();
    let pong = [&[0; 5][..], &document(&[&number("ok", 1)])].concat();
    vec![
        Script::new(4000, 2, &real),
        Script::new(27_017, 1, &old_handshake()),
        Script::new(
            27_017,
            4,
            &[
                (C, [find(1), find(2), insert_many(3, 0), insert_many(4, 2)].concat()),
                (S, reply(70, 2, &[&number("ok", 1)])),
                (
                    S,
                    [
                        reply(71, 3, &[&number("n", 2), &number("ok", 1)]),
                        reply(72, 1, &[&number("ok", 0)]),
                    ]
                    .concat(),
                ),
            ],
        ),
        Script::new(27_017, 1, &[(C, snappy(1, 0, &ping)), (S, snappy(2, 1, &pong))]),
    ]
}

#[test]
fn a_log_in_is_named_and_its_payload_not_kept() {
    let mut t = Talk::tcp(4000);
    for (direction, digits) in REAL {
        t.send(direction, &hex(digits));
    }
    assert_eq!(t.told(), ["saslContinue ok", "replSetGetStatus client_error"]);
    let [log_in, status] = &t.found.exchanges[..] else { panic!("two") };
    assert_eq!(text(log_in, "db.namespace"), "admin");
    assert_eq!(text(status, "error.type"), "NoReplicationEnabled");
    assert_eq!(text(status, "db.response.status_code"), "76");
    assert_eq!(text(status, "error.message"), "");
    let all = format!("{:?}", t.found.exchanges);
    assert!(!all.contains("biws") && !all.contains("hATT"), "{all}");
}

#[test]
fn messages_of_errors_are_kept_when_literals_are() {
    let mut t = Talk::new(
        wire::Transport::Tcp,
        40_000,
        27_017,
        RequestLimits { literals: true, ..RequestLimits::default() },
    );
    t.c(hex(REAL[2].1)).s(hex(REAL[3].1));
    assert_eq!(text(&t.found.exchanges[0], "error.message"), "not running with --replSet");
}

#[test]
fn commands_are_told_with_their_collection() {
    let mut t = Talk::tcp(27_017);
    t.c(find(1)).c(insert_many(2, 0));
    let duplicate =
        document(&[&number("index", 1), &number("code", 11_000), &string("errmsg", "E11000 dup")]);
    let errors = inner(4, "writeErrors", &document(&[&inner(3, "0", &duplicate)]));
    t.s(reply(9, 2, &[&number("n", 1), &errors, &number("ok", 1)])).s(reply(
        8,
        1,
        &[&number("ok", 1)],
    ));
    assert_eq!(t.told(), ["insert client_error", "find ok"]);
    let [insert, find] = &t.found.exchanges[..] else { panic!("two") };
    assert_eq!(
        (text(insert, "error.type"), int(insert, "db.operation.batch.size")),
        ("DuplicateKey".into(), Some(3))
    );
    for exchange in [insert, find] {
        assert_eq!(text(exchange, "db.collection.name"), "users");
        assert_eq!(text(exchange, "db.namespace"), "shop");
        assert_eq!(text(exchange, "db.system.name"), "mongodb");
    }
    assert!(!format!("{find:?}").contains("Alice"));
}

#[test]
fn one_way_messages_are_answered_by_nobody() {
    let mut t = Talk::tcp(27_017);
    let old = [&[0; 4][..], b"shop.users\0", &document(&[&number("a", 1)])].concat();
    t.c(insert_many(1, 2)).c(message(2, 0, 2002, &old)).c(message(
        3,
        0,
        2007,
        &[0, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
    ));
    assert_eq!(t.told(), ["insert ok", "insert ok", "killCursors ok"]);
    assert!(t.found.exchanges.iter().all(|e| e.response.is_none()));
    assert_eq!(text(&t.found.exchanges[1], "db.collection.name"), "users");
}

#[test]
fn the_handshake_of_old_has_an_answer_to_zero() {
    let mut t = Talk::tcp(27_017);
    for (direction, bytes) in old_handshake() {
        t.send(direction, &bytes);
    }
    assert_eq!(t.told(), ["isMaster ok"]);
    assert_eq!(text(&t.found.exchanges[0], "db.namespace"), "admin");
    assert_eq!(text(&t.found.exchanges[0], "db.collection.name"), "");
    let query = [&[0; 4][..], b"shop.users\0", &[0; 8], &document(&[&number("a", 1)])].concat();
    t.c(message(4, 0, 2004, &query)).s(message(
        61,
        4,
        1,
        &[
            &[2, 0, 0, 0][..],
            &[0; 12],
            &[1, 0, 0, 0],
            &document(&[&string("$err", "x"), &number("code", 13)]),
        ]
        .concat(),
    ));
    assert_eq!(t.told()[1..], ["find client_error"]);
    assert_eq!(text(&t.found.exchanges[1], "error.type"), "Unauthorized");
}

/// A reply of 3 MiB with `ok` behind its batch.
#[test]
fn batches_are_passed_over() {
    let mut t = Talk::tcp(27_017);
    let batch = document(&[&string("0", &"x".repeat(3 << 20))]);
    let cursor = document(&[&inner(4, "firstBatch", &batch), &number("id", 0)]);
    let answer =
        reply(9, 1, &[&inner(3, "cursor", &cursor), &number("ok", 0), &number("code", 50)]);
    t.c(find(1));
    answer.chunks(20_000).for_each(|piece| {
        t.s(piece);
    });
    assert_eq!(t.told(), ["find server_error"]);
    assert_eq!(text(&t.found.exchanges[0], "error.type"), "MaxTimeMSExpired");
    assert_eq!(t.found.exchanges[0].response.unwrap().bytes, answer.len() as u64);
    assert!(t.conversation.bytes() < 50_000, "{}", t.conversation.bytes());
}

#[test]
fn many_answers_to_one_request_are_one_exchange() {
    let mut t = Talk::tcp(27_017);
    let more = |id, to, flags| msg(id, to, flags, &[&[0], &document(&[&number("ok", 1)])]);
    t.c(msg(1, 0, 1 << 16, &[&[0], &document(&[&number("hello", 1), &string("$db", "admin")])]));
    t.s(more(50, 1, 2)).s(more(51, 50, 2)).s(more(52, 51, 2));
    assert!(t.found.exchanges.is_empty());
    t.over();
    let e = &t.found.exchanges[0];
    assert_eq!(
        (t.found.exchanges.len(), e.operation.as_str(), e.outcome),
        (1, "hello", Outcome::Ok)
    );
    assert_eq!(
        e.response.map(|r| (r.bytes, r.whole)),
        Some((3 * more(0, 0, 0).len() as u64, true))
    );
    let mut t = Talk::tcp(27_017);
    t.c(find(1)).s(more(50, 1, 2)).s(more(51, 50, 0)).c(find(2)).s(more(52, 2, 0));
    assert_eq!(t.told(), ["find ok", "find ok"]);
}

#[test]
fn compressed_messages_are_read() {
    let mut t = Talk::tcp(27_017);
    let script = scripts().pop().unwrap();
    for (direction, bytes) in &script.turns {
        t.send(*direction, bytes);
    }
    assert_eq!(t.told(), ["ping ok"]);
    assert_eq!(text(&t.found.exchanges[0], "db.namespace"), "a");
    let mut t = Talk::tcp(27_017);
    let damaged =
        message(5, 0, 2012, &[&2013u32.to_le_bytes()[..], &[9, 0, 0, 0, 3], &[1; 20]].concat());
    t.c(find(4)).s(reply(8, 4, &[&number("ok", 1)])).c(damaged).s(reply(9, 5, &[&number("ok", 1)]));
    assert_eq!(t.told(), ["find ok", "OP_COMPRESSED ok"]);
}

#[test]
fn it_is_joined_in_the_middle_and_behind_holes() {
    let mut t = Talk::tcp(4000);
    t.s([&[7; 90][..]].concat()).s(reply(9, 1, &[&number("ok", 1)])).c(find(2)).s(reply(
        10,
        2,
        &[&number("ok", 1)],
    ));
    assert_eq!(t.told(), ["no_request", "find ok"]);
    t.gap(C, 300).c([&[1, 2, 3][..], &find(5)].concat()).gap(S, 33).s([
        &[0; 9][..],
        &reply(11, 5, &[&number("ok", 1)]),
    ]
    .concat());
    assert_eq!(t.told()[2..], ["find ok"]);
}

#[test]
fn only_its_own_messages_are_taken() {
    let is = |bytes: &[u8]| [C, S].map(|direction| is_message(bytes, direction));
    assert_eq!(is(&find(1)), [Probe::Yes, Probe::No]);
    assert_eq!(is(&reply(2, 1, &[&number("ok", 1)])), [Probe::No, Probe::Yes]);
    assert_eq!(is(&find(1)[..20]), [Probe::More, Probe::No]);
    for bytes in
        [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], &[0; 64], &[1; 64], b"*1\r\n$4\r\nPING\r\n"]
    {
        assert_eq!(is(bytes), [Probe::No, Probe::No], "{bytes:?}");
    }
    let mut odd = find(1);
    odd[16] = 4;
    assert_eq!(is(&odd)[0], Probe::No);
}
