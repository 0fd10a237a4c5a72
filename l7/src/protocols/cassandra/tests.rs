//! Tests of CQL.

use wire::Direction;

use super::segment::crc24;
use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Exchange, Outcome, Protocol};

fn envelope(version: u8, flags: u8, stream: u16, opcode: u8, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u32).to_be_bytes();
    [&[version, flags], &stream.to_be_bytes()[..], &[opcode], &len, body].concat()
}

fn short(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text].concat()
}

fn long(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
}

fn startup(version: u8, compression: &str) -> Vec<u8> {
    let texts =
        ["CQL_VERSION", "3.0.0", "COMPRESSION", compression].map(|text| short(text.as_bytes()));
    envelope(version, 0, 0, 1, &[vec![0, 2], texts.concat()].concat())
}

fn query(version: u8, stream: u16, statement: &str) -> Vec<u8> {
    envelope(version, 0, stream, 7, &[long(statement), vec![0, 6, 0]].concat())
}

fn result(version: u8, stream: u16, kind: u8, behind: &[u8]) -> Vec<u8> {
    envelope(version | 0x80, 0, stream, 8, &[&[0, 0, 0, kind], behind].concat())
}

fn error(version: u8, stream: u16, code: u32) -> Vec<u8> {
    envelope(
        version | 0x80,
        0,
        stream,
        0,
        &[&code.to_be_bytes()[..], &short(b"s3cret values")].concat(),
    )
}

/// A segment that is not compressed.
fn segment(payload: &[u8], self_contained: bool) -> Vec<u8> {
    let head = (payload.len() as u32 | u32::from(self_contained) << 17).to_le_bytes();
    let crc = crc24(&head[..3]).to_le_bytes();
    [&head[..3], &crc[..3], payload, &[0; 4]].concat()
}

/// A block of LZ4 that holds nothing but literals.
fn literals(bytes: &[u8]) -> Vec<u8> {
    let mut block = vec![0xf0];
    let mut left = bytes.len() - 15;
    while left >= 255 {
        block.push(255);
        left -= 255;
    }
    block.push(left as u8);
    [block, bytes.to_vec()].concat()
}

fn packed_segment(payload: &[u8]) -> Vec<u8> {
    let block = literals(payload);
    let head = (block.len() as u64 | (payload.len() as u64) << 17 | 1 << 34).to_le_bytes();
    let crc = crc24(&head[..5]).to_le_bytes();
    [&head[..5], &crc[..3], &block, &[0; 4]].concat()
}

fn talk(version: u8, compression: &str) -> Talk {
    let mut t = Talk::tcp(4000);
    t.c(startup(version, compression)).s(envelope(version | 0x80, 0, 0, 2, &[]));
    t
}

fn brief(e: &Exchange) -> String {
    format!("{} {} {}", e.operation, text(e, "db.query.text"), e.outcome.as_str())
}

fn told(t: &Talk) -> Vec<String> {
    t.found.exchanges.iter().map(brief).collect()
}

#[test]
fn checksums_are_those_of_the_protocol() {
    assert_eq!(crc24(&[0x10, 0, 0x02]), 0x1f_0bc6);
    assert_eq!(crc24(&[0x10, 0, 0x20, 0, 0x04]), 0x4b_4ee0);
}

#[test]
fn statements_are_masked_and_answers_found_by_stream() {
    let mut t = talk(4, "");
    t.c([query(4, 1, "SELECT * FROM ks.t WHERE k = 's3cret'"), query(4, 2, "INSERT nonsense")]
        .concat());
    t.s(error(4, 2, 0x2000)).s(result(4, 1, 2, &[0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 7]));
    assert_eq!(
        told(&t),
        [
            "STARTUP  ok",
            "QUERY INSERT nonsense client_error",
            "QUERY SELECT * FROM ks.t WHERE k = ? ok"
        ]
    );
    let [_, failed, select] = t.found.exchanges.as_slice() else { panic!() };
    assert_eq!(
        (select.protocol, int(select, "db.response.returned_rows")),
        (Protocol::new("cassandra"), Some(7))
    );
    assert_eq!(text(select, "cassandra.consistency.level"), "local_quorum");
    assert_eq!(text(select, "db.collection.name"), "ks.t");
    assert_eq!(text(failed, "db.response.status_code"), "SYNTAX_ERROR");
    assert!(!format!("{:?}", t.found.exchanges).contains("s3cret"));
}

#[test]
fn prepared_statements_are_told_where_they_are_executed() {
    let mut t = talk(4, "");
    t.c(envelope(4, 0, 3, 9, &long("UPDATE t SET v = ? WHERE k = 5"))).s(result(
        4,
        3,
        4,
        &short(b"id-1"),
    ));
    t.c(envelope(4, 0, 4, 10, &[short(b"id-1"), vec![0, 1, 0]].concat())).s(result(4, 4, 1, &[]));
    t.c(envelope(4, 0, 5, 10, &[short(b"id-2"), vec![0, 1, 0]].concat())).s(error(4, 5, 0x2500));
    assert_eq!(
        told(&t)[1..],
        [
            "PREPARE UPDATE t SET v = ? WHERE k = ? ok",
            "EXECUTE UPDATE t SET v = ? WHERE k = ? ok",
            "EXECUTE  client_error"
        ]
    );
    let batch = [
        vec![0, 0, 2, 0],
        long("INSERT INTO t (k) VALUES (1)"),
        vec![0, 0, 1],
        short(b"id-1"),
        vec![0, 1, 0, 0, 0, 1, 9, 0, 4],
    ];
    t.c(envelope(4, 0, 6, 13, &batch.concat())).s(result(4, 6, 1, &[]));
    let e = &t.found.exchanges[4];
    assert_eq!(brief(e), "BATCH INSERT INTO t (k) VALUES (?) ok");
    assert_eq!(int(e, "db.operation.batch.size"), Some(2));
    assert_eq!(text(e, "cassandra.consistency.level"), "quorum");
}

#[test]
fn log_ins_keep_no_credentials() {
    let mut t = Talk::tcp(4000);
    t.c(startup(4, "")).s(envelope(0x84, 0, 0, 3, &short(b"PasswordAuthenticator")));
    t.c(envelope(4, 0, 1, 15, b"\0\0\0\x0d\0alice\0s3cret")).s(error(4, 1, 0x0100));
    assert_eq!(told(&t), ["STARTUP  ok", "AUTH_RESPONSE  client_error"]);
    assert!(!format!("{:?}", t.found.exchanges).contains("s3cret"));
}

#[test]
fn keyspaces_and_events() {
    let mut t = talk(4, "");
    t.c(query(4, 1, "USE shop")).s(result(4, 1, 3, &short(b"shop")));
    t.c(query(4, 2, "SELECT 1")).s(result(4, 2, 1, &[]));
    t.s(envelope(0x84, 0, 0xffff, 12, &[short(b"STATUS_CHANGE"), short(b"UP")].concat()));
    assert_eq!(told(&t)[1..], ["QUERY USE shop ok", "QUERY SELECT ? ok", "EVENT  ok"]);
    assert_eq!(text(&t.found.exchanges[2], "db.namespace"), "shop");
    assert_eq!(text(&t.found.exchanges[3], "cassandra.change"), "UP");
}

#[test]
fn bodies_may_be_compressed() {
    let mut t = talk(4, "lz4");
    let body = [long("SELECT v FROM t WHERE k = 5"), vec![0, 1, 0]].concat();
    let packed = [&(body.len() as u32).to_be_bytes()[..], &literals(&body)].concat();
    t.c(envelope(4, 1, 9, 7, &packed)).s(result(4, 9, 1, &[]));
    assert_eq!(told(&t)[1..], ["QUERY SELECT v FROM t WHERE k = ? ok"]);
}

#[test]
fn version_5_wraps_envelopes_in_segments() {
    let mut t = talk(5, "");
    let large = envelope(0x85, 0, 2, 8, &[&[0, 0, 0, 2][..], &[7; 200_000]].concat());
    t.c(segment(&[query(5, 1, "SELECT a FROM t"), query(5, 2, "SELECT b FROM t")].concat(), true));
    t.s(segment(&result(5, 1, 1, &[]), true));
    let (first, second) = large.split_at(131_071);
    for piece in [segment(first, false), segment(second, false)].concat().chunks(1400) {
        t.s(piece);
    }
    t.c(segment(&query(5, 3, "SELECT c FROM t"), true)).s(segment(&result(5, 3, 1, &[]), true));
    assert_eq!(
        told(&t)[1..],
        ["QUERY SELECT a FROM t ok", "QUERY SELECT b FROM t ok", "QUERY SELECT c FROM t ok"]
    );
    assert!(t.found.exchanges[2].response.unwrap().bytes > 200_000);
    t.c(segment(&query(5, 4, "SELECT lost"), true)).gap(S, 100);
    t.s([vec![1, 2, 3], segment(second, false), segment(&error(5, 4, 0x1200), true)].concat());
    assert_eq!(t.found.exchanges[4].outcome, Outcome::ServerError);
}

#[test]
fn segments_may_be_compressed() {
    let mut t = talk(5, "lz4");
    t.c(packed_segment(&[query(5, 1, "SELECT a FROM t"), query(5, 2, "SELECT b FROM t")].concat()));
    t.s(packed_segment(&[result(5, 2, 1, &[]), error(5, 1, 0x2200)].concat()));
    assert_eq!(told(&t)[1..], ["QUERY SELECT b FROM t ok", "QUERY SELECT a FROM t client_error"]);
}

#[test]
fn joined_in_the_middle() {
    let mut t = Talk::tcp(9042);
    t.c(query(4, 7, "SELECT a FROM t")).s(result(4, 7, 1, &[]));
    assert_eq!(told(&t), ["QUERY SELECT a FROM t ok"]);
    let mut t = Talk::tcp(9999);
    t.c(segment(&query(5, 7, "SELECT a FROM t"), true)).s(segment(&result(5, 7, 1, &[]), true));
    assert_eq!(told(&t), ["QUERY SELECT a FROM t ok"]);
    let mut t = Talk::tcp(9999);
    t.c(query(4, 7, "SELECT a FROM t")).s(result(4, 7, 1, &[]));
    assert!(t.over().is_empty());
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let begin = |version: u8, compression: &str| -> Vec<(Direction, Vec<u8>)> {
        vec![
            (C, envelope(version, 0, 0, 5, &[])),
            (
                S,
                envelope(
                    version | 0x80,
                    0,
                    0,
                    6,
                    &[&[0, 1][..], &short(b"CQL_VERSION"), &[0, 0]].concat(),
                ),
            ),
            (C, startup(version, compression)),
            (S, envelope(version | 0x80, 0, 0, 2, &[])),
        ]
    };
    let rows = |version: u8| result(version, 1, 2, &[0; 9000]);
    let mut four = begin(4, "");
    four.push((C, [query(4, 1, "SELECT a"), query(4, 2, &"x".repeat(9000))].concat()));
    four.push((S, [error(4, 2, 0x2000), rows(4)].concat()));
    let mut five = begin(5, "");
    five.push((C, segment(&[query(5, 1, "SELECT a"), query(5, 2, "SELECT b")].concat(), true)));
    let whole = rows(5);
    let (first, second) = whole.split_at(5000);
    five.push((
        S,
        [segment(&error(5, 2, 0x2000), true), segment(first, false), segment(second, false)]
            .concat(),
    ));
    let mut packed = begin(5, "lz4");
    packed.push((C, packed_segment(&[query(5, 1, "SELECT a"), query(5, 2, "SELECT b")].concat())));
    packed.push((S, [packed_segment(&error(5, 2, 0x2000)), packed_segment(&rows(5))].concat()));
    [four, five, packed].map(|turns| Script::new(9042, 4, &turns)).to_vec()
}
