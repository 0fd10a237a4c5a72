//! Messages over UDP and TCP, cut and malformed ones, and the exchanges that come of them.

use wire::Transport;

use crate::limits::RequestLimits;
use crate::testing::{C, S, Script, Talk, int, text};
use fact::{Outcome, Protocol};

/// A message with one question; records are given as they are on the wire.
pub(crate) fn message(
    id: u16,
    flags: u16,
    name: &str,
    kind: u16,
    counts: [u16; 3],
    records: &[u8],
) -> Vec<u8> {
    let mut m = Vec::new();
    for word in [id, flags, 1, counts[0], counts[1], counts[2]] {
        m.extend_from_slice(&word.to_be_bytes());
    }
    for label in name.split('.').filter(|l| !l.is_empty()) {
        m.push(label.len() as u8);
        m.extend_from_slice(label.as_bytes());
    }
    m.push(0);
    m.extend_from_slice(&kind.to_be_bytes());
    m.extend_from_slice(&[0, 1]);
    m.extend_from_slice(records);
    m
}

pub(crate) fn query(id: u16, name: &str) -> Vec<u8> {
    message(id, 0x0100, name, 1, [0; 3], &[])
}

pub(crate) fn response(id: u16, name: &str, rcode: u16) -> Vec<u8> {
    message(id, 0x8180 | rcode, name, 1, [0; 3], &[])
}

/// As over TCP.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes()[..], message].concat()
}

/// Record of `kind` with a pointer to the question's name.
fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut r = vec![0xc0, 12];
    r.extend_from_slice(&kind.to_be_bytes());
    r.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
    r.extend_from_slice(&(data.len() as u16).to_be_bytes());
    r.extend_from_slice(data);
    r
}

#[test]
fn question_and_answers_are_told() {
    let mut t = Talk::udp(53);
    let alias = record(5, &[1, b'x', 0xc0, 12]);
    let records =
        [alias, record(1, &[192, 0, 2, 1]), record(16, b"\x01t"), record(1, &[192, 0, 2, 2])]
            .concat();
    t.c(query(7, "www.Example.com")).s(message(
        7,
        0x8180,
        "www.example.com",
        1,
        [4, 0, 0],
        &records,
    ));
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.protocol, e.operation.as_str(), e.outcome),
        (Protocol::new("dns"), "A", Outcome::Ok)
    );
    assert_eq!(text(e, "dns.question.name"), "www.Example.com");
    assert_eq!(text(e, "dns.response.code"), "NOERROR");
    assert_eq!(int(e, "dns.answers.count"), Some(4));
    assert_eq!(text(e, "dns.answers"), "x.www.example.com,192.0.2.1,TXT,192.0.2.2");
    assert_eq!(text(e, "dns.answers.cname_chain"), "www.example.com > x.www.example.com");
    assert_eq!(int(e, "dns.answers.min_ttl"), Some(60));
    assert_eq!(
        (text(e, "dns.request.flags"), text(e, "dns.response.flags")),
        ("rd".to_owned(), "rd ra".to_owned())
    );
    let request = e.request.unwrap();
    assert!(request.seq.is_empty());
    assert_eq!((request.seq.start.0, request.bytes, request.first.as_nanos()), (7, 33, 1000));
    assert_eq!(e.response.unwrap().first.as_nanos(), 2000);
}

#[test]
fn answers_find_their_questions_in_any_order() {
    let mut t = Talk::udp(53);
    t.c(query(1, "a")).c(query(2, "b")).c(query(3, "c"));
    t.s(response(3, "c", 0)).s(response(1, "a", 3)).s(response(2, "b", 2));
    assert_eq!(
        t.told(),
        ["A c NOERROR ok", "A a NXDOMAIN client_error", "A b SERVFAIL server_error"]
    );
    t.s(response(2, "b", 0)).s(response(1, "other", 0));
    assert_eq!(t.told()[3..], ["A b NOERROR no_request", "A other NOERROR no_request"]);
}

#[test]
fn repeated_questions_are_exchanges_of_their_own() {
    let mut t = Talk::udp(53);
    t.c(query(1, "a")).c(query(1, "a")).s(response(1, "a", 0)).over();
    assert_eq!(t.told(), ["A a NOERROR ok", "A a no_response"]);
    assert_eq!(t.found.exchanges[0].request.unwrap().first.as_nanos(), 1000);
}

#[test]
fn unanswered_questions_expire() {
    let mut t = Talk::udp(53);
    t.c(query(1, "a")).wait(14_000_000_000);
    assert!(t.told().is_empty());
    t.wait(2_000_000_000);
    assert_eq!(t.told(), ["A a no_response"]);
}

#[test]
fn the_oldest_goes_when_too_many_wait() {
    let mut t = Talk::new(
        Transport::Udp,
        40_000,
        53,
        RequestLimits { pending: 2, ..RequestLimits::default() },
    );
    t.c(query(1, "a")).c(query(2, "b")).c(query(3, "c")).s(response(3, "c", 0));
    assert_eq!(t.told(), ["A a no_response", "A c NOERROR ok"]);
    assert_eq!(t.found.evicted.len(), 1);
}

#[test]
fn several_messages_in_one_segment_and_one_in_several() {
    let mut t = Talk::tcp(53);
    let queries = [framed(&query(1, "a.example")), framed(&query(2, "b.example"))].concat();
    t.c(&queries[..1]).c(&queries[1..30]).c(&queries[30..]);
    t.s([framed(&response(2, "b.example", 0)), framed(&response(1, "a.example", 0))].concat());
    assert_eq!(t.told(), ["A b.example NOERROR ok", "A a.example NOERROR ok"]);
    let request = t.found.exchanges[1].request.unwrap();
    assert_eq!(
        (request.seq.start.0, request.seq.end.0, request.first.as_nanos()),
        (1000, 1029, 1000)
    );
}

#[test]
fn a_large_answer_over_tcp_is_skipped_not_kept() {
    let mut t = Talk::tcp(53);
    let long = message(1, 0x8180, "big", 252, [1, 0, 0], &record(16, &[0; 60_000]));
    t.c(framed(&message(1, 0x0100, "big", 252, [0; 3], &[])));
    for piece in framed(&long).chunks(1460) {
        t.s(piece);
    }
    assert_eq!(t.told(), ["AXFR big NOERROR ok"]);
    assert_eq!(t.found.exchanges[0].response.unwrap().bytes, long.len() as u64 + 2);
}

#[test]
fn names_that_run_in_circles_end() {
    let mut t = Talk::udp(53);
    let mut loops = response(1, "", 0);
    loops.splice(12..13, [0xc0, 12]);
    t.s(&loops);
    loops.splice(12..14, [1, b'a', 0xc0, 12]);
    t.s(&loops);
    assert!(t.told().iter().all(|m| m == "NOERROR no_request"), "{:?}", t.told());
}

#[test]
fn other_ports_need_better_proof() {
    let mut t = Talk::udp(9999);
    t.c(query(1, "a.example")).s(response(1, "a.example", 0));
    assert_eq!(t.told(), ["A a.example NOERROR ok"]);
    let mut t = Talk::udp(9999);
    t.c(vec![0; 40]).s(vec![0xff; 40]);
    assert!(t.over().is_empty());
}

#[test]
fn over_tcp_a_message_may_come_in_pieces_on_every_port() {
    for port in [53, 9999] {
        for pieces in [[1, 1, 5], [2, 14, 3], [13, 2, 6]] {
            let mut t = Talk::tcp(port);
            for id in 1..3 {
                let (asked, answered) =
                    (framed(&query(id, "a.example")), framed(&response(id, "a.example", 0)));
                let mut rest = &asked[..];
                for piece in pieces {
                    t.c(&rest[..piece]);
                    rest = &rest[piece..];
                }
                t.c(rest).s(&answered[..2]).s(&answered[2..]);
            }
            assert_eq!(t.told().len(), 2, "{port} {pieces:?}");
            assert!(t.found.exchanges.iter().all(|e| e.outcome == Outcome::Ok));
        }
    }
}

#[test]
fn link_local_relatives_have_their_own_names() {
    let mut t = Talk::new(Transport::Udp, 5353, 5353, RequestLimits::default());
    t.c(query(0, "printer.local")).c(response(0, "printer.local", 0)).over();
    assert!(t.found.exchanges.iter().all(|e| e.protocol == Protocol::new("mdns")));
    assert_eq!(t.told(), ["A printer.local NOERROR no_request", "A printer.local no_response"]);
    let mut t = Talk::udp(5355);
    t.c(query(9, "host"));
    assert_eq!(t.over()[0].protocol, Protocol::new("llmnr"));
}

#[test]
fn the_side_that_asks_is_the_client() {
    let mut t = Talk::udp(53);
    t.send(S, &query(1, "a")).send(C, &response(1, "a", 0));
    assert!(t.conversation.is_reversed());
    assert_eq!(t.found.exchanges[0].client, t.cx.server);
}

/// EDNS: size, response code and version and flags, options.
fn opt(size: u16, ttl: u32, options: &[u8]) -> Vec<u8> {
    let mut r = vec![0, 0, 41];
    r.extend_from_slice(&size.to_be_bytes());
    r.extend_from_slice(&ttl.to_be_bytes());
    r.extend_from_slice(&(options.len() as u16).to_be_bytes());
    r.extend_from_slice(options);
    r
}

#[test]
fn edns_is_told() {
    let mut t = Talk::udp(53);
    let asked = [
        0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 12, 0, 2, 0, 0,
    ];
    let answered = [&[0, 15, 0, 7, 0, 15][..], b"by me"].concat();
    t.c(message(1, 0x0120, "a.example", 1, [0, 0, 1], &opt(1232, 0x8000, &asked)));
    t.s(message(1, 0x8187, "a.example", 1, [0, 0, 1], &opt(1232, 0x0100_0000, &answered)));
    let e = &t.found.exchanges[0];
    assert_eq!((int(e, "dns.edns.udp_size"), int(e, "dns.edns.padding")), (Some(1232), Some(2)));
    assert_eq!(text(e, "dns.edns.client_subnet"), "192.0.2.0/24");
    assert!(
        e.attributes.get("dns.edns.dnssec_ok").is_some()
            && e.attributes.get("dns.edns.cookie").is_some()
    );
    assert_eq!(
        (text(e, "dns.response.code").as_str(), e.outcome),
        ("BADCOOKIE", Outcome::ClientError)
    );
    assert_eq!(int(e, "dns.extended_error.code"), Some(15));
    assert_eq!(text(e, "dns.extended_error.name"), "Blocked");
    assert_eq!(text(e, "dns.extended_error.text"), "by me");
    assert_eq!(text(e, "dns.request.flags"), "rd ad");
}

#[test]
fn records_are_told_by_their_type() {
    let alpn = [0, 1, 0, 0, 1, 0, 6, 2, b'h', b'2', 2, b'h', b'3'];
    let records = [
        record(33, &[0, 1, 0, 2, 0, 80, 1, b'n', 0]),
        record(15, &[0, 10, 1, b'm', 0]),
        record(65, &alpn),
        record(257, b"\0\x05issueca.example"),
        record(99, b"x"),
        record(4711, b"x"),
    ];
    let mut t = Talk::udp(53);
    t.c(message(7, 0x0100, "a", 255, [0; 3], &[])).s(message(
        7,
        0x8400,
        "a",
        255,
        [6, 0, 0],
        &records.concat(),
    ));
    let e = &t.found.exchanges[0];
    let answers = "SRV 1 2 80 n,MX 10 m,HTTPS 1 . alpn=h2+h3,CAA 0 issue ca.example,SPF,TYPE4711";
    assert_eq!((e.operation.as_str(), text(e, "dns.answers").as_str()), ("ANY", answers));
    assert_eq!(text(e, "dns.response.flags"), "aa");
}

#[test]
fn aliases_are_followed_in_whatever_order_they_stand() {
    let second = [&[1, b'b', 0, 0, 5, 0, 1, 0, 0, 0, 9, 0, 3, 1, b'c', 0][..]].concat();
    let records = [second, record(5, &[1, b'b', 0])].concat();
    let mut t = Talk::udp(53);
    t.c(query(7, "a")).s(message(7, 0x8180, "a", 1, [2, 0, 0], &records));
    assert_eq!(text(&t.found.exchanges[0], "dns.answers.cname_chain"), "a > b > c");
    let ring =
        [&[1, b'b', 0, 0, 5, 0, 1, 0, 0, 0, 9, 0, 3, 1, b'a', 0][..], &record(5, &[1, b'b', 0])]
            .concat();
    t.c(query(8, "a")).s(message(8, 0x8180, "a", 1, [2, 0, 0], &ring));
    assert_eq!(text(&t.found.exchanges[1], "dns.answers.cname_chain"), "a > b > a");
}

#[test]
fn several_questions_in_one_message_are_told() {
    let mut m = message(0, 0, "a.local", 255, [0; 3], b"\x01b\xc0\x0e\0\x0c\x80\x01");
    m[5] = 2;
    let mut t = Talk::new(Transport::Udp, 5353, 5353, RequestLimits::default());
    t.c(m).over();
    let e = &t.found.exchanges[0];
    assert_eq!(
        (int(e, "dns.questions.count"), text(e, "dns.questions")),
        (Some(2), "a.local ANY,b.local PTR".into())
    );
}

/// A zone's SOA record, by its serial number.
fn soa(serial: u32) -> Vec<u8> {
    record(6, &[&[0, 0][..], &serial.to_be_bytes(), &[0; 16]].concat())
}

/// Messages of a transfer, the first with the question.
fn transfer(kind: u16, messages: &[&[Vec<u8>]]) -> Vec<u8> {
    let all = messages.iter().enumerate().map(|(n, records)| {
        let mut m =
            message(5, 0x8400, "zone", kind, [records.len() as u16, 0, 0], &records.concat());
        if n > 0 {
            m.drain(12..22);
            m[5] = 0;
        }
        framed(&m)
    });
    all.collect::<Vec<_>>().concat()
}

#[test]
fn a_zone_transfer_is_one_exchange_of_many_messages() {
    let a = || record(1, &[192, 0, 2, 1]);
    let big = || record(16, &[7; 9000]);
    let whole = transfer(252, &[&[soa(1), a()], &[big(), a()], &[a(), soa(1)]]);
    for size in [1, 7, 400, 20_000] {
        let mut t = Talk::tcp(53);
        t.c(framed(&message(5, 0, "zone", 252, [0; 3], &[])));
        for piece in whole.chunks(size) {
            assert!(t.told().is_empty());
            t.s(piece);
        }
        assert_eq!(t.told(), ["AXFR zone NOERROR ok"]);
        let e = &t.found.exchanges[0];
        assert_eq!(
            (int(e, "dns.answers.count"), int(e, "dns.transfer.messages")),
            (Some(6), Some(3))
        );
        assert_eq!(e.response.unwrap().bytes, whole.len() as u64);
        t.c(framed(&query(6, "a"))).s(framed(&response(6, "a", 0)));
        assert_eq!(t.told().len(), 2);
    }
}

#[test]
fn changes_of_a_zone_end_with_its_serial_number() {
    let a = || record(1, &[192, 0, 2, 1]);
    let changes =
        transfer(251, &[&[soa(3), soa(1), a(), soa(2)], &[a(), soa(2), soa(3), a()], &[soa(3)]]);
    for (answer, messages) in [
        (changes, 3),
        (transfer(251, &[&[soa(3)]]), 1),
        (transfer(251, &[&[soa(3), a()], &[soa(3)]]), 2),
    ] {
        let mut t = Talk::tcp(53);
        t.c(framed(&message(5, 0, "zone", 251, [0; 3], &[]))).s(&answer[..answer.len() - 1]);
        assert!(t.told().is_empty());
        t.s(&answer[answer.len() - 1..]);
        assert_eq!(t.told(), ["IXFR zone NOERROR ok"]);
        assert_eq!(int(&t.found.exchanges[0], "dns.transfer.messages"), Some(messages));
    }
}

/// Conversations for the properties that every protocol has.
pub(crate) fn scripts() -> Vec<Script> {
    let queries = [1, 2, 3].map(|id| framed(&query(id, "name.example"))).concat();
    let answers = [3, 1, 1].map(|id| framed(&response(id, "name.example", 3))).concat();
    let large = framed(&[response(2, "name.example", 0), vec![0; 9000]].concat());
    let zone = [framed(&message(5, 0, "zone", 252, [0; 3], &[])), framed(&query(6, "a"))].concat();
    let a = record(1, &[192, 0, 2, 1]);
    let transferred =
        transfer(252, &[&[soa(1), a.clone()], &[record(16, &[7; 900])], &[a, soa(1)]]);
    let then = framed(&response(6, "a", 0));
    vec![
        Script::new(53, 3, &[(C, queries), (S, answers), (S, large)]),
        Script::new(53, 2, &[(C, zone), (S, transferred), (S, then)]),
    ]
}
