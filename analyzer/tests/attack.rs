//! Traffic that is made to hurt: what it may cost in memory is bounded and told truly, what is
//! dropped is counted, no packet costs more than a bounded amount of work, and an honest connection
//! beside it is analysed as if it were alone.
//!
//! One allocator counts for all: the tests are one after the other in one thread.

#![allow(unsafe_code)]
#![allow(clippy::print_stderr, reason = "figures for those who ask with --nocapture")]

mod heap;
mod packets;

use std::time::{Duration, Instant};

use analyzer::{Analyzer, Config};
use fact::{Fact, Sink};
use fact::{Outcome, Table};
use packets::{Ends, frame};
use wire::{LinkType, RawFrame, TapId, Timestamp};

#[derive(Default)]
struct Counts {
    undecoded: u64,
    gap_bytes: u64,
    evicted: [u64; Table::ALL.len()],
    opened: u64,
    closed: u64,
    answered: u64,
}

impl Sink for Counts {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::Undecoded { .. } => self.undecoded += 1,
            Fact::StreamGap { bytes, .. } => self.gap_bytes += bytes,
            Fact::Evicted { table, entries } => self.evicted[table as usize] += entries,
            Fact::FlowOpened(_) => self.opened += 1,
            Fact::FlowClosed(_) => self.closed += 1,
            Fact::Exchange(exchange) => self.answered += u64::from(exchange.outcome == Outcome::Ok),
            _ => {}
        }
    }
}

struct Attack {
    analyzer: Analyzer,
    counts: Counts,
    number: u64,
    nanos: u64,
    before: usize,
    /// Most bytes that waited for holes.
    peak: usize,
}

impl Attack {
    fn new(config: Config) -> Self {
        let before = heap::in_use();
        let analyzer = Analyzer::new(config);
        Self {
            analyzer,
            counts: Counts::default(),
            number: 0,
            nanos: 1_700_000_000_000_000_000,
            before,
            peak: 0,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.number += 1;
        self.nanos += 1_000;
        let time = Timestamp::from_nanos(self.nanos);
        if self.number.is_multiple_of(10_000) {
            self.analyzer.tick(time, &mut self.counts);
            // Usage is a walk through all flows.
            if self.counts.opened < 1000 {
                self.peak = self.peak.max(self.analyzer.usage().reassembly_bytes);
            }
        }
        let frame = RawFrame {
            time,
            tap: TapId(0),
            link_type: LinkType::Ethernet,
            wire_len: bytes.len() as u32,
            vlan: None,
            bytes,
        };
        self.analyzer.frame(self.number, &frame, &mut self.counts);
    }

    fn take_all(&mut self, frames: impl IntoIterator<Item = Vec<u8>>) {
        for frame in frames {
            self.take(&frame);
        }
    }

    /// Bytes that the analyzer allocated and did not free.
    fn grown(&self) -> usize {
        heap::in_use().saturating_sub(self.before)
    }

    /// Bytes that it says it holds.
    fn told(&self) -> usize {
        let usage = self.analyzer.usage();
        usage.flow_bytes + usage.table_bytes + usage.reassembly_bytes + usage.fragment_bytes
    }

    /// What is told is what was really allocated, a quarter off at most.
    #[track_caller]
    fn tells_the_truth(&self, what: &str) {
        let (told, grown) = (self.told() as f64, self.grown() as f64);
        eprintln!("{what}: {told} bytes told, {grown} allocated, {:?}", self.analyzer.usage());
        let slack = 256e3;
        assert!(
            told < grown * 1.25 + slack && grown < told * 1.25 + slack,
            "{what}: {told} told, {grown} allocated"
        );
    }

    /// A request and its answer over a connection of its own; whether it was understood.
    fn honest(&mut self, client: u16) -> bool {
        let before = self.counts.answered;
        let mut ends = Ends::new(client, 80);
        self.take_all(ends.handshake());
        let (request, response) = (
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        );
        self.take(&frame((client, 80), 1001, 5001, 0x18, request));
        self.take(&frame((80, client), 5001, 1001 + request.len() as u32, 0x18, response));
        self.counts.answered == before + 1
    }

    fn finish(mut self) -> Counts {
        self.analyzer.finish(&mut self.counts);
        self.counts
    }
}

/// Time of `work` per step of `steps`.
#[expect(
    clippy::disallowed_methods,
    reason = "measures what the analyzer costs, which itself sees no clock"
)]
fn each(steps: usize, work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed() / steps as u32
}

/// No packet costs more on average, on a slow and busy machine either; what grows with what waits
/// soon does.
const MOST: Duration = Duration::from_micros(60);
const ATTACKER: u16 = 50_000;
const SERVER: u16 = 8080;

/// An attacker's segment, `offset` bytes behind its SYN.
fn segment(offset: u32, payload: &[u8]) -> Vec<u8> {
    frame((ATTACKER, SERVER), 1001_u32.wrapping_add(offset), 5001, 0x18, payload)
}

fn connected() -> Attack {
    let mut attack = Attack::new(Config::default());
    attack.take_all(Ends::new(ATTACKER, SERVER).handshake());
    attack
}

fn single_bytes_in_reverse_order() {
    const COUNT: u32 = 100_000;
    let mut attack = connected();
    let cost = each(COUNT as usize, || {
        for offset in (1..=COUNT).rev() {
            attack.take(&segment(offset, b"x"));
        }
    });
    eprintln!("reverse single bytes: {cost:?} each");
    assert!(cost < MOST, "{cost:?}");
    attack.tells_the_truth("reverse single bytes");
    let most = Config::default().reassembly.stream_bytes;
    assert!(attack.peak > most / 2 && attack.peak <= most, "{} bytes", attack.peak);
    // More than that cannot wait: the hole was given up, and the bytes before it are told as a gap.
    assert_eq!(attack.counts.evicted[Table::ReassemblyBytes as usize], 1);
    assert!(attack.honest(40_000));
    assert!(attack.grown() < 1 << 20, "what waited is gone: {}", attack.grown());
}

fn holes_that_never_fill() {
    let config = Config::default();
    let mut attack = Attack::new(config.clone());
    let payload = [7; 1400];
    // 100 connections, each with as much behind holes as one may have.
    for client in 0..100 {
        attack.take_all(Ends::new(ATTACKER + client, SERVER).handshake());
    }
    let cost = each(200_000, || {
        for i in 0..2000_u32 {
            for client in 0..100 {
                let seq = 1001_u32.wrapping_add(10 + i * 2800);
                attack.take(&frame((ATTACKER + client, SERVER), seq, 5001, 0x18, &payload));
            }
        }
    });
    eprintln!("holes: {cost:?} each");
    assert!(attack.analyzer.usage().reassembly_bytes <= config.reassembly.total_bytes);
    attack.tells_the_truth("holes");
    assert!(attack.honest(40_000));
    assert!(attack.counts.evicted[Table::ReassemblyBytes as usize] > 0);
    assert!(attack.counts.gap_bytes > 0);
    assert!(cost < MOST, "{cost:?}");
}

fn overlaps_with_other_content_and_repeats_across_segment_borders() {
    let mut attack = connected();
    let cost = each(200_000, || {
        for i in 0..50_000_u32 {
            let at = 1 + (i * 37) % 60_000;
            attack.take(&segment(at, &[1; 100]));
            attack.take(&segment(at + 50, &[2; 100]));
            attack.take(&segment(at.saturating_sub(30).max(1), &[3; 200]));
            attack.take(&segment(at + 7, &[4; 1]));
        }
    });
    eprintln!("overlaps: {cost:?} each");
    attack.tells_the_truth("overlaps");
    // Every byte waits once, in pieces of at least the smallest step between segments.
    assert!(
        attack.analyzer.usage().reassembly_bytes < 60_200 + 60_200 * 96,
        "{:?}",
        attack.analyzer.usage()
    );
    assert!(cost < MOST, "{cost:?}");
    assert!(attack.honest(40_000));
}

fn a_stream_that_wraps() {
    let mut attack = Attack::new(Config::default());
    // From 2 MB before the end of the sequence space to 2 MB behind its start, every second pair of
    // segments swapped.
    let start = 0_u32.wrapping_sub(2 << 20);
    attack.take(&frame((ATTACKER, SERVER), start.wrapping_sub(1), 0, 0x02, &[]));
    attack.take(&frame((SERVER, ATTACKER), 5000, start, 0x12, &[]));
    for i in (0..4096_u32).step_by(2) {
        for n in [i + 1, i] {
            attack.take(&frame(
                (ATTACKER, SERVER),
                start.wrapping_add(n * 1024),
                5001,
                0x18,
                &[9; 1024],
            ));
        }
    }
    assert_eq!((attack.analyzer.usage().reassembly_bytes, attack.counts.gap_bytes), (0, 0));
}

fn windows_full_of_data_that_nobody_acknowledges() {
    let mut attack = connected();
    let cost = each(100_000, || {
        for i in 0..50_000_u32 {
            attack.take(&segment(i * 10, &[5; 10]));
            // The receiver repeats an acknowledgement of nothing.
            attack.take(&frame((SERVER, ATTACKER), 5001, 1001, 0x10, &[]));
        }
    });
    eprintln!("window flood: {cost:?} each");
    attack.tells_the_truth("window flood");
    assert!(cost < MOST, "{cost:?}");
    assert!(attack.honest(40_000));
}

/// An Ethernet frame with a fragment of 8 bytes at `offset` (in units of 8) of the datagram `id`.
fn fragment(source: u32, id: u16, offset: u16, more: bool) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 28];
    bytes.extend(id.to_be_bytes());
    bytes.extend((offset | if more { 0x2000 } else { 0 }).to_be_bytes());
    bytes.extend([64, 17, 0, 0]);
    bytes.extend(source.to_be_bytes());
    bytes.extend([10, 9, 9, 9]);
    bytes.extend([0, 53, 0, 53, 0, 16, 0, 0]);
    bytes
}

fn tiny_fragments() {
    let mut attack = Attack::new(Config::default());
    let decode = Config::default().decode;
    let cost = each(300_000, || {
        for i in 0..300_000_u32 {
            attack.take(&fragment(i / 65_536, i as u16, if i % 2 == 0 { 8000 } else { 0 }, true));
        }
    });
    eprintln!("fragments: {cost:?} each");
    attack.tells_the_truth("fragments");
    assert!(attack.grown() < decode.max_fragment_bytes + (1 << 20), "{}", attack.grown());
    assert!(attack.counts.evicted[Table::Fragments as usize] > 290_000);
    assert_eq!(attack.counts.undecoded, 300_000);
    assert!(cost < MOST, "{cost:?}");
    assert!(attack.honest(40_000));
}

fn a_million_syns() {
    let config = Config::default();
    let mut attack = Attack::new(config.clone());
    let mut syn = frame((ATTACKER, SERVER), 1000, 0, 0x02, &[]);
    let cost = each(1_000_000, || {
        for i in 0..1_000_000_u32 {
            syn[26..30].copy_from_slice(&(0x0b00_0000 + i / 16).to_be_bytes());
            syn[34..36].copy_from_slice(&(40_000 + (i % 16) as u16).to_be_bytes());
            attack.take(&syn);
        }
    });
    eprintln!("SYN flood: {cost:?} each");
    attack.tells_the_truth("SYN flood");
    let flows = config.flows.max_flows;
    assert_eq!(attack.analyzer.usage().flows, flows);
    eprintln!("SYN flood: {} bytes a flow", attack.grown() / flows);
    assert!(attack.grown() / flows <= 600, "{} bytes a flow", attack.grown() / flows);
    assert!(attack.honest(40_000));
    // The honest connection took the place of one more.
    assert_eq!(attack.counts.evicted[Table::Flows as usize], 1_000_001 - flows as u64);
    let counts = attack.finish();
    assert_eq!((counts.opened, counts.closed), (1_000_001, 1_000_001));
    assert!(cost < MOST, "{cost:?}");
}

/// An Ethernet frame with an empty datagram over IPv6, from `source` to port 53 of ::1.
fn datagram_from(source: u128) -> Vec<u8> {
    let mut bytes =
        vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 17, 64];
    bytes.extend(source.to_be_bytes());
    bytes.extend(1_u128.to_be_bytes());
    bytes.extend([0x9c, 0x40, 0, 53, 0, 8, 0, 0]);
    bytes
}

/// Flows whose keys all have one hash where the hash is foldhash's with its fixed shared seed: it
/// multiplies by the first half of the address xor `FIXED_SEED`, which is zero. The same number of
/// flows with other addresses is the measure.
fn keys_made_to_collide() {
    const FIXED_SEED: u64 = 0xc0ac_29b7_c97c_50dd;
    const FLOWS: u32 = 20_000;
    let [other, colliding] = [0x2001_0db8_0000_0001, FIXED_SEED].map(|prefix: u64| {
        let mut attack = Attack::new(Config::default());
        let cost = each(FLOWS as usize * 2, || {
            for n in (0..FLOWS).chain(0..FLOWS) {
                attack.take(&datagram_from(u128::from(prefix) << 64 | u128::from(n)));
            }
        });
        assert_eq!(attack.analyzer.usage().flows, FLOWS as usize);
        assert!(attack.honest(40_000));
        cost
    });
    eprintln!("colliding keys: {colliding:?} each, other keys: {other:?}");
    assert!(colliding < other * 5, "{colliding:?}, other keys {other:?}");
}

#[test]
fn attacks_cost_what_is_bounded_and_told() {
    single_bytes_in_reverse_order();
    holes_that_never_fill();
    overlaps_with_other_content_and_repeats_across_segment_borders();
    a_stream_that_wraps();
    windows_full_of_data_that_nobody_acknowledges();
    tiny_fragments();
    a_million_syns();
    keys_made_to_collide();
}
