//! Messages in pieces of any size, with gaps, and the exchanges that come of them.

use super::probe::probe;
use crate::contract::{Clue, Probe};
use crate::limits::RequestLimits;
use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Exchange, Outcome, Protocol};
use wire::Transport;

fn m(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

fn startup(code: u32, body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes()[..], &code.to_be_bytes(), body].concat()
}

fn query(statement: &str) -> Vec<u8> {
    m(b'Q', &[statement.as_bytes(), b"\0"].concat())
}

fn parse(name: &str, statement: &str) -> Vec<u8> {
    m(b'P', &[name.as_bytes(), b"\0", statement.as_bytes(), b"\0\0\0"].concat())
}

fn bind(portal: &str, statement: &str) -> Vec<u8> {
    m(b'B', &[portal.as_bytes(), b"\0", statement.as_bytes(), b"\0\0\0\0\0\0\0"].concat())
}

fn execute(portal: &str) -> Vec<u8> {
    m(b'E', &[portal.as_bytes(), b"\0\0\0\0\0"].concat())
}

fn describe(kind: u8, name: &str) -> Vec<u8> {
    m(b'D', &[&[kind][..], name.as_bytes(), b"\0"].concat())
}

fn sync() -> Vec<u8> {
    m(b'S', b"")
}

fn complete(tag: &str) -> Vec<u8> {
    m(b'C', &[tag.as_bytes(), b"\0"].concat())
}

fn ready() -> Vec<u8> {
    m(b'Z', b"I")
}

fn columns() -> Vec<u8> {
    m(b'T', b"\0\x01?column?\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0")
}

fn row() -> Vec<u8> {
    m(b'D', b"\0\x01\0\0\0\x01x")
}

fn error(severity: &str, code: &str) -> Vec<u8> {
    let text = format!("S{severity}\0V{severity}\0C{code}\0Mno: \"hunter2\"\0Fx.c\0L1\0Rf\0\0");
    m(b'E', text.as_bytes())
}

/// Log-in with SCRAM, up to the first `ReadyForQuery`.
fn log_in() -> Vec<(wire::Direction, Vec<u8>)> {
    vec![
        (C, startup(0x30000, b"user\0bob\0database\0shop\0application_name\0psql\0\0")),
        (S, m(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0")),
        (C, m(b'p', b"SCRAM-SHA-256\0\0\0\0\x12n,,n=,r=hunter2abc")),
        (S, m(b'R', b"\0\0\0\x0br=x,s=y,i=4096")),
        (C, m(b'p', b"c=biws,r=x,p=hunter2")),
        (
            S,
            [
                m(b'R', b"\0\0\0\x0cv=z"),
                m(b'R', b"\0\0\0\0"),
                m(b'S', b"server_version\x0015.9\0"),
                m(b'S', b"standard_conforming_strings\0on\0"),
                m(b'K', b"\0\0\0\x01\0\0\0\x02"),
                ready(),
            ]
            .concat(),
        ),
    ]
}

fn logged_in() -> Talk {
    let mut t = Talk::tcp(5432);
    for (direction, bytes) in log_in() {
        t.send(direction, &bytes);
    }
    assert!(t.found.exchanges.is_empty());
    t
}

fn told(e: &Exchange) -> (String, Outcome, String) {
    (e.operation.clone(), e.outcome, text(e, "db.query.text"))
}

fn all(t: &mut Talk) -> Vec<(String, Outcome, String)> {
    t.over().iter().map(told).collect()
}

pub(crate) fn scripts() -> Vec<Script> {
    let mut simple = log_in();
    simple.extend([
        (C, query("SELECT 'x', 1; UPDATE t SET a = 2")),
        (S, [columns(), row(), complete("SELECT 1"), complete("UPDATE 4"), ready()].concat()),
        (C, query("SELEC")),
        (S, [error("ERROR", "42601"), ready()].concat()),
        (C, query("COPY t FROM STDIN")),
        (S, m(b'G', b"\0\0\x01\0\0")),
        (C, [m(b'd', &[b'x'; 3000]), m(b'd', b"1\t2\n"), m(b'c', b"")].concat()),
        (S, [complete("COPY 2"), ready()].concat()),
        (C, m(b'X', b"")),
    ]);
    let mut extended = log_in();
    extended.extend([
        (
            C,
            [parse("", "SELECT $1"), bind("", ""), describe(b'P', ""), execute(""), sync()]
                .concat(),
        ),
        (S, [m(b'1', b""), m(b'2', b""), columns(), row(), complete("SELECT 1"), ready()].concat()),
        (
            C,
            [
                parse("s", "INSERT INTO t VALUES ($1)"),
                bind("", "s"),
                execute(""),
                bind("", "s"),
                execute(""),
                bind("", "s"),
                execute(""),
                sync(),
                query("SELECT 7"),
            ]
            .concat(),
        ),
        (
            S,
            [
                m(b'1', b""),
                m(b'2', b""),
                complete("INSERT 0 1"),
                m(b'2', b""),
                error("ERROR", "23505"),
                ready(),
                columns(),
                row(),
                complete("SELECT 1"),
                ready(),
            ]
            .concat(),
        ),
    ]);
    let encrypted = [
        (C, startup(80_877_103, b"")),
        (S, b"N".to_vec()),
        (C, startup(0x30000, b"user\0bob\0\0")),
        (S, [error("FATAL", "28P01")].concat()),
    ];
    vec![
        Script::new(5432, 3, &simple),
        Script::new(5432, 5, &extended),
        Script::new(5432, 1, &encrypted),
    ]
}

#[test]
fn simple_queries_are_exchanges_and_the_log_in_is_none() {
    let mut t = logged_in();
    t.c(query("SELECT a FROM t WHERE b = 'hunter2'; DELETE FROM t"));
    let answer = [
        columns(),
        row(),
        row(),
        m(b'N', b"SNOTICE\0\0"),
        complete("SELECT 2"),
        complete("DELETE 3"),
        ready(),
    ]
    .concat();
    t.s(&answer).c(m(b'X', b""));
    let e = &t.over()[0];
    assert_eq!(e.protocol, Protocol::new("postgresql"));
    assert_eq!(
        told(e),
        ("Query".into(), Outcome::Ok, "SELECT a FROM t WHERE b = ?; DELETE FROM t".into())
    );
    assert_eq!(
        (text(e, "db.system.name"), text(e, "db.user")),
        ("postgresql".into(), "bob".into())
    );
    assert_eq!(
        (text(e, "db.namespace"), text(e, "db.server.version")),
        ("shop".into(), "15.9".into())
    );
    assert_eq!(int(e, "db.response.returned_rows"), Some(2));
    assert_eq!(int(e, "db.response.affected_rows"), Some(3));
    assert_eq!(int(e, "db.operation.batch.size"), Some(2));
    assert_eq!(e.response.unwrap().bytes, answer.len() as u64);
    assert!(!format!("{:?}", t.found.exchanges).contains("hunter2"));
    assert_eq!(t.found.exchanges.len(), 1);
}

#[test]
fn errors_have_their_state_and_nobodys_values() {
    let mut t = logged_in();
    t.c(query("SELECT nothing")).s([error("ERROR", "42703"), ready()].concat());
    t.c(query("SELECT 1")).s([error("ERROR", "53200"), ready()].concat());
    t.c(query("SELECT 2")).s(error("FATAL", "57P01"));
    let outcomes: Vec<_> = t.over().iter().map(|e| (e.outcome, text(e, "error.type"))).collect();
    let server = Outcome::ServerError;
    let expected = [(Outcome::ClientError, "42703"), (server, "53200"), (server, "57P01")];
    assert_eq!(outcomes, expected.map(|(o, c)| (o, c.to_owned())));
    assert_eq!(text(&t.found.exchanges[2], "db.postgresql.severity"), "FATAL");
    assert_eq!(text(&t.found.exchanges[0], "db.response.status_code"), "42703");
    assert!(t.found.exchanges.iter().all(|e| e.response.unwrap().whole));
    assert!(!format!("{:?}", t.found.exchanges).contains("hunter2"));
}

#[test]
fn a_transaction_that_stays_open_is_told() {
    let mut t = logged_in();
    t.c(query("BEGIN")).s([complete("BEGIN"), m(b'Z', b"T")].concat());
    t.c(query("SELECT nothing")).s([error("ERROR", "42703"), m(b'Z', b"E")].concat());
    t.c([bind("", "s"), execute(""), sync()].concat());
    t.s([error("ERROR", "25P02"), m(b'Z', b"E")].concat());
    t.c(query("ROLLBACK")).s([complete("ROLLBACK"), ready()].concat());
    let states: Vec<_> = t.over().iter().map(|e| text(e, "db.postgresql.transaction")).collect();
    assert_eq!(states, ["open", "failed", "", ""]);
}

#[test]
fn literals_are_kept_where_asked_for_and_passwords_never() {
    let limits = RequestLimits { literals: true, ..RequestLimits::default() };
    let mut t = Talk::new(Transport::Tcp, 40_000, 5432, limits);
    t.c(query("SELECT a FROM t WHERE b = 'x'")).s([complete("SELECT 0"), ready()].concat());
    t.c(query("ALTER ROLE bob PASSWORD 'hunter2'")).s([complete("ALTER ROLE"), ready()].concat());
    let texts: Vec<_> = t.over().iter().map(|e| text(e, "db.query.text")).collect();
    assert_eq!(texts, ["SELECT a FROM t WHERE b = 'x'", "ALTER ROLE bob PASSWORD ?"]);
}

#[test]
fn of_several_errors_the_first_counts() {
    let mut t = logged_in();
    t.c(query("SELECT 1"));
    for code in ["42703", "53200", "XX000"] {
        t.s(error("ERROR", code));
    }
    t.s(ready());
    let e = &t.over()[0];
    assert_eq!((e.outcome, text(e, "error.type")), (Outcome::ClientError, "42703".into()));
    assert_eq!(e.attributes.iter().filter(|(key, _)| *key == "error.type").count(), 1);
}

#[test]
fn every_execute_is_an_exchange_with_its_statement() {
    let mut t = logged_in();
    t.c([parse("s1", "SELECT $1"), describe(b'S', "s1"), m(b'H', b"")].concat());
    t.s([m(b'1', b""), m(b't', b"\0\0"), columns()].concat());
    assert!(t.told().is_empty());
    let batch =
        [bind("", "s1"), execute(""), bind("p", "s1"), describe(b'P', "p"), execute("p")].concat();
    t.c([batch, parse("", "UPDATE t SET a=1"), bind("", ""), execute(""), sync()].concat());
    t.s([m(b'2', b""), row(), complete("SELECT 1"), m(b'2', b""), columns(), row(), m(b's', b"")]
        .concat());
    t.s([m(b'1', b""), m(b'2', b""), complete("UPDATE 0"), ready()].concat());
    let ok = |text: &str| ("Execute".to_owned(), Outcome::Ok, text.to_owned());
    assert_eq!(all(&mut t), [ok("SELECT $1"), ok("SELECT $1"), ok("UPDATE t SET a=?")]);
    let rows: Vec<_> =
        t.found.exchanges.iter().map(|e| int(e, "db.response.returned_rows")).collect();
    assert_eq!(rows, [Some(1), Some(1), None]);
    assert_eq!(
        t.found.exchanges[0].request.unwrap().bytes,
        (bind("", "s1").len() + execute("").len()) as u64
    );
}

#[test]
fn what_comes_after_an_error_of_the_same_batch_is_passed_over() {
    let mut t = logged_in();
    let one = |text| [parse("", text), bind("", ""), execute("")].concat();
    t.c([
        one("SELECT 1"),
        one("SELECT x"),
        one("SELECT 3"),
        one("SELECT 4"),
        sync(),
        one("SELECT 5"),
        sync(),
    ]
    .concat());
    t.s([m(b'1', b""), m(b'2', b""), complete("SELECT 1"), error("ERROR", "42703"), ready()]
        .concat());
    t.s([m(b'1', b""), m(b'2', b""), complete("SELECT 1"), ready()].concat());
    let outcomes: Vec<_> = t.over().iter().map(|e| e.outcome).collect();
    let (ok, skipped) = (Outcome::Ok, Outcome::NoResponse);
    assert_eq!(outcomes, [ok, Outcome::ClientError, skipped, skipped, ok]);
    assert_eq!(text(&t.found.exchanges[2], "wirespan.unanswered"), "skipped");
}

/// The server skips a `Sync` while it takes data, sent before or after the server said so.
#[test]
fn a_copy_by_execute_takes_the_sync_before_it() {
    let execution = || [parse("", "COPY t FROM STDIN"), bind("", ""), execute("")].concat();
    let begins = || [m(b'1', b""), m(b'2', b""), m(b'G', b"\0\0\x01\0\0")].concat();
    let data = m(b'd', b"1\t2\n");
    let next = |t: &mut Talk| {
        t.c(query("SELECT 1")).s([columns(), row(), complete("SELECT 1"), ready()].concat());
        t.c([parse("", "SELECT $1"), bind("", ""), execute(""), sync()].concat());
        t.s([m(b'1', b""), m(b'2', b""), row(), row(), complete("SELECT 2"), ready()].concat());
    };
    let ended = |end: &[u8]| [&data[..], &data, end, &sync()].concat();
    let (done, stop) = (m(b'c', b""), m(b'f', b"no\0"));
    let good = [complete("COPY 2"), ready()].concat();
    let bad = [error("ERROR", "57014"), ready()].concat();
    for (end, answer, outcome) in [
        (&done, &good, Outcome::Ok),
        (&stop, &bad, Outcome::ServerError),
        (&done, &bad, Outcome::ServerError),
    ] {
        let mut early = logged_in();
        early.c([execution(), sync()].concat()).s(begins()).c(ended(end)).s(answer);
        let mut late = logged_in();
        late.c(execution()).s(begins()).c(sync()).c(ended(end)).s(answer);
        let mut at_once = logged_in();
        at_once.c([execution(), ended(end)].concat()).s([&begins()[..], answer].concat());
        for mut t in [early, late, at_once] {
            next(&mut t);
            let all: Vec<_> = t.over().iter().map(|e| (e.operation.as_str(), e.outcome)).collect();
            assert_eq!(
                all,
                [("Execute", outcome), ("Query", Outcome::Ok), ("Execute", Outcome::Ok)]
            );
            assert_eq!(int(&t.found.exchanges[2], "db.response.returned_rows"), Some(2));
        }
    }
    // The server failed before it took any, or on the way: the client ends with a `Sync` alone.
    let mut t = logged_in();
    t.c([execution(), sync()].concat()).s([error("ERROR", "42P01"), ready()].concat());
    t.c([execution(), sync()].concat())
        .s(begins())
        .c(&data)
        .s(error("ERROR", "22P02"))
        .c(sync())
        .s(ready());
    next(&mut t);
    let failed = ("Execute", Outcome::ClientError);
    let all: Vec<_> = t.over().iter().map(|e| (e.operation.as_str(), e.outcome)).collect();
    assert_eq!(all, [failed, failed, ("Query", Outcome::Ok), ("Execute", Outcome::Ok)]);
}

#[test]
fn what_is_only_prepared_is_told_if_that_fails() {
    let mut t = logged_in();
    t.c([parse("s", "SELECT nothing"), describe(b'S', "s"), sync()].concat());
    t.s([error("ERROR", "42P01"), ready()].concat());
    t.c([parse("s", "SELECT 1"), describe(b'S', "s"), sync()].concat());
    t.s([m(b'1', b""), m(b't', b"\0\0"), m(b'n', b""), ready()].concat());
    t.c([m(b'C', b"Ss\0"), sync()].concat()).s([m(b'3', b""), ready()].concat());
    t.c(query("SELECT 2")).s([complete("SELECT 1"), ready()].concat());
    let expected = [
        ("Parse".to_owned(), Outcome::ClientError, "SELECT nothing".to_owned()),
        ("Query".to_owned(), Outcome::Ok, "SELECT ?".to_owned()),
    ];
    assert_eq!(all(&mut t), expected);
}

#[test]
fn a_failed_log_in_is_told_without_what_was_sent() {
    let mut t = Talk::tcp(5432);
    t.c(startup(0x30000, b"user\0bob\0\0"))
        .s(m(b'R', b"\0\0\0\x05salt"))
        .c(m(b'p', b"md5hunter2\0"));
    t.s(error("FATAL", "28P01"));
    let e = &t.over()[0];
    assert_eq!((e.operation.as_str(), e.outcome), ("StartupMessage", Outcome::ClientError));
    assert_eq!((text(e, "db.user"), text(e, "db.namespace")), ("bob".into(), "bob".into()));
    assert!(!format!("{:?}", t.found.exchanges).contains("hunter2"));
}

#[test]
fn cancel_function_call_and_replication() {
    let mut t = Talk::tcp(5432);
    t.c(startup(80_877_102, &[0, 0, 0, 1, 0, 0, 0, 2]));
    assert_eq!(t.told(), ["CancelRequest ok"]);
    let mut t = logged_in();
    t.c(m(b'F', &[0; 12])).s([m(b'V', b"\xff\xff\xff\xff"), ready()].concat());
    t.c(query("START_REPLICATION 0/1"))
        .s([m(b'W', b"\0\0\0"), m(b'd', b"k123"), m(b'd', b"w")].concat());
    t.c(m(b'd', b"r")).s(m(b'd', b"w"));
    assert_eq!(t.told(), ["FunctionCall ok", "Query ok"]);
}

#[test]
fn encryption_is_seen() {
    let mut t = Talk::tcp(5432);
    t.c(startup(80_877_103, b"")).s(b"S").c(b"\x16\x03\x01\x02\0\x01\0").s(b"\x16\x03\x03");
    assert!(t.over().is_empty());
    let mut t = Talk::tcp(5432);
    t.c(startup(80_877_104, b"")).s(b"N").c(startup(0x30000, b"user\0bob\0\0")).s([
        m(b'R', b"\0\0\0\0"),
        ready(),
    ]
    .concat());
    t.c(query("SELECT 1")).s([complete("SELECT 1"), ready()].concat());
    assert_eq!(t.told(), ["Query ok"]);
}

#[test]
fn joined_in_the_middle() {
    let mut t = Talk::tcp(5432);
    t.s([&b"of a row"[..], &complete("SELECT 1"), &ready()].concat());
    t.c([bind("", "s"), execute(""), sync()].concat()).s([
        m(b'2', b""),
        complete("SELECT 1"),
        ready(),
    ]
    .concat());
    t.c(query("SELECT 'x'"))
        .s([columns(), row()].concat())
        .s([complete("SELECT 1"), ready()].concat());
    assert_eq!(t.told(), ["Execute ok", "Query ok"]);
}

#[test]
fn the_rest_of_an_answer_that_stood_before_is_passed_over() {
    for rest in [&b"\0\0"[..], b"\0\x01"] {
        let mut t = Talk::tcp(5432);
        t.s(rest)
            .c(query("SELECT 1"))
            .s([columns(), row(), complete("SELECT 1"), ready()].concat());
        assert_eq!(t.over().iter().map(|e| e.outcome).collect::<Vec<_>>(), [Outcome::Ok]);
    }
}

#[test]
fn joined_amid_a_batch_its_answers_are_nobodys_up_to_its_end() {
    let unit = || [bind("", "s"), execute("")].concat();
    let answer = |rows: usize| [m(b'2', b""), row().repeat(rows), complete("SELECT 1")].concat();
    let mut t = Talk::tcp(5432);
    t.s(answer(1)).c([unit(), unit()].concat()).s([answer(2), answer(3)].concat()).c([
        unit(),
        sync(),
    ]
    .concat());
    t.s([answer(4), answer(5), answer(6), ready()].concat());
    t.c([unit(), unit(), sync()].concat()).s([answer(7), answer(8), ready()].concat());
    t.c(query("SELECT 1")).s([columns(), row(), complete("SELECT 1"), ready()].concat());
    let bytes = |e: &Exchange| (e.outcome, e.response.map(|r| r.bytes));
    let all: Vec<_> = t.over().iter().map(bytes).collect();
    let length = |rows: usize| Some((answer(rows).len() + if rows == 8 { 6 } else { 0 }) as u64);
    let on_gap = (Outcome::LostBytes, None);
    assert_eq!(all[..3], [on_gap; 3]);
    assert_eq!(all[3..5], [(Outcome::Ok, length(7)), (Outcome::Ok, length(8))]);
    assert_eq!(all[5].0, Outcome::Ok);
}

#[test]
fn without_an_error_the_server_passes_over_nothing() {
    let unit = || [bind("", "s"), execute("")].concat();
    let answer = || [m(b'2', b""), complete("SELECT 1")].concat();
    let mut t = logged_in();
    t.c([unit(), unit()].concat()).s([answer(), answer()].concat()).gap(S, answer().len() as u64);
    t.c([unit(), unit(), sync()].concat()).s([answer(), ready()].concat());
    let outcomes: Vec<_> = t.over().iter().map(|e| e.outcome).collect();
    let (ok, on_gap) = (Outcome::Ok, Outcome::LostBytes);
    assert_eq!(outcomes[..2], [ok, ok]);
    assert!(!outcomes.contains(&Outcome::NoResponse) && outcomes.contains(&on_gap), "{outcomes:?}");
}

#[test]
fn a_hole_costs_what_it_hits() {
    let mut t = logged_in();
    let long = m(b'D', &[b'x'; 5000]);
    t.c(query("SELECT 1")).s(columns()).s(&long[..100]).gap(S, 4905).s([
        complete("SELECT 1"),
        ready(),
    ]
    .concat());
    t.c(query("SELECT 2"))
        .s(columns())
        .gap(S, 500)
        .s([row(), complete("SELECT 1"), ready()].concat());
    t.c(query("SELECT 3")).s([complete("SELECT 1"), ready()].concat());
    t.c(query("SELECT 4")).gap(S, 40);
    t.c(query("SELECT 5")).s([complete("SELECT 1"), ready()].concat());
    let outcomes: Vec<_> = t.over().iter().map(|e| e.outcome).collect();
    let (ok, on_gap) = (Outcome::Ok, Outcome::LostBytes);
    assert_eq!(outcomes, [on_gap, on_gap, ok, on_gap, ok]);
}

#[test]
fn other_protocols_are_not_taken_for_it() {
    let clue = |usual| Clue {
        transport: Transport::Tcp,
        client_port: 40_000,
        server_port: 5432,
        usual,
        at_start: false,
        literals: false,
    };
    let kafka = b"\0\0\0\x1a\0\x03\0\0\0\0\0\x01\0\x04test\0\0\0\0";
    for header in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"\x16\x03\x01\x02\0",
        b"*1\r\n$4\r\nPING\r\n",
        kafka,
        b"QUIT\r\n",
        b"EHLO x\r\n",
        b"\0\0\0\0",
    ] {
        for usual in [true, false] {
            for direction in [C, S] {
                assert_eq!(probe(header, direction, &clue(usual)), Probe::No, "{header:?}");
            }
        }
    }
    assert_eq!(probe(&startup(0x30000, b"user\0b\0\0")[..10], C, &clue(false)), Probe::More);
    assert_eq!(probe(&startup(0x30000, b"user\0b\0\0"), C, &clue(false)), Probe::Yes);
    assert_eq!(probe(&query("SELECT 1"), C, &clue(true)), Probe::Yes);
    assert_eq!(probe(&query("SELECT 1"), C, &clue(false)), Probe::No);
    assert_eq!(probe(&[bind("", ""), execute(""), sync()].concat(), C, &clue(false)), Probe::Yes);
    assert_eq!(probe(&[complete("SELECT 1"), ready()].concat(), S, &clue(false)), Probe::Yes);
}
