//! Both protocols in pieces of any size, with gaps, and the exchanges that come of them.

use wire::Transport;

use crate::limits::RequestLimits;
use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Exchange, Outcome, Protocol};

fn told(exchange: &Exchange) -> String {
    let code = text(exchange, "db.response.status_code");
    let parts = [exchange.operation.as_str(), &code, exchange.outcome.as_str()];
    parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ")
}

fn all(talk: &Talk) -> Vec<String> {
    talk.found.exchanges.iter().map(told).collect()
}

/// A message of the binary protocol.
fn binary(
    magic: u8,
    opcode: u8,
    status: u16,
    opaque: u32,
    extras: usize,
    key: &str,
    value: &str,
) -> Vec<u8> {
    let mut m = vec![magic, opcode];
    m.extend((key.len() as u16).to_be_bytes());
    m.extend([extras as u8, 0]);
    m.extend(status.to_be_bytes());
    m.extend(((extras + key.len() + value.len()) as u32).to_be_bytes());
    m.extend(opaque.to_be_bytes());
    m.extend([0; 8]);
    m.extend(vec![0; extras]);
    m.extend(key.bytes().chain(value.bytes()));
    m
}

#[test]
fn stores_and_gets() {
    let mut t = Talk::tcp(11211);
    t.c("set foo 0 0 3\r\nbar\r\n")
        .s("STORED\r\n")
        .c("get foo\r\n")
        .s("VALUE foo 0 3\r\nbar\r\nEND\r\n");
    t.c("gets a b foo\r\n")
        .s("VALUE a 0 1 7\r\n\n\r\nVALUE foo 0 3 8\r\nEND\r\nEND\r\n")
        .c("get none\r\n")
        .s("END\r\n");
    assert_eq!(all(&t), ["set ok", "get ok", "gets ok", "get ok"]);
    let e = &t.found.exchanges;
    assert_eq!(e[0].protocol, Protocol::new("memcached"));
    assert_eq!((e[0].request.unwrap().bytes, e[1].response.unwrap().bytes), (20, 25));
    assert_eq!(int(&e[2], "db.operation.batch.size"), Some(3));
    assert_eq!(int(&e[2], "db.response.returned_rows"), Some(2));
    assert_eq!(text(&e[1], "db.query.text"), "get ?");
    assert_eq!(int(&e[3], "db.response.returned_rows"), None);
}

#[test]
fn a_pipeline_of_everything() {
    let mut t = Talk::tcp(11211);
    t.c("add k 0 0 1\r\nx\r\nincr k 5\r\ndelete k\r\ntouch k 9\r\nversion\r\nstats\r\ncas k 0 0 1 99\r\ny\r\nfoo\r\nset k 0 0 x\r\n");
    t.s("NOT_STORED\r\n5\r\nDELETED\r\nNOT_FOUND\r\nVERSION 1.6.18\r\nSTAT pid 1\r\nSTAT uptime 2\r\nEND\r\nEXISTS\r\nERROR\r\n");
    t.s("CLIENT_ERROR bad data chunk\r\n")
        .c("set k 0 0 1\r\nz\r\n")
        .s("SERVER_ERROR out of memory storing object\r\n");
    let want = [
        "add NOT_STORED ok",
        "incr ok",
        "delete ok",
        "touch NOT_FOUND ok",
        "version ok",
        "stats ok",
        "cas EXISTS ok",
        "unknown ERROR client_error",
        "set CLIENT_ERROR client_error",
        "set SERVER_ERROR server_error",
    ];
    assert_eq!(all(&t), want);
}

#[test]
fn what_asks_for_no_reply_is_one_way() {
    let mut t = Talk::tcp(11211);
    t.c("set k 0 0 1 noreply\r\nx\r\ndelete k noreply\r\nget noreply\r\n")
        .s("END\r\n")
        .c("quit\r\n");
    assert_eq!(all(&t), ["set ok", "delete ok", "get ok", "quit ok"]);
    let answered: Vec<_> = t.found.exchanges.iter().map(|e| e.response.is_some()).collect();
    assert_eq!(answered, [false, false, true, false]);
    // Some are answered all the same.
    let mut t = Talk::tcp(11211);
    t.c("version noreply\r\n")
        .s("VERSION 1.6.18\r\n")
        .c("flush_all noreply\r\nget a\r\n")
        .s("END\r\n");
    let answered = |e: &Exchange| (e.operation.clone(), e.request.is_some(), e.response.is_some());
    let answered: Vec<_> = t.found.exchanges.iter().map(answered).collect();
    let want = [("version", true), ("flush_all", false), ("get", true)];
    assert_eq!(answered, want.map(|(name, answered)| (name.to_owned(), true, answered)));
}

#[test]
fn meta_commands_that_are_quiet() {
    let mut t = Talk::tcp(11211);
    t.c("mg a v\r\nms b 2 T0\r\nok\r\nmd b\r\nma n\r\nmn\r\n")
        .s("VA 3\r\nabc\r\nHD\r\nNF\r\nEN\r\nMN\r\n");
    assert_eq!(all(&t), ["mg ok", "ms ok", "md NOT_FOUND ok", "ma ok", "mn ok"]);
    let mut t = Talk::tcp(11211);
    t.c("mg a v k q\r\nmg b v k q\r\nmg c v q O7\r\nmg d v q O8\r\nms e 1 q ME\r\nx\r\nmd f q\r\nmn\r\n");
    t.s("VA 1 kb\r\n1\r\nVA 1 O8\r\n2\r\nNS\r\nMN\r\n");
    let answered: Vec<_> =
        t.found.exchanges.iter().map(|e| (e.operation.as_str(), e.response.is_some())).collect();
    let want = [
        ("mg", false),
        ("mg", true),
        ("mg", false),
        ("mg", true),
        ("ms", true),
        ("md", false),
        ("mn", true),
    ];
    assert_eq!(answered, want);
    assert!(t.found.exchanges.iter().all(|e| e.outcome == Outcome::Ok));
    t.c("ms z 1 q\r\nx\r\n").over();
    assert_eq!(all(&t).last().map(String::as_str), Some("ms ok"), "no answer is a good one");
}

#[test]
fn binary_commands() {
    let mut t = Talk::tcp(11211);
    t.c(binary(0x80, 0x01, 0, 1, 8, "k", "value")).s(binary(0x81, 0x01, 0, 1, 0, "", ""));
    t.c(binary(0x80, 0x00, 0, 2, 0, "k", "")).s(binary(0x81, 0x00, 1, 2, 0, "", "Not found"));
    t.c(binary(0x80, 0x21, 0, 3, 0, "PLAIN", "\0user\0sesame")).s(binary(
        0x81,
        0x21,
        0x20,
        3,
        0,
        "",
        "Auth failure",
    ));
    t.c([
        binary(0x80, 0x0d, 0, 4, 0, "a", ""),
        binary(0x80, 0x0d, 0, 4, 0, "b", ""),
        binary(0x80, 0x0a, 0, 5, 0, "", ""),
    ]
    .concat());
    t.s([binary(0x81, 0x0d, 0, 4, 4, "b", "x"), binary(0x81, 0x0a, 0, 5, 0, "", "")].concat());
    t.c(binary(0x80, 0x10, 0, 6, 0, "", ""));
    t.s([binary(0x81, 0x10, 0, 6, 0, "pid", "1"), binary(0x81, 0x10, 0, 6, 0, "", "")].concat());
    t.c([binary(0x80, 0x11, 0, 7, 8, "q", "v"), binary(0x80, 0x11, 0, 8, 8, "q", "v")].concat());
    t.s(binary(0x81, 0x11, 0x82, 8, 0, "", "oom"));
    let want = [
        "set ok",
        "get KEY_NOT_FOUND ok",
        "sasl_auth AUTH_ERROR client_error",
        "getkq ok",
        "getkq ok",
        "noop ok",
        "stat ok",
        "setq ok",
        "setq OUT_OF_MEMORY server_error",
    ];
    assert_eq!(all(&t), want);
    assert!(!format!("{:?}", t.found.exchanges).contains("sesame"));
    let quiet = &t.found.exchanges[3];
    assert_eq!((quiet.response, text(quiet, "db.query.text").as_str()), (None, "getkq ?"));
}

#[test]
fn a_binary_answer_is_that_of_the_command_that_it_repeats() {
    let noop = |magic, opaque| binary(magic, 0x0a, 0, opaque, 0, "", "");
    // Joined amid the answers to commands that were not seen.
    let mut t = Talk::tcp(11211);
    t.s(binary(0x81, 0x0d, 0, 4, 4, "a", "x")).c(noop(0x80, 5));
    t.s([binary(0x81, 0x0d, 0, 4, 4, "b", "x"), noop(0x81, 5)].concat())
        .c(noop(0x80, 6))
        .s(noop(0x81, 6));
    let paired = |e: &&Exchange| e.request.is_some();
    let lengths: Vec<_> =
        t.found.exchanges.iter().filter(paired).map(|e| e.response.unwrap().bytes).collect();
    assert_eq!((lengths, t.found.exchanges.len()), (vec![24, 24], 4));
    // One answer of several is missing, where more is asked before all is answered.
    let mut t = Talk::tcp(11211);
    let all =
        |magic, of: std::ops::Range<u32>| of.flat_map(|n| noop(magic, n)).collect::<Vec<u8>>();
    t.c(all(0x80, 1..3)).s(noop(0x81, 1)).c(noop(0x80, 3)).s(all(0x81, 2..4)).c(all(0x80, 4..7));
    t.gap(S, 24).c(noop(0x80, 7)).s(all(0x81, 5..8));
    let answered: Vec<_> = t.over().iter().map(|e| e.response.is_some()).collect();
    assert_eq!(answered, [true, true, true, false, true, true, true]);
}

#[test]
fn the_rest_of_a_value_is_no_command() {
    let mut t = Talk::tcp(11211);
    t.s("STORED\r\n").c("x\r\nset k 0 0 1\r\ny\r\n").s("STORED\r\n").c("get k\r\n").s("END\r\n");
    assert!(!all(&t).iter().any(|told| told.starts_with("unknown")), "{:?}", all(&t));
    assert_eq!(all(&t).last().map(String::as_str), Some("get ok"));
    // Or where its bytes stood before those of the server that tell what is spoken.
    let mut t = Talk::tcp(11211);
    t.c("x\r").s("STORED\r\n").c("\nget k\r\n").s("END\r\n");
    assert!(!all(&t).iter().any(|told| told.starts_with("unknown")), "{:?}", all(&t));
    assert_eq!(all(&t).last().map(String::as_str), Some("get ok"));
}

#[test]
fn keys_are_kept_only_if_asked_for_and_values_never() {
    for literals in [false, true] {
        let mut t = Talk::new(
            Transport::Tcp,
            40_000,
            11211,
            RequestLimits { literals, ..RequestLimits::default() },
        );
        t.c("set user:7 0 0 11\r\njoe sesame1\r\n").s("STORED\r\n");
        let e = &t.found.exchanges[0];
        assert_eq!(text(e, "db.query.text"), if literals { "set user:7" } else { "set ?" });
        assert!(!format!("{e:?}").contains("sesame"));
    }
}

#[test]
fn large_values_and_many_keys_are_not_kept() {
    let mut t = Talk::tcp(11211);
    let large = format!("set k 0 0 3000000\r\n{}\r\n", "x".repeat(3_000_000));
    for piece in large.as_bytes().chunks(1460) {
        t.c(piece);
        assert!(t.conversation.bytes() < 60_000);
    }
    t.s("STORED\r\n");
    let keys: String = (0..10_000).map(|n| format!(" key{n:06}")).collect();
    for piece in format!("get{keys}\r\n").as_bytes().chunks(1460) {
        t.c(piece);
        assert!(t.conversation.bytes() < 60_000);
    }
    t.s("END\r\n");
    assert_eq!(all(&t), ["set ok", "get ok"]);
    assert_eq!(int(&t.found.exchanges[1], "db.operation.batch.size"), Some(10_000));
}

#[test]
fn other_ports_need_proof() {
    let mut t = Talk::tcp(12_345);
    t.c("set foo 0 0 3\r\nbar\r\n").s("STORED\r\n").c("get foo\r\n").s("END\r\n");
    assert_eq!(all(&t), ["set ok", "get ok"]);
    for other in
        ["get lost\r\n", "version\r\n", "set x\r\n", "stats\r\nhello\r\n", "GET / HTTP/1.0\r\n"]
    {
        let mut t = Talk::tcp(12_345);
        t.c(other).s("END\r\n");
        assert!(t.over().iter().all(|e| e.protocol != Protocol::new("memcached")), "{other}");
    }
}

#[test]
fn joined_in_the_middle_and_behind_holes() {
    let mut t = Talk::tcp(11211);
    t.s("VALUE a 0 1\r\nx\r\nEND\r\n").c("get a\r\n").s("END\r\n");
    assert_eq!(all(&t), ["no_request", "get ok"]);
    t.c("get b\r\n").gap(S, 100).s("xyz\r\nEND\r\n").c("get c\r\n").s("END\r\n");
    assert_eq!(all(&t)[2..], ["get lost_bytes", "get ok"]);
    t.c("set d 0 0 100\r\n").gap(C, 50).c([b'x'; 52]).s("STORED\r\n").c("get e\r\n").s("END\r\n");
    assert_eq!(all(&t).last().map(String::as_str), Some("get ok"));
}

#[test]
fn a_greeting_with_a_code_is_no_value() {
    let mut t = Talk::tcp(11211);
    t.s("220 mail.example ready\r\n").c("EHLO a\r\n").s("250 mail.example\r\n");
    assert_eq!(all(&t), Vec::<String>::new());
    let mut t = Talk::tcp(11211);
    t.s("220\r\n").c("incr a 1\r\n").s("221\r\n");
    assert_eq!(all(&t).last().map(String::as_str), Some("incr ok"));
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let asked = "set k 0 0 5\r\nva\r\nu\r\nget k l\r\nmg a v k q\r\nms b 2 q\r\nok\r\nmn\r\nstats\r\ntouch k 1 noreply\r\ndelete k\r\n";
    let answered =
        "STORED\r\nVALUE k 0 5\r\nva\r\nu\r\nEND\r\nMN\r\nSTAT a b\r\nEND\r\nNOT_FOUND\r\n";
    let ask = [
        binary(0x80, 0x01, 0, 1, 8, "k", "v"),
        binary(0x80, 0x0d, 0, 2, 0, "k", ""),
        binary(0x80, 0x0a, 0, 3, 0, "", ""),
    ];
    let answer = [binary(0x81, 0x01, 0, 1, 0, "", ""), binary(0x81, 0x0a, 0, 3, 0, "", "")];
    vec![
        Script::new(11211, 8, &[(C, asked), (S, answered)]),
        Script::new(11211, 3, &[(C, ask.concat()), (S, answer.concat())]),
    ]
}
