//! Handshakes recorded from clients and servers, and their exchanges.

use proptest::prelude::*;
use wire::{Direction, Transport};

use super::Quic;
use crate::contract::{Clue, Probe, Protocol as _};
use crate::input::End;
use crate::testing::{C, S, Script, Talk, text};
use fact::{Exchange, Outcome, Protocol, Unanswered, Value};

const RESUMED: &str = include_str!("testdata/resumed.hex");
const RETRY: &str = include_str!("testdata/retry.hex");
const VERSIONS: &str = include_str!("testdata/versions.hex");
const REFUSED: &str = include_str!("testdata/refused.hex");
const ABANDONED: &str = include_str!("testdata/abandoned.hex");
const LARGE_HELLO: &str = include_str!("testdata/large_hello.hex");
const ALL: [&str; 6] = [RESUMED, RETRY, VERSIONS, REFUSED, ABANDONED, LARGE_HELLO];

fn played(lines: &str, port: u16) -> Talk {
    let mut talk = Talk::udp(port);
    Script::recorded(port, 1, lines).play(&mut talk);
    talk
}

fn flag(exchange: &Exchange, key: &str) -> Option<bool> {
    match exchange.attributes.get(key) {
        Some(Value::Bool(is)) => Some(is),
        _ => None,
    }
}

#[test]
fn a_handshake_is_told_from_its_initial_packets() {
    let t = played(RESUMED, 9999);
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.protocol, e.operation.as_str(), e.outcome),
        (Protocol::new("quic"), "handshake", Outcome::Ok)
    );
    for (key, value) in [
        ("network.protocol.version", "1"),
        ("server.address", "www.example.test"),
        ("tls.client.supported_protocols", "echo"),
        ("tls.protocol.version", "1.3"),
        ("tls.cipher", "TLS_AES_256_GCM_SHA384"),
    ] {
        assert_eq!(text(e, key), value, "{key}");
    }
    assert_eq!((flag(e, "tls.resumed"), flag(e, "tls.established")), (Some(true), Some(true)));
    assert_eq!((e.request.unwrap().bytes, e.response.unwrap().bytes), (1200, 406));
    assert!(e.request.unwrap().whole && e.response.unwrap().whole);
    assert!(!t.conversation.wants_payload());
}

#[test]
fn a_retry_belongs_to_the_same_handshake() {
    let t = played(RETRY, 443);
    let [e] = &t.found.exchanges[..] else { panic!("{:?}", t.found.exchanges) };
    assert_eq!((e.outcome, flag(e, "quic.retry")), (Outcome::Ok, Some(true)));
    assert_eq!(text(e, "tls.protocol.version"), "1.3");
}

#[test]
fn another_version_is_another_attempt() {
    let t = played(VERSIONS, 443);
    let [first, second] = &t.found.exchanges[..] else { panic!("{:?}", t.found.exchanges) };
    assert_eq!(
        (first.outcome, text(first, "error.type").as_str()),
        (Outcome::ClientError, "version_negotiation")
    );
    assert_eq!(text(first, "network.protocol.version"), "1");
    assert!(text(first, "quic.server.supported_versions").contains('2'));
    assert_eq!(
        (second.outcome, text(second, "network.protocol.version").as_str()),
        (Outcome::Ok, "2")
    );
    assert_eq!(text(second, "server.address"), "www.example.test");
}

#[test]
fn a_hello_may_take_several_packets_in_any_order() {
    let script = Script::recorded(443, 1, LARGE_HELLO);
    let mut t = Talk::udp(443);
    for turn in [2, 0, 0, 1, 3, 4, 5, 6] {
        t.send(script.turns[turn].0, &script.turns[turn].1);
    }
    let [e] = &t.found.exchanges[..] else { panic!("{:?}", t.found.exchanges) };
    assert_eq!(e.outcome, Outcome::Ok);
    assert!(text(e, "tls.client.supported_protocols").starts_with("p000-a-protocol"));
}

#[test]
fn refused_and_abandoned_handshakes_say_so() {
    let t = played(REFUSED, 443);
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.outcome, text(e, "error.type").as_str()),
        (Outcome::ServerError, "no_application_protocol")
    );
    let mut t = played(ABANDONED, 443);
    assert!(t.told().is_empty());
    t.end(End::Over(Unanswered::InputEnd));
    let e = &t.found.exchanges[0];
    assert_eq!(
        (e.outcome, text(e, "error.type").as_str()),
        (Outcome::ClientError, "not_completed")
    );
    let mut t = Talk::udp(443);
    t.c(&Script::recorded(443, 1, ABANDONED).turns[0].1).end(End::Over(Unanswered::TimedOut));
    assert_eq!(t.found.exchanges[0].outcome, Outcome::NoResponse);
}

#[test]
fn only_the_client_s_own_keys_prove_it_elsewhere() {
    let turns = Script::recorded(443, 1, RESUMED).turns;
    let (hello, answer) = (&turns[0].1, &turns[1].1);
    let clue = |usual| Clue {
        transport: Transport::Udp,
        client_port: 40_000,
        server_port: 9999,
        usual,
        at_start: false,
        literals: false,
    };
    assert_eq!(Quic::probe(hello, Direction::ToServer, &clue(false)), Probe::Yes);
    assert_eq!(Quic::probe(answer, Direction::ToServer, &clue(false)), Probe::No);
    assert_eq!(Quic::probe(answer, Direction::ToClient, &clue(true)), Probe::Yes);
    let mut damaged = hello.clone();
    damaged[600] ^= 1;
    assert_eq!(Quic::probe(&damaged, Direction::ToServer, &clue(false)), Probe::No);
    for n in 0..300 {
        assert_ne!(Quic::probe(&hello[..n], Direction::ToServer, &clue(false)), Probe::Yes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_datagrams_do_no_harm(
        which in 0usize..6,
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in 1usize..1300,
        order in any::<prop::sample::Index>()
    ) {
        let script = Script::recorded(443, 1, ALL[which]);
        let mut t = Talk::udp(443);
        let hit = order.index(script.turns.len());
        for (n, (direction, bytes)) in script.turns.iter().enumerate() {
            let mut bytes = bytes.clone();
            if n == hit {
                let place = at.index(bytes.len());
                bytes[place] = byte;
                bytes.truncate(cut);
            }
            t.send(*direction, &bytes);
        }
        t.send(S, &[0xc0; 30]).send(C, &[]).over();
        prop_assert!(t.conversation.bytes() < 100_000);
    }
}

/// Conversations for the properties that every protocol has over TCP: none.
pub(crate) fn scripts() -> Vec<Script> {
    Vec::new()
}
