//! Preambles before real conversations.

use std::net::{IpAddr, Ipv6Addr};

use crate::testing::{C, S, Talk, int, text};
use fact::Exchange;

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const LINE: &str = "PROXY TCP4 203.0.113.7 10.0.0.2 51234 8443\r\n";
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Kind, client and server of a preamble as an exchange tells them.
fn told(exchange: &Exchange) -> (String, String, Option<i64>, String, Option<i64>) {
    (
        text(exchange, "wirespan.preamble"),
        text(exchange, "client.address"),
        int(exchange, "client.port"),
        text(exchange, "server.address"),
        int(exchange, "server.port"),
    )
}

/// A conversation on a port that is nobody's, whose handshake was seen.
fn talk() -> Talk {
    let mut talk = Talk::tcp(7777);
    talk.cx.roles_known = true;
    talk
}

/// Version 2 with these addresses and TLVs.
fn version_2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    join(&[SIGNATURE, &[0x20 | command, family], &(body.len() as u16).to_be_bytes(), body])
}

#[test]
fn a_line_before_the_first_request_hides_nothing() {
    let mut t = talk();
    t.c(format!("{LINE}{GET}")).s(OK).c(GET).s(OK);
    assert_eq!(t.told(), ["GET / 200 ok", "GET / 200 ok"]);
    for exchange in &t.found.exchanges {
        assert_eq!(text(exchange, "wirespan.preamble"), "proxy_v1");
        assert_eq!(text(exchange, "client.address"), "203.0.113.7");
        assert_eq!(int(exchange, "client.port"), Some(51_234));
        // The request names its server itself.
        assert_eq!(text(exchange, "server.address"), "h");
        assert_eq!(int(exchange, "server.port"), None);
    }
    let first = t.found.exchanges[0].request.unwrap();
    assert_eq!((first.bytes, first.seq.start.0), (GET.len() as u64, 1000 + LINE.len() as u32));
}

#[test]
fn a_preamble_in_pieces_is_the_same() {
    let v6 = |last: u16| match IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)) {
        IpAddr::V6(address) => address.octets(),
        IpAddr::V4(_) => unreachable!(),
    };
    let addresses = join(&[&v6(1), &v6(2), &51_234u16.to_be_bytes(), &443u16.to_be_bytes()]);
    let tlvs = join(&[b"\x03\0\x04abcd", b"\x02\0\x09host.test"]);
    for head in [LINE.as_bytes().to_vec(), version_2(1, 0x21, &join(&[&addresses, &tlvs]))] {
        let all = join(&[&head, GET.as_bytes()]);
        for size in [1, 2, 5, 13, 60] {
            let mut t = talk();
            all.chunks(size).for_each(|piece| {
                t.c(piece);
            });
            t.s(OK);
            assert_eq!(t.told(), ["GET / 200 ok"], "pieces of {size}");
            assert_eq!(int(&t.found.exchanges[0], "client.port"), Some(51_234));
        }
    }
}

#[test]
fn version_2_tells_addresses_and_the_name_that_was_asked_for() {
    let body = join(&[&[203, 0, 113, 7, 10, 0, 0, 2], &[0xc8, 0x22, 0x15, 0x38], b"\x02\0\x01h"]);
    let mut t = talk();
    t.c(join(&[&version_2(1, 0x11, &body), b"*1\r\n$4\r\nPING\r\n"])).s("+PONG\r\n");
    let exchange = &t.over()[0];
    let (kind, client, client_port, server, port) = told(exchange);
    assert_eq!(
        (kind.as_str(), client.as_str(), client_port),
        ("proxy_v2", "203.0.113.7", Some(51_234))
    );
    assert_eq!((server.as_str(), port), ("10.0.0.2", Some(5432)));
    assert_eq!(text(exchange, "tls.client.server_name"), "h");
}

#[test]
fn what_a_proxy_asks_itself_is_nobody_elses() {
    let mut t = talk();
    t.c(join(&[&version_2(0, 0, &[9; 20]), GET.as_bytes()])).s(OK);
    let (kind, client, ..) = told(&t.found.exchanges[0]);
    assert_eq!(
        (kind.as_str(), client.as_str(), t.told()),
        ("proxy_v2", "", vec!["GET / 200 ok".into()])
    );
}

#[test]
fn long_tlvs_are_passed_over() {
    let body =
        join(&[&[203, 0, 113, 7, 10, 0, 0, 2, 1, 1, 1, 2], &[0xe0, 0xff, 0x00], &[7; 0xff00]]);
    for size in [1448, 100, 70_000] {
        let mut t = talk();
        let all = join(&[&version_2(1, 0x11, &body), GET.as_bytes()]);
        all.chunks(size).for_each(|piece| {
            t.c(piece);
            assert!(t.conversation.bytes() < 200_000);
        });
        t.s(OK);
        assert_eq!(t.told(), ["GET / 200 ok"], "pieces of {size}");
    }
}

#[test]
fn the_log_in_behind_a_preamble_is_told() {
    let mut t = Talk::tcp(5432);
    t.c(join(&[LINE.as_bytes(), b"\0\0\0\x10\0\x03\0\0user\0u\0\0"]));
    t.s(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I");
    t.c(b"Q\0\0\0\x0dSELECT 1\0").s(b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I");
    let operations: Vec<_> = t.found.exchanges.iter().map(|e| e.operation.as_str()).collect();
    assert_eq!(operations, ["StartupMessage", "Query"]);
    assert!(t.found.exchanges.iter().all(|e| text(e, "client.address") == "203.0.113.7"));
}

#[test]
fn lines_that_are_no_preamble_are_left_to_the_protocols() {
    for line in [
        "PROXY TCP4 203.0.113.7 10.0.0.2 51234\r\n",
        "PROXY TCP4 2001:db8::1 10.0.0.2 1 2\r\n",
        "PROXY TCP6 nobody ::1 1 2\r\n",
        "PROXY TCP4 203.0.113.7 10.0.0.2 99999 1\r\n",
    ] {
        let mut t = talk();
        t.c(format!("{line}{GET}")).s(OK).over();
        assert!(
            t.found.exchanges.iter().all(|e| text(e, "wirespan.preamble").is_empty()),
            "{line}"
        );
    }
    let mut t = talk();
    t.c(format!("PROXY UNKNOWN ffff::1 whatever 1 2\r\n{GET}")).s(OK);
    assert_eq!(t.told(), ["GET / 200 ok"]);
    // In the middle of a connection it is what it is.
    let mut t = talk();
    t.c(GET).s(OK).c(LINE).c(GET).s(OK);
    assert!(t.found.exchanges.iter().all(|e| text(e, "wirespan.preamble").is_empty()));
}

#[test]
fn behind_socks_5_the_server_is_the_one_that_was_asked_for() {
    let mut t = talk();
    t.c(b"\x05\x02\0\x02").s(b"\x05\0");
    t.c(b"\x05\x01\0\x03\x07db.test\x18\xeb").s(b"\x05\0\0\x01\x0a\0\0\x07\x1f\x90");
    t.c("*1\r\n$4\r\nPING\r\n").s("+PONG\r\n");
    let (kind, _, _, server, port) = told(&t.over()[0]);
    assert_eq!((kind.as_str(), server.as_str(), port), ("socks5", "db.test", Some(6379)));
}

#[test]
fn names_and_passwords_of_socks_are_not_recorded() {
    let mut t = talk();
    let turns: [(_, &[u8]); 8] = [
        (C, b"\x05\x01\x02"),
        (S, b"\x05\x02"),
        (C, b"\x01\x05alice\x06secret"),
        (S, b"\x01\0"),
        (C, b"\x05\x01\0\x01\x0a\0\0\x09\0\x50"),
        (S, b"\x05\0\0\x01\0\0\0\0\0\0"),
        (C, GET.as_bytes()),
        (S, OK.as_bytes()),
    ];
    for (direction, bytes) in turns {
        bytes.chunks(3).for_each(|piece| {
            t.send(direction, piece);
        });
    }
    assert_eq!(t.told(), ["GET / 200 ok"]);
    let everything = format!("{:?}", t.found.exchanges);
    assert!(!everything.contains("secret") && !everything.contains("alice"), "{everything}");
    assert_eq!(text(&t.found.exchanges[0], "wirespan.preamble"), "socks5");
}

#[test]
fn socks_4_and_4a_are_passed_over() {
    for (request, server) in [
        (&b"\x04\x01\0\x50\x0a\0\0\x09me\0"[..], "10.0.0.9"),
        (b"\x04\x01\0\x50\0\0\0\x01me\0host.test\0", "host.test"),
    ] {
        let mut t = talk();
        t.c(request).s(b"\0\x5a\0\0\0\0\0\0").c("*1\r\n$4\r\nPING\r\n").s("+PONG\r\n");
        let exchange = &t.over()[0];
        assert_eq!(text(exchange, "server.address"), server);
        assert_eq!(int(exchange, "server.port"), Some(80));
        assert!(!format!("{exchange:?}").contains("me\\0"));
    }
}

#[test]
fn tls_behind_a_preamble_is_found() {
    let hello = crate::protocols::tls::tests::scripts();
    let turns = &hello[0].turns;
    let mut t = talk();
    t.c(b"\x05\x01\0").s(b"\x05\0");
    t.c(b"\x05\x01\0\x01\x0a\0\0\x09\x01\xbb").s(b"\x05\0\0\x01\0\0\0\0\0\0");
    for (direction, bytes) in turns {
        t.send(*direction, bytes);
    }
    let first = &t.over()[0];
    assert_eq!(
        (first.protocol.as_str(), text(first, "wirespan.preamble")),
        ("tls", "socks5".into())
    );
}

#[test]
fn bytes_that_a_proxy_does_not_answer_are_given_to_the_protocols() {
    // A frame of another protocol that has the form of a greeting.
    let mut t = talk();
    t.c(b"\x05\x01\0").s("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").over();
    assert_eq!(t.told(), ["400 no_request"]);
    // A refusal ends the handshake.
    let mut t = talk();
    t.c(b"\x05\x01\0").s(b"\x05\xff").over();
    assert_eq!(t.told(), Vec::<String>::new());
}

#[test]
fn a_conversation_begun_anew_remembers_no_preamble() {
    let mut t = talk();
    t.c(format!("{LINE}{GET}")).s(OK);
    t.begin_anew();
    t.c(GET).s(OK);
    assert_eq!(text(&t.found.exchanges[1], "wirespan.preamble"), "");
}
