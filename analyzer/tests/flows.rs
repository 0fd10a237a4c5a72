//! States, close reasons, table limits and time-outs of flows, from frames to records.

mod packets;

use std::time::Duration;

use analyzer::{Analyzer, Config, FlowLimits};
use fact::{ClientBy, CloseReason, FlowRecord, FlowState, Table, TcpCounter};
use fact::{Fact, Sink};
use packets::{Ends, frame};
use wire::{InputClock, LinkType, RawFrame, TapId, Timestamp};

const SYN: u8 = 0x02;
const RST_ACK: u8 = 0x14;
const ACK: u8 = 0x10;
const PSH_ACK: u8 = 0x18;
const MS: u64 = 1_000_000;
const IMS: i64 = 1_000_000;

#[derive(Default)]
struct Facts {
    opened: u32,
    progress: Vec<FlowRecord>,
    closed: Vec<FlowRecord>,
    evicted: u64,
    gap_bytes: u64,
}

impl Sink for Facts {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::FlowOpened(_) => self.opened += 1,
            Fact::FlowProgress(record) => self.progress.push(record.clone()),
            Fact::FlowClosed(record) => self.closed.push(record.clone()),
            Fact::Evicted { table: Table::Flows, entries } => self.evicted += entries,
            Fact::StreamGap { bytes, .. } => self.gap_bytes += bytes,
            _ => {}
        }
    }
}

struct Bench {
    analyzer: Analyzer,
    facts: Facts,
    number: u64,
}

const START: u64 = 1_700_000_000_000_000_000;

impl Bench {
    fn new(config: Config) -> Self {
        Self { analyzer: Analyzer::new(config), facts: Facts::default(), number: 0 }
    }

    fn at(&mut self, ns: u64, bytes: &[u8]) {
        self.number += 1;
        let frame = RawFrame {
            time: Timestamp::from_nanos(START + ns),
            tap: TapId(0),
            link_type: LinkType::Ethernet,
            wire_len: bytes.len() as u32,
            vlan: None,
            bytes,
        };
        self.analyzer.frame(self.number, &frame, &mut self.facts);
    }

    fn tick(&mut self, ns: u64) {
        self.analyzer.tick(Timestamp::from_nanos(START + ns), &mut self.facts);
    }

    fn finish(mut self) -> Facts {
        self.analyzer.finish(&mut self.facts);
        assert_eq!(self.analyzer.usage().flows, 0);
        self.facts
    }
}

/// Feeds frames a millisecond apart; the only record must have this state and reason.
fn ends(frames: &[Vec<u8>], state: FlowState, reason: CloseReason) -> FlowRecord {
    let mut bench = Bench::new(Config::default());
    for (i, bytes) in frames.iter().enumerate() {
        bench.at(i as u64 * MS, bytes);
    }
    let facts = bench.finish();
    assert_eq!(facts.closed.len(), 1);
    let record = facts.closed[0].clone();
    assert_eq!((record.state, record.close_reason), (state, Some(reason)));
    record
}

#[test]
fn a_connection_that_closes_well() {
    let mut e = Ends::new(40_000, 80);
    let mut frames = e.handshake().to_vec();
    frames.extend(e.burst(2, 100));
    frames.extend(e.close());
    let record = ends(&frames, FlowState::Closed, CloseReason::Fin);
    assert_eq!((record.client.port, record.client_by), (40_000, ClientBy::Syn));
    let handshake = record.handshake.unwrap();
    assert!(handshake.complete);
    assert_eq!((handshake.syn_to_syn_ack_ns, handshake.rtt_ns()), (Some(IMS), Some(2 * IMS)));
    let (up, down) = (&record.directions.to_server, &record.directions.to_client);
    assert_eq!((up.packets, up.data_packets, up.payload_bytes, up.goodput_bytes), (6, 2, 200, 200));
    assert_eq!((down.packets, down.ack_rtt.count, down.rtt.mean_ns), (4, 4, IMS));
}

#[test]
fn refused_reset_half_closed_and_open() {
    let mut e = Ends::new(40_000, 80);
    let [syn, syn_ack, ack] = e.handshake();
    let refusal = frame((80, 40_000), 0, 1001, RST_ACK, &[]);
    ends(&[syn.clone(), refusal], FlowState::HandshakeFailed, CloseReason::ServerRefused);
    let open = [syn.clone(), syn_ack.clone(), ack.clone()];
    ends(&open, FlowState::Open, CloseReason::InputEnd);
    let with = |last: Vec<u8>| [&open[..], &[last]].concat();
    let (up, down) = ((40_000, 80), (80, 40_000));
    ends(&with(frame(up, 1001, 5001, RST_ACK, &[])), FlowState::Reset, CloseReason::ClientReset);
    ends(&with(frame(down, 5001, 1001, RST_ACK, &[])), FlowState::Reset, CloseReason::ServerReset);
    ends(&with(frame(up, 1001, 5001, 0x11, &[])), FlowState::HalfClosed, CloseReason::InputEnd);
}

#[test]
fn handshakes_without_an_answer() {
    let mut e = Ends::new(40_000, 80);
    let [syn, syn_ack, _] = e.handshake();
    let again = [syn.clone(), syn.clone()];
    let record = ends(&again, FlowState::HandshakeFailed, CloseReason::SynUnanswered);
    let sent = &record.directions.to_server;
    assert_eq!((sent.syn, sent.tcp[TcpCounter::SynRetransmission]), (2, 1));
    let mut bench = Bench::new(Config::default());
    bench.at(0, &syn);
    bench.at(MS, &syn_ack);
    bench.tick(119_000 * MS);
    assert!(bench.facts.closed.is_empty());
    bench.tick(122_000 * MS);
    assert_eq!(bench.facts.closed[0].close_reason, Some(CloseReason::SynAckUnanswered));
}

#[test]
fn late_packets_belong_to_the_closed_flow_and_a_new_syn_does_not() {
    let mut bench = Bench::new(Config::default());
    let mut e = Ends::new(40_000, 80);
    let frames = e.handshake().into_iter().chain(e.close()).collect::<Vec<_>>();
    for bytes in &frames {
        bench.at(0, bytes);
    }
    bench.at(MS, &frames[5]);
    bench.at(2 * MS, &frame((40_000, 80), 77_777, 0, SYN, &[]));
    assert_eq!(bench.facts.opened, 2);
    assert_eq!(bench.facts.closed[0].directions.to_server.packets, 5);
    assert_eq!(bench.facts.closed[0].close_reason, Some(CloseReason::Fin));
    bench.at(3 * MS, &frame((40_000, 80), 99_999, 0, SYN, &[]));
    assert_eq!(bench.facts.closed[1].close_reason, Some(CloseReason::PortReused));
    bench.tick(4 * MS);
    let progress: Vec<u64> = bench.facts.progress.iter().map(|r| r.id.0).collect();
    assert_eq!(progress, [9]);
    bench.tick(5 * MS);
    assert_eq!(bench.facts.progress.len(), 1, "nothing changed");
}

#[test]
fn a_full_table_lets_the_oldest_go() {
    let flows = FlowLimits { max_flows: 2, ..FlowLimits::default() };
    let mut bench = Bench::new(Config { flows, ..Config::default() });
    for n in 0..3u16 {
        bench.at(u64::from(n) * 5_000 * MS, &frame((40_000 + n, 80), 1, 1, ACK, b"x"));
        bench.at(u64::from(n) * 5_000 * MS, &frame((40_000, 80), 2 + u32::from(n), 1, ACK, b"x"));
    }
    assert_eq!((bench.facts.evicted, bench.facts.closed.len()), (1, 1));
    let gone = &bench.facts.closed[0];
    assert_eq!((gone.client.port, gone.close_reason), (40_001, Some(CloseReason::Evicted)));
}

#[test]
fn time_that_goes_back_and_forth_breaks_nothing() {
    let mut bench = Bench::new(Config::default());
    let mut e = Ends::new(40_000, 80);
    for (i, bytes) in e.handshake().iter().chain(&e.burst(20, 10)).enumerate() {
        bench.at(if i % 3 == 0 { 0 } else { 50_000 * MS - i as u64 }, bytes);
        bench.tick((i as u64 % 4) * 1000 * MS);
    }
    let facts = bench.finish();
    assert_eq!(facts.closed.len(), 1);
    assert_eq!(facts.closed[0].directions.to_server.goodput_bytes, 200);
}

#[test]
fn times_of_a_clock_that_went_back_are_negative() {
    let mut bench = Bench::new(Config::default());
    let mut e = Ends::new(40_000, 80);
    for (bytes, ms) in e.handshake().iter().zip([50, 20, 60]) {
        bench.at(ms * MS, bytes);
    }
    let record = bench.finish().closed.remove(0);
    let handshake = record.handshake.unwrap();
    assert_eq!(
        (handshake.syn_to_syn_ack_ns, handshake.syn_ack_to_ack_ns),
        (Some(-30 * IMS), Some(40 * IMS))
    );
    assert_eq!(handshake.rtt_ns(), Some(10 * IMS));
    let down = &record.directions.to_client;
    assert_eq!((down.ack_rtt.count, down.ack_rtt.mean_ns, down.rtt.count), (1, -30 * IMS, 0));
}

/// The header claims 40 bytes where the IP packet has room for 20.
#[test]
fn a_segment_shorter_than_its_header_is_counted_and_not_believed() {
    let mut e = Ends::new(40_000, 80);
    let mut frames = e.handshake().to_vec();
    let mut short = frame((40_000, 80), 1_001, 5001, RST_ACK, &[]);
    short[14 + 20 + 12] = 0xa0;
    frames.push(short);
    frames.extend(e.burst(1, 100));
    let record = ends(&frames, FlowState::Open, CloseReason::InputEnd);
    assert_eq!(
        (record.directions.to_server.rst, record.directions.to_server.goodput_bytes),
        (1, 100)
    );
}

#[test]
fn lost_bytes_and_retransmissions_are_told_apart() {
    let mut bench = Bench::new(Config::default());
    let up = (40_000, 80);
    for (i, bytes) in Ends::new(40_000, 80).handshake().iter().enumerate() {
        bench.at(i as u64 * MS, bytes);
    }
    bench.at(10 * MS, &frame(up, 1001, 5001, PSH_ACK, &[1; 100]));
    bench.at(11 * MS, &frame(up, 1201, 5001, PSH_ACK, &[3; 100]));
    bench.at(500 * MS, &frame(up, 1001, 5001, PSH_ACK, &[1; 100]));
    bench.at(510 * MS, &frame((80, 40_000), 5001, 1301, ACK, &[]));
    bench.at(600 * MS, &frame((80, 40_000), 5001, 1301, PSH_ACK, &[9; 10]));
    let facts = bench.finish();
    assert_eq!(facts.gap_bytes, 100);
    let d = &facts.closed[0].directions;
    let (up, down) = (&d.to_server.tcp, &d.to_client.tcp);
    assert_eq!((up[TcpCounter::LostSegment], up[TcpCounter::Retransmission]), (1, 1));
    assert_eq!((up[TcpCounter::TimeoutRetransmission], down[TcpCounter::AckedLostSegment]), (1, 1));
    assert_eq!((d.to_server.missing_bytes, d.to_server.goodput_bytes), (100, 200));
    assert_eq!(
        (d.to_client.response_time.count, d.to_client.response_time.mean_ns),
        (1, 589 * IMS)
    );
}

#[test]
fn idle_flows_cost_little() {
    let mut bench = Bench::new(Config::default());
    for n in 0..1000u16 {
        let mut e = Ends::new(20_000 + n, 7);
        for bytes in e.handshake() {
            bench.at(0, &bytes);
        }
    }
    let usage = bench.analyzer.usage();
    let each = (usage.flow_bytes + usage.table_bytes) / 1000;
    eprintln!("{each} bytes for each idle flow");
    assert!(each <= 620, "{each} bytes");
}

#[test]
fn short_time_outs_are_kept() {
    let flows = FlowLimits { established_idle: Duration::from_secs(5), ..FlowLimits::default() };
    let mut bench = Bench::new(Config { flows, ..Config::default() });
    bench.at(0, &frame((40_000, 80), 1, 1, ACK, b"x"));
    bench.at(7_000 * MS, &frame((40_000, 80), 2, 1, ACK, b"x"));
    assert_eq!(bench.facts.closed[0].close_reason, Some(CloseReason::Idle));
    assert_eq!(bench.facts.closed[0].state, FlowState::TimedOut);
    assert_eq!(bench.facts.opened, 2);
}

/// One frame dated decades ahead belongs to its flow, and ends neither that nor another one.
#[test]
fn a_wild_time_stamp_ends_no_flow() {
    const DECADES: u64 = 1_000_000_000_000 * MS;
    let mut bench = Bench::new(Config::default());
    let mut clock = InputClock::default();
    let [mut wild, mut other] = [Ends::new(40_000, 80), Ends::new(40_001, 80)];
    let [syn, syn_ack, ack] = wild.handshake();
    let mut frames = vec![(0, syn), (DECADES, syn_ack), (2 * MS, ack)];
    frames.extend(other.handshake().into_iter().map(|bytes| (3 * MS, bytes)));
    frames.extend(wild.burst(2, 10).into_iter().map(|bytes| (2000 * MS, bytes)));
    frames.extend(other.burst(2, 10).into_iter().map(|bytes| (3000 * MS, bytes)));
    for (ns, bytes) in frames {
        if let Some(now) = clock.on_frame(Timestamp::from_nanos(START + ns)) {
            bench.tick(now.as_nanos() - START);
        }
        bench.at(ns, &bytes);
    }
    bench.tick(4000 * MS);
    assert!(bench.facts.closed.is_empty());
    bench.analyzer.finish(&mut bench.facts);
    let ends: Vec<_> = bench
        .facts
        .closed
        .iter()
        .map(|r| (r.end.as_nanos() - START, r.directions.to_client.packets))
        .collect();
    assert_eq!(ends, [(2000 * MS, 3), (3000 * MS, 3)]);
    assert!(bench.facts.closed.iter().all(|r| r.close_reason == Some(CloseReason::InputEnd)));
}
