//! Packets in pieces of any size, compressed and not, with gaps, and the exchanges that come of
//! them.

use std::io::Write;

use flate2::write::ZlibEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use wire::{Direction, Transport};

use super::probe::probe;
use crate::contract::{Clue, Probe};
use crate::limits::RequestLimits;
use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Exchange, Outcome, Protocol};

type Turn = (Direction, Vec<u8>);

pub(super) fn p(sequence: u8, payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32).to_le_bytes()[..3], &[sequence], payload].concat()
}

/// Packets with numbers from `first` on.
fn ps(first: u8, payloads: &[&[u8]]) -> Vec<u8> {
    payloads
        .iter()
        .enumerate()
        .flat_map(|(n, payload)| p(first.wrapping_add(n as u8), payload))
        .collect()
}

pub(super) fn query(statement: &str) -> Vec<u8> {
    p(0, &[b"\x03", statement.as_bytes()].concat())
}

pub(super) fn ok(affected: u8, status: u16) -> Vec<u8> {
    [&[0, affected, 0][..], &status.to_le_bytes(), &[0, 0]].concat()
}

fn eof(status: u16) -> Vec<u8> {
    [&[0xfe, 0, 0][..], &status.to_le_bytes()].concat()
}

fn end(status: u16) -> Vec<u8> {
    [&[0xfe, 0, 0][..], &status.to_le_bytes(), &[0, 0]].concat()
}

const COLUMN: &[u8] = b"\x03def\0\0\0\x01a\0\x0c\x3f\0\x01\0\0\0\x08\x81\0\0\0\0";

fn error(code: u16, state: &str) -> Vec<u8> {
    [&[0xff][..], &code.to_le_bytes(), b"#", state.as_bytes(), b"no 'hunter2'"].concat()
}

const CAPABILITIES: u32 = 0x00aa_a20d;

fn greeting(version: &str, more: u32) -> Vec<u8> {
    let capabilities = CAPABILITIES | more;
    let mut g = [b"\x0a", version.as_bytes(), b"\0\x07\0\0\0hunter2a\0"].concat();
    g.extend((capabilities as u16).to_le_bytes());
    g.extend([0x21, 2, 0]);
    g.extend(((capabilities >> 16) as u16).to_le_bytes());
    g.extend([21]);
    g.extend([0; 10]);
    g.extend(b"hunter2hunte\0mysql_native_password\0");
    p(0, &g)
}

fn log_in(more: u32) -> Vec<u8> {
    let mut l = ((CAPABILITIES | more) & !0x800).to_le_bytes().to_vec();
    l.extend([0, 0, 0, 1, 0x21]);
    l.extend([0; 23]);
    l.extend(b"bob\0\x14hunter2hunter2hunter");
    l.extend(b"shop\0mysql_native_password\0");
    p(1, &l)
}

fn beginning(version: &str, more: u32) -> Vec<Turn> {
    vec![(S, greeting(version, more)), (C, log_in(more)), (S, p(2, &ok(0, 2)))]
}

pub(super) fn talk(turns: &[Turn]) -> Talk {
    let mut t = Talk::tcp(3306);
    for (direction, bytes) in turns {
        t.send(*direction, bytes);
    }
    t
}

pub(super) const NO_EOF: u32 = 1 << 24;
pub(super) const ZLIB: u32 = 1 << 5;

pub(super) fn logged_in(more: u32) -> Talk {
    talk(&beginning("8.0.36", more))
}

fn told(e: &Exchange) -> (String, Outcome, String) {
    (e.operation.clone(), e.outcome, text(e, "db.query.text"))
}

/// A packet of the compressed protocol.
pub(super) fn frame(sequence: u8, plain: &[u8], packed: Option<Vec<u8>>) -> Vec<u8> {
    let (length, body) = match &packed {
        Some(packed) => (plain.len(), packed.as_slice()),
        None => (0, plain),
    };
    let mut f = (body.len() as u32).to_le_bytes()[..3].to_vec();
    f.push(sequence);
    f.extend(&(length as u32).to_le_bytes()[..3]);
    f.extend(body);
    f
}

pub(super) fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(plain: &[u8]) -> Vec<u8> {
    compress_to_vec(plain, CompressionLevel::Fastest)
}

/// One column, rows, and the end, as with `CLIENT_DEPRECATE_EOF` or without.
pub(super) fn result(first: u8, rows: usize, no_eof: bool, status: u16) -> Vec<u8> {
    let (middle, last) = (eof(status), if no_eof { end(status) } else { eof(status) });
    let mut all: Vec<&[u8]> = vec![b"\x01", COLUMN];
    if !no_eof {
        all.push(&middle);
    }
    all.extend(std::iter::repeat_n(&b"\x011"[..], rows));
    all.push(&last);
    ps(first, &all)
}

pub(crate) fn scripts() -> Vec<Script> {
    let mut classic = beginning("5.5.5-10.11.6-MariaDB-log", 0);
    classic.extend([
        (C, query("SELECT a FROM t WHERE b='x'")),
        (S, result(1, 3, false, 2)),
        (C, query("CALL two()")),
        (S, [result(1, 1, false, 10), result(5, 2, false, 10), p(10, &ok(1, 2))].concat()),
        (C, query("SELEC 1")),
        (S, p(1, &error(1064, "42000"))),
        (C, p(0, b"\x16SELECT ?")),
        (S, ps(1, &[b"\0\x05\0\0\0\x01\0\x01\0\0\0\0", COLUMN, &eof(2), COLUMN, &eof(2)])),
        (C, p(0, b"\x17\x05\0\0\0\0\x01\0\0\0\0\x01\xfe\0\x01x")),
        (S, ps(1, &[b"\x01", COLUMN, &eof(2), b"\0\0\x011", &eof(2)])),
        (C, [p(0, b"\x19\x05\0\0\0"), p(0, b"\x0e")].concat()),
        (S, p(1, &ok(0, 2))),
        (C, query("LOAD DATA LOCAL INFILE 'f' INTO TABLE t")),
        (S, p(1, b"\xfbf")),
        (C, [p(2, b"1\n2\n"), p(3, b"")].concat()),
        (S, p(4, &ok(2, 2))),
        (C, p(0, b"\x01")),
    ]);
    let mut modern = beginning("8.0.36", NO_EOF | 1 << 27);
    modern.extend([
        (C, p(0, b"\x03\0\x01SELECT 1")),
        (S, result(1, 200, true, 2)),
        (C, p(0, b"\x03\x01\x01\0\x01\xfd\0\x01k\x01vSELECT 2, 'x'")),
        (S, result(1, 1, true, 2)),
        (C, p(0, b"\x02other")),
        (S, p(1, &ok(0, 2))),
        (C, p(0, b"\x09")),
        (S, p(1, b"Uptime: 1")),
    ]);
    let mut packed = beginning("8.0.36", NO_EOF | ZLIB);
    let (long, answer) =
        (query(&format!("SELECT '{}'", "x".repeat(9000))), result(1, 300, true, 2));
    packed.extend([
        (C, frame(0, &query("SELECT 1"), None)),
        (S, frame(1, &answer, Some(zlib(&answer)))),
        (C, frame(0, &long, Some(zlib(&long)))),
        (
            S,
            [frame(1, &answer[..700], Some(zlib(&answer[..700]))), frame(2, &answer[700..], None)]
                .concat(),
        ),
        (C, frame(0, &[p(0, b"\x19\x05\0\0\0"), p(0, b"\x0e")].concat(), None)),
        (S, frame(1, &p(1, &ok(0, 2)), None)),
    ]);
    let mut zstandard = beginning("8.0.36", NO_EOF | 1 << 26);
    zstandard.extend([
        (C, frame(0, &long, Some(zstd(&long)))),
        (S, frame(1, &answer, Some(zstd(&answer)))),
        (C, frame(0, &query("SELECT 1"), None)),
        (S, frame(1, &p(1, &error(1146, "42S02")), None)),
    ]);
    let tls = vec![
        (S, greeting("8.0.36", 0x800)),
        (C, p(1, &[b"\0\x0a\xaa\0\0\0\0\x01\x21".to_vec(), vec![0; 23]].concat())),
    ];
    vec![
        Script::new(3306, 8, &classic),
        Script::new(3306, 4, &modern),
        Script::new(3306, 4, &packed),
        Script::new(3306, 2, &zstandard),
        Script::new(3306, 0, &tls),
    ]
}

#[test]
fn every_script_gives_its_operations() {
    let wanted: [&[&str]; 5] = [
        &[
            "COM_QUERY ok",
            "COM_QUERY ok",
            "COM_QUERY client_error",
            "COM_STMT_PREPARE ok",
            "COM_STMT_EXECUTE ok",
            "COM_STMT_CLOSE ok",
            "COM_PING ok",
            "COM_QUERY ok",
            "COM_QUIT ok",
        ],
        &["COM_QUERY ok", "COM_QUERY ok", "COM_INIT_DB ok", "COM_STATISTICS ok"],
        &["COM_QUERY ok", "COM_QUERY ok", "COM_STMT_CLOSE ok", "COM_PING ok"],
        &["COM_QUERY ok", "COM_QUERY client_error"],
        &[],
    ];
    for (script, wanted) in scripts().iter().zip(wanted) {
        let mut t = talk(&script.turns);
        t.over();
        assert_eq!(t.told(), wanted);
        let all = format!("{:?}", t.found.exchanges);
        assert!(!all.contains("hunter2"), "{all}");
        assert!(
            t.found
                .exchanges
                .iter()
                .all(|e| e.request.unwrap().whole && e.response.is_none_or(|r| r.whole))
        );
    }
}

#[test]
fn an_exchange_says_who_asked_what() {
    let mut t = talk(&scripts()[0].turns);
    t.over();
    let e = &t.found.exchanges;
    assert_eq!(e[0].protocol, Protocol::new("mysql"));
    assert_eq!(told(&e[0]), ("COM_QUERY".into(), Outcome::Ok, "SELECT a FROM t WHERE b=?".into()));
    let all = [
        "db.system.name",
        "db.namespace",
        "db.user",
        "db.server.version",
        "db.mysql.auth_plugin",
        "db.collection.name",
    ];
    let values = ["mariadb", "shop", "bob", "10.11.6-MariaDB-log", "mysql_native_password", "t"];
    assert_eq!(all.map(|key| text(&e[0], key)), values);
    assert_eq!(int(&e[0], "db.response.returned_rows"), Some(3));
    assert_eq!(
        (int(&e[1], "db.response.returned_rows"), int(&e[1], "db.response.affected_rows")),
        (Some(3), Some(1))
    );
    assert_eq!(text(&e[1], "db.server.version"), "");
    assert_eq!(
        (text(&e[2], "db.response.status_code"), text(&e[2], "error.type")),
        ("1064".into(), "42000".into())
    );
    assert_eq!(told(&e[4]), ("COM_STMT_EXECUTE".into(), Outcome::Ok, "SELECT ?".into()));
    assert_eq!((int(&e[4], "db.response.returned_rows"), e[5].response), (Some(1), None));
    assert_eq!(int(&e[7], "db.response.affected_rows"), Some(2));
    let mut t = talk(&scripts()[1].turns);
    let e = t.over();
    assert_eq!((told(&e[1]).2, text(&e[1], "db.namespace")), ("SELECT ?, ?".into(), "shop".into()));
    assert_eq!(
        (text(&e[2], "db.namespace"), text(&e[3], "db.namespace")),
        ("other".into(), "other".into())
    );
}

#[test]
fn a_failed_log_in_is_told_without_the_password() {
    let mut t = Talk::tcp(3306);
    t.s(greeting("8.0.36", 0))
        .c(log_in(0))
        .s(p(2, b"\xfecaching_sha2_password\0hunter2hunter2\0"))
        .c(p(3, b"hunter2"));
    t.s(p(4, &error(1045, "28000")));
    let e = &t.over()[0];
    assert_eq!((e.operation.as_str(), e.outcome), ("COM_CONNECT", Outcome::ClientError));
    assert_eq!((text(e, "db.user"), text(e, "error.type")), ("bob".into(), "28000".into()));
    assert!(!format!("{:?}", t.found.exchanges).contains("hunter2"));
    let mut t = Talk::tcp(3306);
    t.s(p(0, b"\xff\x10\x04Too many connections"));
    assert_eq!(t.over()[0].outcome, Outcome::NoRequest);
}

#[test]
fn a_connection_that_only_logs_in_is_known() {
    let t = logged_in(0);
    assert!(t.found.exchanges.is_empty());
    let summary = t.conversation.summary().unwrap();
    assert_eq!(
        (summary.protocol, summary.requests, summary.errors),
        (Protocol::new("mysql"), 0, 0)
    );
}

#[test]
fn literals_are_kept_where_asked_for_and_passwords_never() {
    let limits = RequestLimits { literals: true, ..RequestLimits::default() };
    let mut t = Talk::new(Transport::Tcp, 40_000, 3306, limits);
    t.c(query("SELECT a FROM t WHERE b = 'x'")).s(result(1, 1, true, 2));
    t.c(query("CREATE USER bob IDENTIFIED BY 'hunter2'")).s(p(1, &ok(0, 2)));
    let texts: Vec<_> = t.over().iter().map(|e| text(e, "db.query.text")).collect();
    assert_eq!(texts, ["SELECT a FROM t WHERE b = 'x'", "CREATE USER bob IDENTIFIED BY ?"]);
}

#[test]
fn errors_are_the_clients_or_the_servers() {
    let mut t = logged_in(NO_EOF);
    for (code, state) in [(1146, "42S02"), (1213, "40001"), (1205, "HY000"), (1366, "HY000")] {
        t.c(query("SELECT 1")).s(p(1, &error(code, state)));
    }
    let server = Outcome::ServerError;
    let outcomes: Vec<_> = t.over().iter().map(|e| e.outcome).collect();
    assert_eq!(outcomes, [Outcome::ClientError, server, server, Outcome::ClientError]);
}

#[test]
fn long_commands_and_rows_go_on_in_further_packets() {
    let mut t = logged_in(NO_EOF);
    let full = |sequence, begin: &[u8]| {
        let mut packet = vec![0xff, 0xff, 0xff, sequence];
        packet.extend(begin);
        packet.resize(4 + 0xff_ffff, b'x');
        packet
    };
    t.c(full(0, b"\x03INSERT INTO t VALUES ('")).c(p(1, b"')"));
    t.s(p(2, &ok(1, 2)));
    t.c(query("SELECT a FROM t"))
        .s(ps(1, &[b"\x01", COLUMN]))
        .s(full(3, &[0xfe]))
        .s(ps(4, &[b"\xfe\x01\x02", &end(2)]));
    t.c(p(0, b"\x0e")).s(p(1, &ok(0, 2)));
    let e = t.over();
    assert_eq!(e.iter().map(|e| e.outcome).collect::<Vec<_>>(), [Outcome::Ok; 3]);
    assert_eq!(e[0].request.unwrap().bytes, 0xff_ffff + 4 + 6);
    assert_eq!(told(&e[0]).2, "INSERT INTO t VALUES (?");
    assert_eq!(int(&e[1], "db.response.returned_rows"), Some(1));
}

#[test]
fn mariadbs_own() {
    let mut t = talk(&beginning("5.5.5-10.11.6-MariaDB", NO_EOF));
    // Prepared and executed in one go: statement -1 is the one before.
    t.c([p(0, b"\x16SELECT 'x'"), p(0, b"\x17\xff\xff\xff\xff\0\x01\0\0\0")].concat());
    t.s([p(1, b"\0\x07\0\0\0\0\0\0\0\0\0\0"), ps(1, &[b"\x01\x00", b"\0\0\x011", &end(2)])]
        .concat());
    t.c(p(0, b"\xfa\x07\0\0\0\x80\0\x03\0\0\x01x")).s(p(1, &ok(3, 2)));
    t.c(query("ALTER TABLE t FORCE"));
    t.s([p(1, b"\xff\xff\xff\x01\x01\x02\x10\x20\0\x05stage"), p(2, &ok(0, 2))].concat());
    let all: Vec<_> = t.over().iter().map(told).collect();
    let ok = |name: &str, text: &str| (name.to_owned(), Outcome::Ok, text.to_owned());
    let expected = [
        ok("COM_STMT_PREPARE", "SELECT ?"),
        ok("COM_STMT_EXECUTE", "SELECT ?"),
        ok("COM_STMT_BULK_EXECUTE", "SELECT ?"),
        ok("COM_QUERY", "ALTER TABLE t FORCE"),
    ];
    assert_eq!(all, expected);
}

#[test]
fn the_binary_log_goes_on_for_ever() {
    let mut t = logged_in(0);
    t.c(p(0, b"\x12\x04\0\0\0\0\0\x01\0\0\0log.1"))
        .s(ps(1, &[b"\0event", b"\0event"]))
        .s(p(3, b"\0x"));
    assert_eq!(t.told(), ["COM_BINLOG_DUMP ok"]);
}

#[test]
fn joined_in_the_middle() {
    for no_eof in [true, false] {
        let mut t = Talk::tcp(3306);
        t.s(p(9, b"\x03row")).c(query("SELECT 1")).s(result(1, 2, no_eof, 2));
        t.c(p(0, b"\x17\x05\0\0\0\0\x01\0\0\0")).s(result(1, 1, no_eof, 2));
        t.c(p(0, b"\x16SELECT 2"));
        t.s(ps(1, &[b"\0\x05\0\0\0\x01\0\0\0\0\0\0", COLUMN])).s(if no_eof {
            vec![]
        } else {
            p(3, &eof(2))
        });
        t.c(p(0, b"\x0e")).s(p(1, &ok(0, 2)));
        t.over();
        assert_eq!(
            t.told(),
            ["COM_QUERY ok", "COM_STMT_EXECUTE ok", "COM_STMT_PREPARE ok", "COM_PING ok"]
        );
    }
}

#[test]
fn an_answer_from_before_the_join_is_nobodys() {
    let mut t = Talk::tcp(3306);
    t.s(p(1, &ok(0, 2))).c(p(0, b"\x17\x05\0\0\0\0\x01\0\0\0")).s(result(1, 3, false, 2));
    t.c(query("SELECT 1")).s(result(1, 2, false, 2));
    let rows = |e: &Exchange| (e.operation.clone(), e.outcome, int(e, "db.response.returned_rows"));
    let all: Vec<_> = t.over().iter().map(rows).collect();
    let expected = [("COM_STMT_EXECUTE", 3), ("COM_QUERY", 2)];
    assert_eq!(all, expected.map(|(name, rows)| (name.to_owned(), Outcome::Ok, Some(rows))));
}

#[test]
fn a_hole_costs_what_it_hits() {
    let mut t = logged_in(NO_EOF);
    let answer = result(1, 3, true, 2);
    t.c(query("SELECT 1")).s(&answer[..20]).gap(S, answer.len() as u64 - 20);
    t.c(query("SELECT 2")).s(&answer);
    t.c(query("SELECT 3")).gap(S, answer.len() as u64);
    t.c(query("SELECT 4")).s(&answer);
    t.gap(C, 13).s(&answer);
    t.c(query("SELECT 6")).s(&answer);
    let outcomes: Vec<_> = t.over().iter().map(|e| e.outcome).collect();
    let (ok, lost) = (Outcome::Ok, Outcome::LostBytes);
    assert_eq!(outcomes, [lost, ok, lost, ok, ok]);
    let mut t = logged_in(NO_EOF);
    t.c(query("SELECT 1")).s(&answer[..answer.len() - 20]).snap(S, 20);
    t.c(query("SELECT 2")).s(&answer);
    assert_eq!(t.over().iter().map(|e| e.outcome).collect::<Vec<_>>()[1], ok);
}

#[test]
fn other_protocols_are_not_taken_for_it() {
    let clue = |usual| Clue {
        transport: Transport::Tcp,
        client_port: 40_000,
        server_port: 3306,
        usual,
        at_start: false,
        literals: false,
    };
    for head in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"\x16\x03\x01\x02\0\x01",
        b"*1\r\n$4\r\nPING\r\n",
        b"220 hello\r\n",
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"SSH-2.0-x\r\n",
    ] {
        for usual in [true, false] {
            for direction in [C, S] {
                assert_eq!(probe(head, direction, &clue(usual)), Probe::No, "{head:?}");
            }
        }
    }
    let hello = greeting("8.0.36", 0);
    assert_eq!(probe(&hello, S, &clue(false)), Probe::Yes);
    assert_eq!(probe(&hello[..8], S, &clue(false)), Probe::More);
    assert_eq!(probe(&log_in(0), C, &clue(true)), Probe::Yes);
    assert_eq!(probe(&query("SELECT 1"), C, &clue(false)), Probe::Yes);
    assert_eq!(probe(&p(0, b"\x0e"), C, &clue(false)), Probe::No);
    assert_eq!(probe(&p(0, b"\x0e"), C, &clue(true)), Probe::Yes);
}
