//! RESP in pieces of any size, with gaps, and the exchanges that come of it.

use wire::Transport;

use crate::limits::RequestLimits;
use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Exchange, Outcome, Protocol};

/// An array of bulk strings.
fn command(words: &[&str]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len());
    words.iter().for_each(|word| out += &format!("${}\r\n{word}\r\n", word.len()));
    out.into_bytes()
}

fn commands(all: &[&[&str]]) -> Vec<u8> {
    all.iter().flat_map(|words| command(words)).collect()
}

fn told(exchange: &Exchange) -> String {
    let code = text(exchange, "db.response.status_code");
    let parts = [exchange.operation.as_str(), &code, exchange.outcome.as_str()];
    parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ")
}

fn all(talk: &Talk) -> Vec<String> {
    talk.found.exchanges.iter().map(told).collect()
}

#[test]
fn lines_and_arrays_that_are_no_commands_are_told_apart() {
    let mut t = Talk::tcp(6379);
    t.c("PING\r\n").s("+PONG\r\n").c(command(&["PING"])).s("+PONG\r\n");
    t.c("*-20\r\n")
        .c("*10000000000000000000000\r\n")
        .s("-ERR Protocol error: invalid multibulk length\r\n");
    assert_eq!(all(&t), ["PING ok", "PING ok", "UNKNOWN ok", "UNKNOWN ERR client_error"]);
    let protocols: Vec<_> = t.found.exchanges.iter().map(|e| e.protocol).collect();
    assert_eq!(
        protocols,
        [
            Protocol::new("redis_inline"),
            Protocol::new("redis"),
            Protocol::new("redis"),
            Protocol::new("redis")
        ]
    );
}

#[test]
fn a_pipeline_is_paired_in_order() {
    let mut t = Talk::tcp(6379);
    t.c(commands(&[
        &["SET", "k", "v"],
        &["get", "k"],
        &["LPUSH", "k", "x"],
        &["Incr", "n"],
        &["GET", "none"],
    ]));
    t.s("+OK\r\n$1\r\nv\r\n-WRONGTYPE Operation against a key\r\n:5\r\n$-1\r\n");
    assert_eq!(all(&t), ["SET ok", "GET ok", "LPUSH WRONGTYPE client_error", "INCR ok", "GET ok"]);
    let e = &t.found.exchanges;
    assert!(
        e.iter()
            .all(|e| e.protocol == Protocol::new("redis") && text(e, "db.system.name") == "redis")
    );
    assert_eq!(text(&e[0], "db.query.text"), "SET ? ?");
    assert_eq!(text(&e[1], "db.query.text"), "GET ?");
    assert_eq!(text(&e[2], "error.type"), "WRONGTYPE");
    assert_eq!(e[1].request.unwrap().bytes, 20);
    assert_eq!(e[1].response.unwrap().bytes, 7);
}

#[test]
fn keys_are_kept_only_if_asked_for_and_credentials_never() {
    for literals in [false, true] {
        let mut t = Talk::new(
            Transport::Tcp,
            40_000,
            6379,
            RequestLimits { literals, ..RequestLimits::default() },
        );
        t.c(commands(&[
            &["SET", "user:7", "v\u{e4}lue"],
            &["AUTH", "default", "sesame"],
            &["HELLO", "3", "AUTH", "default", "sesame", "SETNAME", "me"],
            &["CONFIG", "SET", "requirepass", "sesame"],
            &["ACL", "SETUSER", "u", ">sesame"],
            &["MIGRATE", "h", "1", "k", "0", "5", "AUTH", "sesame"],
        ]));
        t.c("auth sesame\r\nCONFIG set masterauth sesame\r\nget user:7\r\n").over();
        let e = &t.found.exchanges;
        assert!(!format!("{e:?}").contains("sesame"));
        let texts: Vec<_> = e.iter().map(|e| text(e, "db.query.text")).collect();
        assert_eq!(texts[0], if literals { "SET user:7 v\u{e4}lue" } else { "SET ? ?" });
        assert_eq!(
            texts[1..5],
            ["AUTH ? ?", "HELLO ? ? ? ? ? ?", "CONFIG SET ? ?", "ACL SETUSER ? ?"]
        );
        assert_eq!(texts[6..8], ["AUTH ?", "CONFIG SET ? ?"]);
        assert_eq!(texts[8], if literals { "GET user:7" } else { "GET ?" });
        assert_eq!(text(&e[3], "db.operation.name"), "CONFIG SET");
        assert_eq!(e[3].operation, "CONFIG");
    }
}

#[test]
fn errors_say_whose_fault_they_are() {
    let mut t = Talk::tcp(6379);
    for (answer, code, outcome) in [
        ("-ERR unknown command\r\n", "ERR", Outcome::ClientError),
        ("-MOVED 3999 127.0.0.1:6381\r\n", "MOVED", Outcome::ClientError),
        ("-NOAUTH Authentication required.\r\n", "NOAUTH", Outcome::ClientError),
        ("-LOADING Redis is loading\r\n", "LOADING", Outcome::ServerError),
        ("-something else\r\n", "ERR", Outcome::ClientError),
        ("!21\r\nSYNTAX invalid syntax\r\n", "SYNTAX", Outcome::ClientError),
    ] {
        t.c(command(&["GET", "k"])).s(answer);
        let e = t.found.exchanges.last().unwrap();
        assert_eq!((text(e, "db.response.status_code").as_str(), e.outcome), (code, outcome));
    }
    assert_eq!(t.found.exchanges.len(), 6);
}

#[test]
fn values_of_every_type_are_one_answer_each() {
    let mut t = Talk::tcp(6379);
    let values = [
        "*2\r\n*3\r\n:1\r\n$5\r\nhello\r\n:2\r\n*2\r\n+a\r\n-ERR nested\r\n",
        "*-1\r\n",
        "*0\r\n",
        "_\r\n",
        "#t\r\n",
        ",3.14\r\n",
        "(3492890328409238509324850943850943825024385\r\n",
        "=15\r\ntxt:Some string\r\n",
        "%2\r\n+first\r\n:1\r\n+second\r\n*1\r\n_\r\n",
        "~2\r\n+a\r\n#f\r\n",
        "|1\r\n+key-popularity\r\n%2\r\n$1\r\na\r\n,0.19\r\n$1\r\nb\r\n,0.002\r\n*2\r\n:2039123\r\n:9543892\r\n",
        "*3\r\n:1\r\n:2\r\n|1\r\n+ttl\r\n:3600\r\n:3\r\n",
        "$?\r\n;4\r\nHell\r\n;5\r\no wor\r\n;1\r\nd\r\n;0\r\n",
        "*?\r\n:1\r\n*2\r\n:2\r\n%?\r\n+a\r\n:1\r\n.\r\n:3\r\n.\r\n",
        "*2\r\n$?\r\n;1\r\na\r\n;0\r\n:1\r\n",
    ];
    for value in values {
        t.c(command(&["EVAL", "x", "0"])).s(value);
    }
    assert_eq!(all(&t), vec!["EVAL ok"; values.len()]);
}

#[test]
fn a_transaction_is_its_commands_and_exec() {
    let mut t = Talk::tcp(6379);
    t.c(commands(&[
        &["MULTI"],
        &["SET", "a", "1"],
        &["LPUSH", "a", "1"],
        &["EXEC"],
        &["GET", "a"],
    ]));
    t.s("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n-WRONGTYPE no\r\n$1\r\n1\r\n");
    assert_eq!(
        all(&t),
        ["MULTI ok", "SET ok", "LPUSH ok", "EXEC WRONGTYPE client_error", "GET ok"]
    );
    assert_eq!(int(&t.found.exchanges[3], "db.operation.batch.size"), Some(2));
}

#[test]
fn subscriptions_are_answered_one_by_one_and_messages_come_unasked() {
    let mut t = Talk::tcp(6379);
    t.c(command(&["SUBSCRIBE", "a", "b"]));
    t.s("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    t.s("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n");
    assert_eq!(all(&t), ["MESSAGE ok"]);
    t.s("*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n");
    t.c(command(&["PSUBSCRIBE", "*"])).s("*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:3\r\n");
    t.s("*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$2\r\nhi\r\n");
    t.c(command(&["PING"])).s("*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    t.c(commands(&[&["UNSUBSCRIBE"], &["PUNSUBSCRIBE"]]));
    t.s("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:2\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n");
    t.s("*3\r\n$12\r\npunsubscribe\r\n$1\r\n*\r\n:0\r\n").c(command(&["PING"])).s("+PONG\r\n");
    let rest = [
        "SUBSCRIBE ok",
        "PSUBSCRIBE ok",
        "PMESSAGE ok",
        "PING ok",
        "UNSUBSCRIBE ok",
        "PUNSUBSCRIBE ok",
        "PING ok",
    ];
    assert_eq!(all(&t)[1..], rest);
    let message = &t.found.exchanges[0];
    assert_eq!((message.client, message.response), (t.cx.server, None));
}

#[test]
fn pushes_of_resp3_are_no_answers() {
    let mut t = Talk::tcp(6379);
    t.c(command(&["HELLO", "3"])).s("%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n");
    t.c(command(&["SUBSCRIBE", "a"])).s(">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    t.c(command(&["GET", "k"])).s(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n$1\r\nv\r\n");
    t.s(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n>3\r\n$12\r\nsunsubscribe\r\n$1\r\na\r\n:0\r\n");
    let kinds =
        ["HELLO ok", "SUBSCRIBE ok", "INVALIDATE ok", "GET ok", "MESSAGE ok", "SUNSUBSCRIBE ok"];
    assert_eq!(all(&t), kinds);
}

#[test]
fn commands_that_are_not_answered_are_one_way() {
    let mut t = Talk::tcp(6379);
    t.c(commands(&[&["CLIENT", "REPLY", "SKIP"], &["SET", "a", "1"], &["GET", "a"]]))
        .s("$1\r\n1\r\n");
    t.c(commands(&[&["client", "reply", "off"], &["SET", "a", "2"], &["SET", "a", "3"]]));
    t.c(commands(&[&["CLIENT", "REPLY", "ON"], &["GET", "b"]])).s("+OK\r\n$-1\r\n");
    assert_eq!(all(&t).len(), 8);
    let answered: Vec<_> = t.found.exchanges.iter().map(|e| e.response.is_some()).collect();
    assert_eq!(answered, [false, false, true, false, false, false, true, true]);
    assert!(t.found.exchanges.iter().all(|e| e.outcome == Outcome::Ok));
}

#[test]
fn a_monitor_is_told_what_others_do() {
    let mut t = Talk::tcp(6379);
    t.c(command(&["MONITOR"]))
        .s("+OK\r\n+1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"secret\"\r\n");
    t.c(command(&["RESET"]))
        .s("+1339518083.2 [0 x] \"a\"\r\n+RESET\r\n")
        .c(command(&["PING"]))
        .s("+PONG\r\n");
    assert_eq!(all(&t), ["MONITOR ok", "MONITOR ok", "MONITOR ok", "RESET ok", "PING ok"]);
    assert!(!format!("{:?}", t.found.exchanges).contains("secret"));
}

#[test]
fn what_a_replica_is_sent_is_not_read() {
    let mut t = Talk::tcp(6379);
    t.c(commands(&[&["REPLCONF", "capa", "eof"]]))
        .s("+OK\r\n")
        .c(commands(&[&["PSYNC", "?", "-1"]]));
    t.s("+FULLRESYNC 8de1787ba490483314a4d30f1c628bc5025eb761 0\r\n")
        .s("$5\r\nREDIS*1\r\n$4\r\nPING\r\n");
    assert_eq!(all(&t), ["REPLCONF ok", "PSYNC ok"]);
    assert!(!t.conversation.wants_payload());
}

#[test]
fn the_database_is_known_once_it_was_selected() {
    let mut t = Talk::tcp(6379);
    t.c(commands(&[&["GET", "a"], &["SELECT", "5"], &["GET", "a"]])).over();
    let names: Vec<_> = t.found.exchanges.iter().map(|e| text(e, "db.namespace")).collect();
    assert_eq!(names, ["", "5", "5"]);
}

#[test]
fn typed_commands() {
    let mut t = Talk::tcp(6379);
    t.c("set a 1\r\n\r\nget a\n\n").s("+OK\r\n$1\r\n1\r\n");
    assert_eq!(all(&t), ["SET ok", "GET ok"]);
    let mut t = Talk::tcp(6379);
    t.c("GET / HTTP/1.1\r\nHost: x\r\n\r\n").s("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(t.found.exchanges[0].protocol, Protocol::new("http"));
}

#[test]
fn large_values_are_skipped() {
    let mut t = Talk::tcp(6379);
    let large = "x".repeat(5_000_000);
    for piece in command(&["SET", "k", &large]).chunks(1460) {
        t.c(piece);
        assert!(t.conversation.bytes() < 40_000);
    }
    t.s("+OK\r\n").c(command(&["GET", "k"]));
    for piece in format!("${}\r\n{large}\r\n", large.len()).as_bytes().chunks(1460) {
        t.s(piece);
    }
    assert_eq!(all(&t), ["SET ok", "GET ok"]);
    assert_eq!(t.found.exchanges[1].response.unwrap().bytes, 5_000_012);
}

#[test]
fn commands_are_found_again_behind_a_hole() {
    let mut t = Talk::tcp(6379);
    t.c(command(&["GET", "a"])).s("$1\r\nb\r\n").c(&command(&["SET", "a", "0123456789"])[..20]);
    t.gap(C, 8).c([&b"9\r\n"[..], &command(&["GET", "z"])].concat()).s("+OK\r\n$1\r\nz\r\n");
    let told = all(&t);
    assert_eq!(told[0], "GET ok");
    assert!(told.iter().any(|t| t.starts_with("GET") && !t.contains("no_response")), "{told:?}");
    let mut t = Talk::tcp(6379);
    t.c(command(&["GET", "y"])).gap(S, 40).s("rest\r\n").c(command(&["TTL", "y"])).s(":-1\r\n");
    assert_eq!(all(&t).last().map(String::as_str), Some("TTL ok"));
}

#[test]
fn the_rest_of_a_command_is_no_command() {
    let mut t = Talk::tcp(6379);
    t.c([&b"GET\r\n$1\r\na\r\n"[..], &command(&["TTL", "a"])].concat()).s("$-1\r\n:-2\r\n");
    // Several were under way: it takes a pause to be sure that nothing is any more.
    t.wait(6_000_000_000).c(command(&["DEL", "a"])).s(":0\r\n");
    assert!(!all(&t).iter().any(|told| told.starts_with("GET")), "{:?}", all(&t));
    assert_eq!(all(&t).last().map(String::as_str), Some("DEL ok"));
    let mut t = Talk::tcp(6379);
    t.s(":1\r\n").c("hello-there\r\n").s("+OK\r\n").c(command(&["DEL", "a"])).s(":0\r\n");
    t.c("PING\r\n").s("+PONG\r\n");
    let asked = |e: &&Exchange| e.request.is_some();
    let asked: Vec<_> = t.found.exchanges.iter().filter(asked).map(told).collect();
    assert_eq!(asked, ["DEL ok", "PING ok"]);
}

#[test]
fn what_was_subscribed_to_unseen_is_no_message_when_it_ends() {
    for push in ["*", ">"] {
        let told = |name: &str, kind: &str, left: u8| {
            format!("{push}3\r\n${}\r\n{kind}\r\n$1\r\n{name}\r\n:{left}\r\n", kind.len())
        };
        let mut t = Talk::tcp(6379);
        t.c(command(&["UNSUBSCRIBE"]))
            .s(told("a", "unsubscribe", 1) + &told("b", "unsubscribe", 0));
        t.c(command(&["SUBSCRIBE", "c"])).s(told("c", "subscribe", 1));
        t.s(format!("{push}3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"));
        assert_eq!(all(&t), ["UNSUBSCRIBE ok", "SUBSCRIBE ok", "MESSAGE ok"], "{push}");
    }
}

#[test]
fn a_replica_is_known_also_where_its_server_lets_it_wait_or_it_is_joined() {
    let mut t = Talk::tcp(6379);
    t.c(command(&["PSYNC", "?", "-1"]))
        .s("\n")
        .s("\n\n")
        .s("+FULLRESYNC 8de1787ba490483314a4d30f1c628bc5025eb761 0\r\n");
    t.s("$EOF:0123456789012345678901234567890123456789\r\n").c(command(&["REPLCONF", "ACK", "0"]));
    t.s(command(&["SET", "a", "b"]))
        .c(command(&["REPLCONF", "ACK", "30"]))
        .s(command(&["SET", "a", "c"]));
    t.over();
    assert_eq!(all(&t), ["PSYNC ok"]);
    assert!(t.found.exchanges[0].response.is_some());
    let mut t = Talk::tcp(6379);
    t.c(command(&["REPLCONF", "ACK", "30"]))
        .s(command(&["SET", "a", "b"]))
        .c(command(&["REPLCONF", "ACK", "60"]));
    t.s([command(&["MULTI"]), command(&["SET", "a", "b"]), command(&["EXEC"])].concat());
    t.over();
    assert_eq!(all(&t), ["REPLCONF ok"]);
}

#[test]
fn lines_are_found_again_behind_a_hole() {
    let lines = |of: std::ops::Range<usize>| {
        of.map(|n| format!("SET k{n} \"a b\"\r\n")).collect::<String>()
    };
    let mut t = Talk::tcp(6379);
    t.c(lines(0..3))
        .s("+OK\r\n".repeat(3))
        .c(&lines(3..4)[..10])
        .gap(C, 20)
        .c("b\"\r\n".to_owned() + &lines(5..9));
    t.s("+OK\r\n".repeat(6)).c(lines(9..11)).s("+OK\r\n".repeat(2));
    t.over();
    let asked = t.found.exchanges.iter().filter(|e| e.request.is_some_and(|r| r.whole));
    let asked: Vec<_> = asked.map(|e| text(e, "db.query.text")).collect();
    assert_eq!(asked, ["SET ? ?"; 9]);
}

#[test]
fn a_pipeline_deeper_than_the_limit_is_not_paired_wrongly() {
    let limits = RequestLimits { pending: 4, ..RequestLimits::default() };
    let mut t = Talk::new(Transport::Tcp, 40_000, 6379, limits);
    let many: Vec<u8> = (0..100).flat_map(|n| command(&["GET", &n.to_string()])).collect();
    t.c(many).s("$-1\r\n".repeat(68)).s("-ERR 68\r\n").s("$-1\r\n".repeat(31));
    let told = all(&t);
    assert_eq!(told.iter().filter(|t| *t == "GET no_response").count(), 68);
    assert_eq!(told.iter().filter(|t| *t == "GET ok").count(), 31);
    assert_eq!(told.iter().filter(|t| *t == "GET ERR client_error").count(), 1);
    assert_eq!(t.found.evicted.iter().map(|e| e.1).sum::<u64>(), 68);
}

#[test]
fn other_ports_need_a_command_that_is_known() {
    let mut t = Talk::tcp(12_345);
    t.c(command(&["GET", "a"])).s("$-1\r\n");
    assert_eq!(all(&t), ["GET ok"]);
    let mut t = Talk::tcp(12_345);
    t.c("*1\r\n$5\r\nWORDS\r\n").c("*x\r\n").s("+OK\r\n").s("-ERR\r\n");
    assert!(t.over().is_empty());
    let mut t = Talk::tcp(6379);
    t.c("* LIST (\\HasNoChildren)\r\n").c("$0\r\n\r\n").c("+\r\n").s("<html>\r\n");
    assert!(t.over().is_empty());
}

#[test]
fn joined_in_the_middle() {
    let mut t = Talk::tcp(6379);
    t.s("$3\r\nabc\r\n").c(command(&["GET", "a"])).s("$-1\r\n");
    assert_eq!(all(&t), ["no_request", "GET ok"]);
    let mut t = Talk::tcp(6379);
    t.c("lue\r\n").s("+OK\r\n").c(command(&["GET", "a"])).s("$-1\r\n");
    assert_eq!(all(&t), ["no_request", "GET ok"]);
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let asked = commands(&[
        &["HELLO", "3", "AUTH", "u", "p"],
        &["MSET", "a", "1", "b", "2"],
        &["CLIENT", "SETNAME", "x"],
        &["SUBSCRIBE", "c", "d"],
        &["CLIENT", "REPLY", "SKIP"],
        &["PING"],
        &["SELECT", "3"],
        &["EXEC"],
        &["LRANGE", "k", "0", "-1"],
    ]);
    let answered = "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n+OK\r\n+OK\r\n\
        >3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n\
        >3\r\n$9\r\nsubscribe\r\n$1\r\nd\r\n:2\r\n+OK\r\n*2\r\n+OK\r\n-WRONGTYPE x\r\n*?\r\n|1\r\n+a\r\n:1\r\n$3\r\nabc\r\n.\r\n";
    let inline = Script::new(
        6379,
        3,
        &[(C, "ping\r\nset a b\r\n\r\nget a\r\n"), (S, "+PONG\r\n+OK\r\n$1\r\nb\r\n")],
    );
    vec![Script::new(6379, 9, &[(C, &asked), (S, &answered.as_bytes().to_vec())]), inline]
}
