//! Packets that come late, early, or with numbers of their own: each belongs to one connection, and
//! nothing of it is lost.

mod packets;

use analyzer::{Analyzer, Config};
use fact::{CloseReason, Exchange, FlowRecord, FlowState, Notes};
use fact::{Fact, Sink};
use packets::frame;
use wire::{LinkType, RawFrame, TapId, Timestamp};

const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const PSH_ACK: u8 = 0x18;
const FIN_ACK: u8 = 0x11;
const RST: u8 = 0x04;
const UP: (u16, u16) = (40_000, 80);
const DOWN: (u16, u16) = (80, 40_000);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const ASKED: u32 = 1001 + REQUEST.len() as u32;
const ANSWERED: u32 = 5001 + RESPONSE.len() as u32;
const US: u64 = 1_000;
const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;
const START: u64 = 1_700_000_000 * S;

#[derive(Default)]
struct Facts {
    closed: Vec<FlowRecord>,
    exchanges: Vec<Exchange>,
    strays: u64,
    gap_bytes: u64,
}

impl Sink for Facts {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::FlowClosed(record) => self.closed.push(record.clone()),
            Fact::Exchange(exchange) => self.exchanges.push(exchange.clone()),
            Fact::Stray { .. } => self.strays += 1,
            Fact::StreamGap { bytes, .. } => self.gap_bytes += bytes,
            _ => {}
        }
    }
}

/// Analyses frames at these times, with a tick in every second.
fn analyse(frames: &[(u64, Vec<u8>)]) -> Facts {
    let (mut analyzer, mut facts) = (Analyzer::new(Config::default()), Facts::default());
    let mut ticked = START;
    for (number, (ns, bytes)) in (1..).zip(frames) {
        let time = START + ns;
        while ticked <= time {
            analyzer.tick(Timestamp::from_nanos(ticked), &mut facts);
            ticked += S;
        }
        let frame = RawFrame {
            time: Timestamp::from_nanos(time),
            tap: TapId(0),
            link_type: LinkType::Ethernet,
            wire_len: bytes.len() as u32,
            vlan: None,
            bytes,
        };
        analyzer.frame(number, &frame, &mut facts);
    }
    analyzer.finish(&mut facts);
    assert_eq!(analyzer.usage().reassembly_bytes, 0);
    facts
}

/// A handshake, 1 ms apart from time 0.
fn handshake() -> Vec<(u64, Vec<u8>)> {
    vec![
        (0, frame(UP, 1000, 0, SYN, &[])),
        (MS, frame(DOWN, 5000, 1001, SYN_ACK, &[])),
        (2 * MS, frame(UP, 1001, 5001, ACK, &[])),
    ]
}

/// A whole connection with one request; both sides sent FIN at 10 ms.
fn connection() -> Vec<(u64, Vec<u8>)> {
    let mut frames = handshake();
    frames.extend([
        (3 * MS, frame(UP, 1001, 5001, PSH_ACK, REQUEST)),
        (4 * MS, frame(DOWN, 5001, ASKED, PSH_ACK, RESPONSE)),
        (9 * MS, frame(UP, ASKED, ANSWERED, FIN_ACK, &[])),
        (10 * MS, frame(DOWN, ANSWERED, ASKED + 1, FIN_ACK, &[])),
    ]);
    frames
}

fn statuses(facts: &Facts) -> Vec<(bool, bool)> {
    facts.exchanges.iter().map(|e| (e.request.is_some(), e.response.is_some())).collect()
}

#[test]
fn a_fin_that_is_repeated_for_minutes_stays_in_its_flow() {
    let mut frames = connection();
    for (n, s) in [1, 3, 7, 15, 31, 63, 127, 247].into_iter().enumerate() {
        frames.push((s * S, frame(DOWN, ANSWERED, ASKED + 1, FIN_ACK, &[])));
        assert_eq!(frames.len(), 8 + n);
    }
    let facts = analyse(&frames);
    assert_eq!((facts.closed.len(), facts.strays), (1, 0));
    assert_eq!(facts.closed[0].directions.to_client.fin, 9);
    assert_eq!(facts.closed[0].close_reason, Some(CloseReason::Fin));
}

#[test]
fn what_comes_after_the_record_opens_no_flow() {
    let mut frames = connection();
    frames.push((11 * MS, frame(UP, ASKED + 1, ANSWERED + 1, ACK, &[])));
    let late = [
        frame(DOWN, ANSWERED, ASKED + 1, FIN_ACK, &[]),
        frame(DOWN, ANSWERED + 1, 0, RST, &[]),
        frame(UP, ASKED + 1, ANSWERED + 1, ACK, &[]),
        frame(UP, 1001, 5001, PSH_ACK, REQUEST),
    ];
    frames.extend((20..).map(|s| s * S).zip(late));
    let facts = analyse(&frames);
    assert_eq!((facts.closed.len(), facts.strays), (1, 4));
    // What the connection cannot have sent opens a flow, and so does all of it long after.
    let mut frames = connection();
    frames.push((11 * MS, frame(UP, ASKED + 1, ANSWERED + 1, ACK, &[])));
    frames.push((20 * S, frame(UP, 9_000_000, 6_000_000, PSH_ACK, REQUEST)));
    let facts = analyse(&frames);
    assert_eq!((facts.closed.len(), facts.strays), (2, 0));
    let mut frames = connection();
    frames.push((11 * MS, frame(UP, ASKED + 1, ANSWERED + 1, ACK, &[])));
    frames.push((300 * S, frame(DOWN, ANSWERED, ASKED + 1, FIN_ACK, &[])));
    assert_eq!(analyse(&frames).closed.len(), 2);
}

#[test]
fn a_syn_opens_the_next_connection_at_once() {
    let mut frames = connection();
    frames.extend([
        (11 * MS, frame(UP, ASKED + 1, ANSWERED + 1, ACK, &[])),
        (30 * S, frame(UP, 1_000_000, 0, SYN, &[])),
        (30 * S + MS, frame(DOWN, 7_000_000, 1_000_001, SYN_ACK, &[])),
    ]);
    let facts = analyse(&frames);
    assert_eq!((facts.closed.len(), facts.strays), (2, 0));
}

/// A SYN proxy answers, and so does the server behind it; the client's ACK says which one counts.
#[test]
fn of_two_syn_acks_the_acknowledged_one_counts() {
    for other in [3_000_000_000, 4500, 900_000_000, 5400] {
        for first in [true, false] {
            let mut frames = vec![
                (0, frame(UP, 1000, 0, SYN, &[])),
                (MS, frame(DOWN, if first { 5000 } else { other }, 1001, SYN_ACK, &[])),
                (MS + US, frame(DOWN, if first { other } else { 5000 }, 1001, SYN_ACK, &[])),
            ];
            frames.extend(connection().split_off(2));
            frames.insert(6, (5 * MS, frame(DOWN, other, 1001, SYN_ACK, &[])));
            let facts = analyse(&frames);
            assert_eq!(statuses(&facts), [(true, true)], "{other} {first}");
            assert_eq!((facts.closed.len(), facts.gap_bytes), (1, 0));
            let sent = &facts.closed[0].directions.to_client;
            assert_eq!((sent.goodput_bytes, sent.missing_bytes), (RESPONSE.len() as u64, 0));
        }
    }
}

/// Of two SYNs, the second one opens a flow; the server may still answer the first one.
#[test]
fn of_two_syns_the_answered_one_counts() {
    for other in [3_000_000_000, 900, 900_000_000, 1010] {
        let mut frames = connection();
        frames.insert(1, (10 * US, frame(UP, other, 0, SYN, &[])));
        let facts = analyse(&frames);
        assert_eq!(statuses(&facts), [(true, true)], "{other}");
        let sent = &facts.closed[1].directions.to_server;
        assert_eq!((facts.closed.len(), sent.goodput_bytes), (2, REQUEST.len() as u64));
        assert_eq!(facts.gap_bytes, 0);
    }
}

/// A RST whose number is outside of the window is ignored, as its receiver does it.
#[test]
fn a_reset_with_a_wrong_number_ends_nothing() {
    for seq in [1_000_000_000, 900] {
        let mut frames = connection();
        frames.insert(4, (3 * MS + US, frame(UP, seq, 0, RST, &[])));
        let facts = analyse(&frames);
        assert_eq!(statuses(&facts), [(true, true)], "{seq}");
        assert_eq!((facts.closed.len(), facts.closed[0].state), (1, FlowState::Closed));
        assert!(facts.closed[0].notes.has(Notes::RESET_IGNORED));
        assert_eq!(facts.closed[0].directions.to_server.rst, 1);
    }
    let mut frames = connection();
    frames.insert(4, (3 * MS + US, frame(UP, ASKED, 0, RST, &[])));
    frames.truncate(5);
    assert_eq!(analyse(&frames).closed[0].state, FlowState::Reset);
}

#[test]
fn a_response_captured_before_its_request_is_told_with_it() {
    let mut frames = connection();
    frames[4].0 = 3 * MS - 50 * US;
    frames.swap(3, 4);
    let facts = analyse(&frames);
    assert_eq!(statuses(&facts), [(true, true)]);
    assert_eq!(facts.gap_bytes, 0);
    let exchange = &facts.exchanges[0];
    assert!(exchange.end() >= exchange.start());
    assert_eq!(facts.closed[0].directions.to_server.missing_bytes, 0);
}

/// The next request and its response stand before the request too.
#[test]
fn several_segments_wait_for_the_same_request() {
    let second = ANSWERED + RESPONSE.len() as u32;
    let mut frames = handshake();
    frames.extend([
        (3 * MS, frame(DOWN, 5001, ASKED, PSH_ACK, &RESPONSE[..20])),
        (3 * MS + US, frame(DOWN, 5021, ASKED, PSH_ACK, &RESPONSE[20..])),
        (3 * MS + 2 * US, frame(UP, ASKED, ANSWERED, PSH_ACK, REQUEST)),
        (3 * MS + 50 * US, frame(UP, 1001, 5001, PSH_ACK, REQUEST)),
        (4 * MS, frame(DOWN, ANSWERED, ASKED + REQUEST.len() as u32, PSH_ACK, RESPONSE)),
        (5 * MS, frame(UP, ASKED + REQUEST.len() as u32, second, ACK, &[])),
    ]);
    let facts = analyse(&frames);
    assert_eq!((statuses(&facts), facts.gap_bytes), (vec![(true, true); 2], 0));
}

/// A request that does not come is given up after a few milliseconds.
#[test]
fn a_response_to_a_request_that_was_not_captured_is_told_alone() {
    let mut frames = connection();
    frames.remove(3);
    let facts = analyse(&frames);
    assert_eq!(statuses(&facts), [(false, true)]);
    assert_eq!(facts.gap_bytes, REQUEST.len() as u64);
}
