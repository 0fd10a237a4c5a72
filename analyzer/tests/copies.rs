//! Frames that a capture has several times: at a port that mirrors both directions, at several
//! interfaces, before and behind a router. Wireshark's counters count them, our own do not.

mod packets;

use analyzer::{Analyzer, Config};
use fact::{DirectionRecord, Exchange, FlowRecord, TcpCounter};
use fact::{Fact, Sink};
use packets::{Given, datagram, frame, given};
use wire::{LinkType, RawFrame, TapId, Timestamp};

const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const PSH_ACK: u8 = 0x18;
const FIN_ACK: u8 = 0x11;
const UP: (u16, u16) = (40_000, 80);
const DOWN: (u16, u16) = (80, 40_000);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const ASKED: u32 = 1001 + REQUEST.len() as u32;
const US: u64 = 1_000;
const MS: u64 = 1_000_000;
/// Offset of the IPv4 identification in a frame.
const IP_ID: usize = 14 + 4;

#[derive(Default)]
struct Facts {
    closed: Vec<FlowRecord>,
    exchanges: Vec<Exchange>,
}

impl Sink for Facts {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::FlowClosed(record) => self.closed.push(record.clone()),
            Fact::Exchange(exchange) => self.exchanges.push(exchange.clone()),
            _ => {}
        }
    }
}

type Timed = (u64, Vec<u8>);

fn analyse(frames: &[Timed]) -> Facts {
    let (mut analyzer, mut facts) = (Analyzer::new(Config::default()), Facts::default());
    for (number, (ns, bytes)) in (1..).zip(frames) {
        let frame = RawFrame {
            time: Timestamp::from_nanos(1_700_000_000_000_000_000 + ns),
            tap: TapId(0),
            link_type: LinkType::Ethernet,
            wire_len: bytes.len() as u32,
            vlan: None,
            bytes,
        };
        analyzer.frame(number, &frame, &mut facts);
    }
    analyzer.finish(&mut facts);
    facts
}

/// A request, a response of three segments, and the end.
fn connection() -> Vec<Timed> {
    let mut response = b"HTTP/1.1 200 OK\r\nContent-Length: 2961\r\n\r\n".to_vec();
    response.resize(3000, b'x');
    let mut frames = vec![
        (0, frame(UP, 1000, 0, SYN, &[])),
        (MS, frame(DOWN, 5000, 1001, SYN_ACK, &[])),
        (2 * MS, frame(UP, 1001, 5001, ACK, &[])),
        (3 * MS, frame(UP, 1001, 5001, PSH_ACK, REQUEST)),
        (4 * MS, frame(DOWN, 5001, ASKED, ACK, &[])),
    ];
    for (at, part) in (0..).zip(response.chunks(1000)) {
        let ns = 5 * MS + at * 10 * US;
        frames.push((ns, frame(DOWN, 5001 + 1000 * at as u32, ASKED, PSH_ACK, part)));
    }
    frames.extend([
        (6 * MS, frame(UP, ASKED, 8001, ACK, &[])),
        (7 * MS, frame(UP, ASKED, 8001, FIN_ACK, &[])),
        (8 * MS, frame(DOWN, 8001, ASKED + 1, FIN_ACK, &[])),
        (9 * MS, frame(UP, ASKED + 1, 8002, ACK, &[])),
    ]);
    frames
}

/// Gives each frame an IP identification of its own.
fn numbered(mut frames: Vec<Timed>) -> Vec<Timed> {
    for (id, (_, bytes)) in (1_u16..).zip(&mut frames) {
        bytes[IP_ID..IP_ID + 2].copy_from_slice(&id.to_be_bytes());
    }
    frames
}

/// Each frame three times, `apart` from each other.
fn tripled(frames: Vec<Timed>, apart: u64) -> Vec<Timed> {
    let mut all: Vec<_> = frames
        .iter()
        .flat_map(|(ns, bytes)| (0..3).map(move |n| (ns + n * apart, bytes.clone())))
        .collect();
    all.sort_by_key(|(ns, _)| *ns);
    all
}

fn own_counters(d: &DirectionRecord) -> [u32; 3] {
    [
        TcpCounter::TimeoutRetransmission,
        TcpCounter::TailLossProbe,
        TcpCounter::RecoveryRetransmission,
    ]
    .map(|counter| d.tcp[counter])
}

fn assert_nothing_was_sent_again(facts: &Facts, copies: (u64, u64)) {
    assert_eq!((facts.closed.len(), facts.exchanges.len()), (1, 1));
    let d = &facts.closed[0].directions;
    assert_eq!((own_counters(&d.to_server), own_counters(&d.to_client)), ([0; 3], [0; 3]));
    assert_eq!((d.to_server.copies, d.to_client.copies), copies);
    let trouble = &facts.exchanges[0].tcp;
    assert_eq!((trouble.retransmissions, trouble.out_of_order), (0, 0));
    assert_eq!(facts.closed[0].trouble, None);
}

#[test]
fn a_frame_that_is_captured_three_times_was_sent_once() {
    let once = analyse(&connection());
    // With identification and without; one after the other, and one burst after the other.
    for apart in [3 * US, 40 * US] {
        let facts = analyse(&tripled(numbered(connection()), apart));
        assert_nothing_was_sent_again(&facts, (12, 12));
        let facts = analyse(&tripled(connection(), apart));
        // Without identification, a repeated ACK may be a duplicate one.
        assert_nothing_was_sent_again(&facts, (6, 10));
        let (d, one) = (&facts.closed[0].directions, &once.closed[0].directions);
        assert_eq!(d.to_server.packets, 3 * one.to_server.packets);
        assert_eq!(d.to_client.goodput_bytes, one.to_client.goodput_bytes);
        // Wireshark's name means what it means there.
        assert!(d.to_server.tcp[TcpCounter::Retransmission] > 0);
        assert_eq!(d.to_server.response_time, one.to_server.response_time);
    }
}

/// Copies behind a router are in another VLAN.
#[test]
fn a_copy_in_another_network_is_of_the_same_connection() {
    let mut frames = Vec::new();
    for (ns, bytes) in numbered(connection()) {
        for (vlan, later) in [(10, 0), (20, 300 * US)] {
            let mut bytes = bytes.clone();
            bytes.splice(12..12, [0x81, 0, 0, vlan]);
            frames.push((ns + later, bytes));
        }
    }
    frames.sort_by_key(|(ns, _)| *ns);
    let facts = analyse(&frames);
    assert_nothing_was_sent_again(&facts, (6, 6));
    assert_eq!(facts.closed[0].vlans, [10, 20]);
}

#[test]
fn what_is_sent_again_has_an_identification_or_a_time_stamp_of_its_own() {
    let mut frames = numbered(connection());
    for (id, ns) in [(900_u16, 3 * MS + US), (901, 220 * MS)] {
        let mut again = frame(UP, 1001, 5001, PSH_ACK, REQUEST);
        again[IP_ID..IP_ID + 2].copy_from_slice(&id.to_be_bytes());
        frames.insert(4, (ns, again));
    }
    frames.truncate(6);
    frames.sort_by_key(|(ns, _)| *ns);
    let d = &analyse(&frames).closed[0].directions.to_server;
    assert_eq!((d.copies, d.tcp[TcpCounter::Retransmission]), (0, 2));
    let stamped = |value: u8| {
        given(Given {
            ports: UP,
            seq: 1001,
            ack: 5001,
            flags: PSH_ACK,
            window: 0xffff,
            options: &[1, 1, 8, 10, 0, 0, 0, value, 0, 0, 0, 1],
            payload: REQUEST,
        })
    };
    for (value, copies) in [(5, 1), (6, 0)] {
        let mut frames = connection();
        frames.truncate(3);
        frames.extend([(3 * MS, stamped(5)), (3 * MS + 900 * US, stamped(value))]);
        assert_eq!(analyse(&frames).closed[0].directions.to_server.copies, copies);
    }
}

/// Without identification, a segment that is sent again within a round trip of microseconds looks
/// like a copy, but for the ACKs that asked for it.
#[test]
fn what_an_ack_asked_for_is_no_copy() {
    let mut frames = connection();
    frames.truncate(8);
    for n in 0..3 {
        frames.push((5 * MS + (30 + n) * US, frame(UP, ASKED, 5001, ACK, &[])));
    }
    frames.push((5 * MS + 40 * US, frames[5].1.clone()));
    let d = &analyse(&frames).closed[0].directions.to_client;
    assert_eq!((d.copies, d.tcp[TcpCounter::RecoveryRetransmission]), (0, 1));
}

#[test]
fn a_question_that_is_captured_twice_is_asked_once() {
    let message = |answer: bool| {
        let mut message = vec![0, 7, if answer { 0x81 } else { 1 }, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        message.extend(b"\x01a\x00\x00\x01\x00\x01");
        datagram(if answer { (53, 6000) } else { (6000, 53) }, &message)
    };
    let frames = tripled(vec![(0, message(false)), (MS, message(true))], 3 * US);
    let facts = analyse(&frames);
    assert_eq!((facts.closed.len(), facts.exchanges.len()), (1, 1));
    let d = &facts.closed[0].directions;
    assert_eq!((d.to_server.packets, d.to_server.copies, d.to_client.copies), (3, 2, 2));
    // On both legs of a router.
    let both = frames.into_iter().enumerate().map(|(n, (ns, mut bytes))| {
        bytes.splice(12..12, [0x81, 0, 0, 10 + (n % 3) as u8]);
        (ns, bytes)
    });
    let facts = analyse(&both.collect::<Vec<_>>());
    assert_eq!((facts.closed.len(), facts.exchanges.len()), (1, 1));
}
