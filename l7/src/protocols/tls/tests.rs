//! Handshakes of every version in pieces of any size, with gaps, and the exchanges that come of
//! them.

use crate::input::End;
use crate::testing::{C, S, Script, Talk, text};
use fact::{Exchange, Outcome, Protocol, Unanswered, Value};

const TLS13: &str = include_str!("testdata/tls13.hex");
const RESUMED12: &str = include_str!("testdata/resumed12.hex");
const RETRY: &str = include_str!("testdata/retry.hex");
const CLIENT_CERTIFICATE: &str = include_str!("testdata/client_certificate.hex");
const UNKNOWN_NAME: &str = include_str!("testdata/unknown_name.hex");
const UNKNOWN_CA: &str = include_str!("testdata/unknown_ca.hex");
const SSL2_HELLO: &str = include_str!("testdata/ssl2_hello.hex");
/// Of a ClientHello of 512 bytes without its record header.
const HELLO_AT: usize = 5;

fn script(lines: &str) -> Script {
    Script::recorded(4444, 1, lines)
}

fn played(lines: &str) -> Talk {
    let mut talk = Talk::tcp(4444);
    script(lines).play(&mut talk);
    talk
}

fn flag(exchange: &Exchange, key: &str) -> Option<bool> {
    match exchange.attributes.get(key) {
        Some(Value::Bool(is)) => Some(is),
        _ => None,
    }
}

#[test]
fn a_handshake_of_tls_1_3_ends_when_the_client_sends_encrypted() {
    let mut t = Talk::tcp(4444);
    let turns = script(TLS13).turns;
    t.c(&turns[0].1).s(&turns[1].1);
    assert!(t.told().is_empty(), "the server's part may go on");
    t.c(&turns[2].1);
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.protocol, e.operation.as_str(), e.outcome),
        (Protocol::new("tls"), "handshake", Outcome::Ok)
    );
    for (key, value) in [
        ("server.address", "www.example.test"),
        ("tls.client.server_name", "www.example.test"),
        ("tls.client.supported_versions", "1.3,1.2"),
        ("tls.client.supported_protocols", "http/1.1"),
        ("tls.protocol.version", "1.3"),
        ("tls.cipher", "TLS_AES_256_GCM_SHA384"),
        ("tls.curve", "x25519"),
    ] {
        assert_eq!(text(e, key), value, "{key}");
    }
    assert_eq!((flag(e, "tls.resumed"), flag(e, "tls.established")), (Some(false), Some(true)));
    let (request, response) = (e.request.unwrap(), e.response.unwrap());
    assert_eq!(
        (request.bytes, request.whole, response.bytes, response.whole),
        (517, true, 1473, true)
    );
    assert_eq!(response.seq.end.0.wrapping_sub(response.seq.start.0), 1473);
    assert_eq!((response.first.as_nanos(), response.last.as_nanos()), (2000, 2000));
    assert!(!t.conversation.wants_payload());
}

#[test]
fn a_retried_hello_is_a_handshake_of_its_own() {
    let t = played(RETRY);
    let [first, second] = &t.found.exchanges[..] else { panic!("{:?}", t.found.exchanges) };
    assert_eq!(flag(first, "tls.hello_retry_request"), Some(true));
    assert_eq!((first.outcome, first.response.unwrap().bytes), (Outcome::Ok, 99 - 6));
    assert_eq!((second.outcome, flag(second, "tls.established")), (Outcome::Ok, Some(true)));
    assert_eq!(text(second, "tls.curve"), "secp384r1");
}

#[test]
fn certificates_of_tls_1_2_are_told() {
    let t = played(CLIENT_CERTIFICATE);
    let e = &t.found.exchanges[0];
    for (key, value) in [
        ("tls.protocol.version", "1.2"),
        ("tls.cipher", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("tls.curve", "x25519"),
        ("tls.server.subject", "CN=www.example.test,O=Example\\, Inc.,C=SE"),
        ("tls.server.issuer", "CN=www.example.test,O=Example\\, Inc.,C=SE"),
        ("tls.client.subject", "CN=some client"),
    ] {
        assert_eq!(text(e, key), value, "{key}");
    }
    let times = [text(e, "tls.server.not_before"), text(e, "tls.server.not_after")];
    assert!(
        times.iter().all(|t| t.len() == 20 && t.starts_with("20") && t.ends_with('Z')),
        "{times:?}"
    );
    assert_eq!(flag(e, "tls.client.certificate_requested"), Some(true));
    assert_eq!((flag(e, "tls.resumed"), e.outcome), (Some(false), Outcome::Ok));
}

#[test]
fn a_session_of_tls_1_2_is_resumed() {
    let t = played(RESUMED12);
    let e = &t.found.exchanges[0];
    assert_eq!((flag(e, "tls.resumed"), flag(e, "tls.established")), (Some(true), Some(true)));
    assert_eq!(text(e, "tls.next_protocol"), "http/1.1");
    assert_eq!(e.response.unwrap().bytes, 156);
}

#[test]
fn whoever_sends_the_alert_is_blamed() {
    let t = played(UNKNOWN_NAME);
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.outcome, text(e, "error.type").as_str()),
        (Outcome::ServerError, "unrecognized_name")
    );
    assert_eq!(text(e, "tls.alert.level"), "fatal");
    let t = played(UNKNOWN_CA);
    let e = &t.found.exchanges[0];
    assert_eq!((e.outcome, text(e, "error.type").as_str()), (Outcome::ClientError, "unknown_ca"));
    assert_eq!(flag(e, "tls.established"), Some(false));
}

#[test]
fn an_encrypted_alert_is_known_by_its_length() {
    let turns = script(TLS13).turns;
    let mut t = Talk::tcp(4444);
    t.c(&turns[0].1).s(&turns[1].1).c([&[23, 3, 3, 0, 19][..], &[7; 19]].concat());
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.outcome, text(e, "error.type").as_str()),
        (Outcome::ClientError, "encrypted_alert")
    );
}

#[test]
fn a_warning_does_not_end_the_handshake() {
    let turns = script(TLS13).turns;
    let mut t = Talk::tcp(4444);
    t.c(&turns[0].1).s([21, 3, 3, 0, 2, 1, 112]).s(&turns[1].1).c(&turns[2].1);
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.outcome, text(e, "tls.alert.description").as_str()),
        (Outcome::Ok, "unrecognized_name")
    );
}

#[test]
fn a_hello_in_the_form_of_ssl_2_is_one() {
    let t = played(SSL2_HELLO);
    let e = &t.found.exchanges[0];
    assert_eq!((e.outcome, e.request.unwrap().bytes), (Outcome::Ok, 52));
    assert_eq!(text(e, "tls.client.supported_versions"), "1.2");
    assert_eq!(text(e, "tls.cipher"), "TLS_RSA_WITH_RC4_128_MD5");
}

#[test]
fn messages_may_be_cut_into_records_anywhere() {
    let turns = script(TLS13).turns;
    let records: Vec<u8> = turns[0].1[HELLO_AT..]
        .chunks(3)
        .flat_map(|piece| [&[22, 3, 1, 0, piece.len() as u8][..], piece].concat())
        .collect();
    let mut t = Talk::tcp(443);
    t.c(records).s(&turns[1].1).c(&turns[2].1);
    let e = &t.found.exchanges[0];
    assert_eq!((e.outcome, text(e, "server.address").as_str()), (Outcome::Ok, "www.example.test"));
}

#[test]
fn a_side_that_leaves_early_has_broken_it_off() {
    let turns = script(TLS13).turns;
    let mut t = Talk::tcp(4444);
    t.c(&turns[0].1).s(&turns[1].1).end(End::Fin(C));
    let e = &t.found.exchanges[0];
    assert_eq!((e.outcome, text(e, "error.type").as_str()), (Outcome::ClientError, "closed"));
    let mut t = Talk::tcp(4444);
    t.c(&turns[0].1).end(End::Fin(S)).over();
    assert_eq!(t.found.exchanges[0].outcome, Outcome::NoResponse);
    let mut t = Talk::tcp(4444);
    t.c(&turns[0].1).s(&turns[1].1).end(End::Over(Unanswered::Reset));
    assert_eq!(t.found.exchanges[0].outcome, Outcome::Reset);
}

#[test]
fn holes_are_told_and_what_the_snap_length_cut_off_is_none() {
    let turns = script(CLIENT_CERTIFICATE).turns;
    let (hello, answer) = (&turns[0].1, &turns[1].1);
    let mut t = Talk::tcp(443);
    t.c(hello)
        .s(&answer[..200])
        .gap(S, answer.len() as u64 - 200)
        .c(&turns[2].1)
        .s(&turns[3].1)
        .over();
    // The hole is inside of the certificate, which is passed over, and behind it.
    assert_eq!(t.found.exchanges[0].outcome, Outcome::LostBytes);
    assert_eq!(text(&t.found.exchanges[0], "tls.protocol.version"), "1.2");
    let mut t = Talk::tcp(443);
    t.c(&hello[..400])
        .snap(C, hello.len() as u64 - 400)
        .s(&answer[..200])
        .snap(S, answer.len() as u64 - 200);
    t.c(&turns[2].1[..60]).snap(C, turns[2].1.len() as u64 - 60).s(&turns[3].1);
    let e = &t.found.exchanges[0];
    assert_eq!((e.outcome, flag(e, "tls.established")), (Outcome::Ok, Some(true)));
    assert_eq!((e.request.unwrap().bytes, e.request.unwrap().whole), (517, true));
    assert_eq!(text(e, "server.address"), "www.example.test");
}

#[test]
fn an_answer_alone_is_told_without_its_request() {
    let turns = script(CLIENT_CERTIFICATE).turns;
    let mut t = Talk::tcp(4444);
    t.s(&turns[1].1).c(&turns[2].1).s(&turns[3].1);
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.outcome, e.request.is_none(), text(e, "tls.protocol.version").as_str()),
        (Outcome::NoRequest, true, "1.2")
    );
    // Seen from the other side, the server is still who says hello second.
    let mut t = Talk::tcp(4444);
    t.c(&turns[1].1).s(&turns[2].1).c(&turns[3].1);
    assert_eq!(t.found.exchanges[0].server, t.cx.client);
}

#[test]
fn early_data_is_no_end_of_the_handshake() {
    let mut turns = script(TLS13).turns;
    // Turns an extension of the hello that says nothing (encrypt-then-MAC) into early data.
    let hello = &mut turns[0].1;
    let at = hello.windows(4).position(|w| w == [0, 22, 0, 0]).unwrap();
    hello[at + 1] = 42;
    let data = [&[23, 3, 3, 0, 40][..], &[5; 40]].concat();
    let mut t = Talk::tcp(4444);
    t.c(&turns[0].1).c(&data).c(&data);
    assert!(t.told().is_empty());
    t.s(&turns[1].1).c(&turns[2].1);
    let e = &t.found.exchanges[0];
    assert_eq!((e.outcome, flag(e, "tls.client.early_data")), (Outcome::Ok, Some(true)));
}

#[test]
fn joined_in_the_middle_it_is_tls_without_spans() {
    let data = [[23, 3, 3, 0, 40].as_slice(), &[9; 40]].concat();
    let mut t = Talk::tcp(4444);
    t.c(&data);
    assert!(t.conversation.wants_payload(), "one header proves nothing");
    t.c(&data).over();
    assert!(t.found.exchanges.is_empty() && !t.conversation.wants_payload());
    assert_eq!(t.conversation.summary().map(|s| s.protocol), Some(Protocol::new("tls")));
    let mut t = Talk::tcp(443);
    t.s(&data).over();
    assert!(t.found.exchanges.is_empty() && !t.conversation.wants_payload());
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    [TLS13, RESUMED12, RETRY, CLIENT_CERTIFICATE, UNKNOWN_NAME, UNKNOWN_CA, SSL2_HELLO]
        .map(script)
        .to_vec()
}
