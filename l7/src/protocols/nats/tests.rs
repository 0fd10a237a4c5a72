//! Lines in pieces of any size, with gaps, and the exchanges that come of them.

use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Exchange, Outcome, Protocol};

const INFO: &str = "INFO {\"server_id\":\"N\",\"version\":\"2.9.10\",\"headers\":true,\"max_payload\":1048576} \r\n";
const CONNECT: &str = "CONNECT {\"verbose\":false,\"pedantic\":false,\"user\":\"joe\",\"pass\":\"sesame\",\"auth_token\":\"sesame\"}\r\n";

fn told(exchange: &Exchange) -> String {
    let kind = ["", " answered"][usize::from(exchange.response.is_some())];
    let subject = text(exchange, "messaging.destination.name");
    format!("{} {subject} {}{kind}", exchange.operation, exchange.outcome.as_str())
        .replace("  ", " ")
}

fn all(talk: &Talk) -> Vec<String> {
    talk.found.exchanges.iter().map(told).collect()
}

#[test]
fn log_in_publish_subscribe_and_deliver() {
    let mut t = Talk::tcp(12_345);
    t.s(INFO)
        .c(CONNECT)
        .c("PING\r\n")
        .s("PONG\r\n")
        .c("SUB news.* workers 1\r\nPUB news.a 5\r\nhello\r\n");
    t.s("MSG news.a 1 5\r\nhel").s("lo\r\n").s("PING\r\n").c("PONG\r\n").c("UNSUB 1 3\r\n");
    let want = [
        "INFO ok",
        "CONNECT ok",
        "PING ok answered",
        "SUB news.* ok",
        "PUB news.a ok",
        "MSG news.a ok",
        "PING ok answered",
        "UNSUB ok",
    ];
    assert_eq!(all(&t), want);
    let e = &t.found.exchanges;
    assert!(
        e.iter()
            .all(|e| e.protocol == Protocol::new("nats") && text(e, "messaging.system") == "nats")
    );
    assert!(!format!("{e:?}").contains("sesame"));
    assert_eq!(text(&e[3], "messaging.consumer.group.name"), "workers");
    assert_eq!(int(&e[4], "messaging.message.body.size"), Some(5));
    assert_eq!((e[4].client, e[5].client, e[6].client), (t.cx.client, t.cx.server, t.cx.server));
    assert_eq!(e[5].request.unwrap().bytes, 23);
}

#[test]
fn a_request_is_answered_in_its_inbox() {
    let mut t = Talk::tcp(4222);
    t.s(INFO)
        .c(CONNECT)
        .c("SUB _INBOX.x.* 1\r\nPUB time _INBOX.x.a 0\r\n\r\nPUB time _INBOX.x.b 0\r\n\r\n");
    t.s("MSG _INBOX.x.b 1 2\r\nhi\r\n").s("HMSG _INBOX.x.a 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
    t.c("HPUB jobs _INBOX.x.c 42 44\r\nNATS/1.0\r\ntraceparent: 00-1-2-01\r\nX: y\r\n\r\nok\r\n")
        .s("MSG _INBOX.x.c 1 3\r\nack\r\n");
    t.s("MSG _INBOX.x.c 1 4\r\nmore\r\n").c("PUB late nobody 0\r\n\r\n");
    let want = [
        "PUB time ok answered",
        "PUB time server_error answered",
        "HPUB jobs ok answered",
        "MSG _INBOX.x.c ok",
        "PUB late ok",
    ];
    assert_eq!(all(&t)[3..], want);
    let e = &t.found.exchanges;
    assert_eq!(text(&e[5], "messaging.message.header.traceparent"), "00-1-2-01");
    assert_eq!(int(&e[5], "messaging.message.body.size"), Some(2));
    assert_eq!(text(&e[4], "error.type"), "503");
}

#[test]
fn what_a_pull_brings_are_messages_and_no_answer() {
    let mut t = Talk::tcp(4222);
    t.s(INFO).c(CONNECT).c("SUB _INBOX.p 1\r\n");
    for next in ["$JS.API.CONSUMER.MSG.NEXT.S.dur", "$JS.hub.API.CONSUMER.MSG.NEXT.S.dur"] {
        t.c(format!("PUB {next} _INBOX.p 2\r\n25\r\n"));
        t.s("MSG orders.1 1 $JS.ACK.S.dur.1.1.1.1.1 2\r\nhi\r\nMSG orders.2 1 $JS.ACK.S.dur.1.2.2.1.0 2\r\nho\r\n");
    }
    t.s("HMSG _INBOX.p 1 28 28\r\nNATS/1.0 404 No Messages\r\n\r\n\r\n").over();
    let told = all(&t);
    assert_eq!(
        told[3..6],
        ["PUB $JS.API.CONSUMER.MSG.NEXT.S.dur ok", "MSG orders.1 ok", "MSG orders.2 ok"]
    );
    assert_eq!(told[9..], ["HMSG _INBOX.p ok"]);
}

#[test]
fn in_verbose_mode_everything_is_answered() {
    let mut t = Talk::tcp(4222);
    t.s(INFO)
        .c("CONNECT {\"verbose\": true}\r\n")
        .s("+OK\r\n")
        .c("SUB a 1\r\nPUB a 2\r\nhi\r\nPING\r\n");
    t.s("+OK\r\nMSG a 1 2\r\nhi\r\n+OK\r\nPONG\r\n")
        .c("PUB >.bad 0\r\n\r\n")
        .s("-ERR 'Invalid Subject'\r\n");
    let want = [
        "INFO ok",
        "CONNECT ok answered",
        "SUB a ok answered",
        "MSG a ok",
        "PUB a ok answered",
        "PING ok answered",
        "PUB >.bad client_error answered",
    ];
    assert_eq!(all(&t), want);
    assert_eq!(text(&t.found.exchanges[6], "error.type"), "Invalid Subject");
}

#[test]
fn errors_come_unasked() {
    let mut t = Talk::tcp(4222);
    t.s(INFO).c(CONNECT).c("PING\r\n").s("-ERR 'Authorization Violation'\r\n").over();
    assert_eq!(all(&t), ["INFO ok", "CONNECT ok", "-ERR client_error", "PING no_response"]);
    assert_eq!(text(&t.found.exchanges[2], "error.type"), "Authorization Violation");
}

#[test]
fn large_messages_are_skipped() {
    let mut t = Talk::tcp(4222);
    let large = format!("PUB big 5000000\r\n{}\r\nPUB small 0\r\n\r\n", "x".repeat(5_000_000));
    for piece in large.as_bytes().chunks(1460) {
        t.c(piece);
        assert!(t.conversation.bytes() < 20_000);
    }
    assert_eq!(all(&t), ["PUB big ok", "PUB small ok"]);
    let jwt = format!("CONNECT {{\"jwt\":\"{}\"}}\r\n", "x".repeat(40_000));
    let mut t = Talk::tcp(4222);
    for piece in jwt.as_bytes().chunks(1000) {
        t.c(piece);
    }
    t.c("PING\r\n").s("PONG\r\n");
    assert_eq!(all(&t), ["CONNECT ok", "PING ok answered"]);
}

#[test]
fn joined_in_the_middle_and_behind_holes() {
    let mut t = Talk::tcp(4222);
    t.c("load\r\n").c("PUB a 1\r\nx\r\n").s("MSG a 1 1\r\nx\r\n");
    assert_eq!(all(&t), ["PUB a ok", "MSG a ok"]);
    t.c("PUB b 100\r\nabc")
        .gap(C, 150)
        .c("rest\r\nof it\r\nPUB c 1\r\ny\r\n")
        .gap(S, 30)
        .s("lost\r\nMSG d 1 1\r\nz\r\n");
    let told = all(&t);
    assert_eq!(told.last().map(String::as_str), Some("MSG d ok"));
    assert!(told.contains(&"PUB c ok".to_owned()), "{told:?}");
}

#[test]
fn other_ports_need_a_greeting_or_a_message() {
    for first in ["PING\r\n", "MSG 1 N 5\r\nhello", "+OK\r\n"] {
        let mut t = Talk::tcp(12_345);
        t.c(first).s(first);
        assert!(t.over().is_empty(), "{first}");
    }
    let mut t = Talk::tcp(4222);
    t.c("CONNECT host:443 HTTP/1.1\r\n\r\n").s("HTTP/1.1 200 OK\r\n\r\n");
    assert!(t.over().iter().all(|e| e.protocol == Protocol::new("http")));
    assert_eq!(t.found.exchanges[0].outcome, Outcome::Ok);
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let asked = "SUB _INBOX.x.* 1\r\nPUB time _INBOX.x.a 3\r\na\r\n\r\nHPUB h 29 31\r\nNATS/1.0\r\nb3: 1-2-3\r\nX: y\r\n\r\nok\r\n\r\nUNSUB 1\r\nPING\r\n";
    let answered = "MSG _INBOX.x.a 1 4\r\nPING\r\nHMSG h 2 14 16\r\nNATS/1.0\r\n\r\n\r\nhi\r\n-ERR 'Slow Consumer'\r\nPONG\r\n";
    let verbose = "CONNECT {\"verbose\":true}\r\nSUB a q 1\r\nPUB a 2\r\nhi\r\nPING\r\n";
    vec![
        Script::new(4222, 9, &[(S, INFO), (C, CONNECT), (C, asked), (S, answered)]),
        Script::new(
            4222,
            5,
            &[(S, INFO), (C, verbose), (S, "+OK\r\n+OK\r\n+OK\r\nMSG a 1 2\r\nhi\r\nPONG\r\n")],
        ),
    ]
}

#[test]
fn joined_in_the_middle_on_any_port() {
    let mut t = Talk::tcp(12_345);
    t.c("SUB news.* 1\r\n")
        .c("PUB news.a 5\r\nhel")
        .c("lo\r\nPUB news.b 2\r\nho\r\n")
        .s("MSG news.a 1 5\r\nhello\r\n");
    assert_eq!(all(&t), ["PUB news.a ok", "PUB news.b ok", "MSG news.a ok"]);
    let mut t = Talk::tcp(12_345);
    t.s("MSG someone@example.com Someone 12\r\nMIME-Version: 1.0\r\n").c("PUB a 3\r\nfour\r\n");
    assert!(t.over().is_empty(), "a payload that does not end where it says");
}
