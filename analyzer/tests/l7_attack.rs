//! Conversations that are made to hurt, in every protocol: pipelines of requests that nobody
//! answers, answers in any order, heads that come byte by byte, garbage behind a good beginning,
//! holes everywhere. What they cost in memory is bounded and told truly, and no byte costs more
//! than a bounded amount of work, however many came before it.
//!
//! One allocator counts for all: the tests are one after the other in one thread.

#![allow(unsafe_code)]
#![allow(clippy::print_stderr, reason = "figures for those who ask with --nocapture")]

mod heap;
mod packets;
mod speech;

use std::time::Duration;

use analyzer::{Analyzer, Config};
use fact::Table;
use fact::{Fact, Sink};
use packets::{Ends, datagram, frame};
use rustix::time::{ClockId, clock_gettime};
use speech::tricks::{TRICKS, Trick};
use speech::{SPEECHES, Speech};
use wire::{LinkType, RawFrame, TapId, Timestamp};

#[derive(Default)]
struct Counts {
    exchanges: u64,
    evicted: [u64; Table::ALL.len()],
}

impl Sink for Counts {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::Exchange(_) => self.exchanges += 1,
            Fact::Evicted { table, entries } => self.evicted[table as usize] += entries,
            _ => {}
        }
    }
}

const CLIENT: u16 = 60_999;
const TO_SERVER: bool = true;
const TO_CLIENT: bool = false;

/// Time that this thread worked: others who use the machine do not count.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// One connection, and what it cost so far.
struct Attack {
    analyzer: Analyzer,
    counts: Counts,
    port: u16,
    seqs: [u32; 2],
    number: u64,
    nanos: u64,
    /// Bytes that the analyzer allocated and did not free.
    held: usize,
    spent: Duration,
    packets: u32,
    bytes: usize,
    /// Most bytes that it held between two packets, or for one.
    most: usize,
}

impl Attack {
    fn new(port: u16, said: &[&[u8]]) -> Self {
        let before = heap::in_use();
        let analyzer = Analyzer::new(Config::default());
        let mut attack = Self {
            analyzer,
            counts: Counts::default(),
            port,
            seqs: [5001, 1001],
            number: 0,
            nanos: 1_700_000_000_000_000_000,
            held: 0,
            spent: Duration::ZERO,
            packets: 0,
            bytes: 0,
            most: 0,
        };
        attack.held = heap::in_use() - before;
        let handshake = Ends::new(CLIENT, port).handshake();
        attack.work(|attack| handshake.iter().for_each(|frame| attack.take(frame)));
        for (turn, bytes) in said.iter().enumerate() {
            attack.say(turn % 2 == 0, bytes);
        }
        attack.begin();
        attack
    }

    /// A connection on which one request was answered.
    fn on(speech: &Speech) -> Self {
        let mut attack = Self::new(speech.port, speech.before);
        attack.say(TO_SERVER, &(speech.ask)(0));
        attack.say(TO_CLIENT, &(speech.answer)(0));
        attack.begin();
        attack
    }

    fn take(&mut self, bytes: &[u8]) {
        self.number += 1;
        self.nanos += 1_000;
        let frame = RawFrame {
            time: Timestamp::from_nanos(self.nanos),
            tap: TapId(0),
            link_type: LinkType::Ethernet,
            wire_len: bytes.len() as u32,
            vlan: None,
            bytes,
        };
        self.analyzer.frame(self.number, &frame, &mut self.counts);
    }

    fn made(&mut self, to_server: bool, flags: u8, payload: &[u8]) -> Vec<u8> {
        let ports = if to_server { (CLIENT, self.port) } else { (self.port, CLIENT) };
        let (seq, ack) = (self.seqs[usize::from(to_server)], self.seqs[usize::from(!to_server)]);
        self.seqs[usize::from(to_server)] = seq.wrapping_add(payload.len() as u32);
        frame(ports, seq, ack, flags, payload)
    }

    /// Lets the analyzer work, and counts what that costs.
    fn work(&mut self, work: impl FnOnce(&mut Self)) {
        let before = heap::in_use();
        heap::take_most();
        let start = worked();
        work(self);
        self.spent += worked() - start;
        self.most = self.most.max(self.held + heap::take_most() - before);
        self.held = self.held + heap::in_use() - before;
    }

    /// Says it in segments of `size` bytes.
    fn say_in(&mut self, to_server: bool, bytes: &[u8], size: usize) {
        let frames: Vec<_> =
            bytes.chunks(size).map(|piece| self.made(to_server, 0x18, piece)).collect();
        self.work(|attack| frames.iter().for_each(|frame| attack.take(frame)));
        self.packets += frames.len() as u32;
        self.bytes += bytes.len();
    }

    fn say(&mut self, to_server: bool, bytes: &[u8]) {
        self.say_in(to_server, bytes, 1400);
    }

    /// `len` bytes of this side pass without being captured.
    fn lose(&mut self, to_server: bool, len: u32) {
        let seq = &mut self.seqs[usize::from(to_server)];
        *seq = seq.wrapping_add(len);
    }

    /// The other side has received it all, and nothing late can still come.
    fn give_up_hole(&mut self, to_server: bool) {
        let acknowledgement = self.made(!to_server, 0x10, &[]);
        self.work(|attack| {
            attack.take(&acknowledgement);
            attack.nanos += 6_000_000;
            attack.analyzer.tick(Timestamp::from_nanos(attack.nanos), &mut attack.counts);
        });
        self.packets += 1;
    }

    /// What comes from here on counts.
    fn begin(&mut self) {
        self.most = 0;
        (self.spent, self.packets, self.bytes) = (Duration::ZERO, 0, 0);
    }

    fn per_byte(&self) -> f64 {
        self.spent.as_nanos() as f64 / self.bytes.max(1) as f64
    }

    /// Bytes that it says it holds.
    fn told(&self) -> usize {
        let usage = self.analyzer.usage();
        usage.flow_bytes + usage.table_bytes + usage.reassembly_bytes + usage.fragment_bytes
    }

    /// What it cost is bounded, and what it holds is told.
    #[track_caller]
    fn ends_well(&self, what: &str, name: &str) {
        let (told, held) = (self.told(), self.held);
        eprintln!(
            "{name:12} {what:26} {:8.1} ns/byte {:8.2} us/packet {:7} exchanges, KB: {:6} told {:6} held {:6} at most",
            self.per_byte(),
            self.spent.as_nanos() as f64 / 1000.0 / f64::from(self.packets.max(1)),
            self.counts.exchanges,
            told / 1000,
            held / 1000,
            self.most / 1000,
        );
        assert!(
            told.abs_diff(held) < held / 20 + SLACK,
            "{name}, {what}: {told} bytes told, {held} held"
        );
        assert!(self.most < MOST_HELD, "{name}, {what}: {} bytes held", self.most);
        let most = PER_PACKET * self.packets + PER_BYTE * self.bytes as u32;
        let good = self.spent < most || self.spent < most * slowness();
        assert!(good, "{name}, {what}: {:?} for {} bytes", self.spent, self.bytes);
    }
}

/// How many times slower this machine is just now than the one that the bounds are for: no cause to
/// find an attack where there is none.
fn slowness() -> u32 {
    /// What these steps took there.
    const STEPS: Duration = Duration::from_millis(40);
    let start = worked();
    let mut number = 1u64;
    for step in 0..20_000_000u64 {
        number =
            std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step));
    }
    let took = worked() - start;
    eprintln!("{number:x}: {took:?} instead of {STEPS:?}");
    (took.as_nanos().div_ceil(STEPS.as_nanos()) as u32).max(1)
}

/// No packet costs more on average, and no byte of it, on a slow machine without optimisation
/// either.
const PER_PACKET: Duration = Duration::from_micros(60);
const PER_BYTE: Duration = Duration::from_micros(1);
/// One conversation holds less: requests that wait (16 MiB), the heads of two messages, what its
/// parser knows.
const MOST_HELD: usize = 24 << 20;
/// What is not told: tables that are made once for all connections.
const SLACK: usize = 128 << 10;

fn pipeline(speech: &Speech, count: u32) {
    let mut attack = Attack::on(speech);
    attack.say(TO_SERVER, &many(speech.ask, 1..=count));
    attack.ends_well(&format!("pipeline of {count}"), speech.name);
}

fn many(message: fn(u32) -> Vec<u8>, numbers: impl Iterator<Item = u32>) -> Vec<u8> {
    numbers.flat_map(message).collect()
}

fn answered_late(speech: &Speech, count: u32) {
    let mut attack = Attack::on(speech);
    attack.say(TO_SERVER, &many(speech.ask, 1..=count));
    attack.begin();
    attack.say(TO_CLIENT, &many(speech.answer, (1..=count).rev()));
    attack.ends_well(&format!("{count} answers, last first"), speech.name);
}

fn byte_by_byte(speech: &Speech) {
    let mut attack = Attack::on(speech);
    let head = (speech.head)();
    let costs: Vec<Duration> = head
        .chunks(head.len() / 8)
        .map(|part| {
            let before = attack.spent;
            attack.say_in(TO_SERVER, part, 1);
            attack.spent - before
        })
        .collect();
    attack.ends_well("head byte by byte", speech.name);
    // What came before is not looked at again for each byte.
    let (first, last) = (costs[0], costs[costs.len() - 1]);
    assert!(last < first * 6 + Duration::from_millis(20), "{}: {costs:?}", speech.name);
}

/// Bytes that look like nothing, or nearly like something.
fn garbage(speech: &Speech, kind: u32) -> Vec<u8> {
    const LEN: usize = 64 * 1024;
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    let ask = (speech.ask)(7);
    match kind {
        0 => vec![0; LEN],
        1 => (0..LEN).map(|_| random()).collect(),
        2 => vec![b'\n'; LEN],
        _ => ask[..(kind as usize).min(ask.len() - 1)].iter().cycle().copied().take(LEN).collect(),
    }
}

fn noise(speech: &Speech, size: usize, what: &str) {
    let noisy = |kind: u32| {
        let mut attack = Attack::on(speech);
        attack.say(TO_SERVER, &many(speech.ask, 1..=2000));
        for side in [TO_CLIENT, TO_SERVER] {
            attack.lose(side, 100);
            attack.say(side, b"x");
            attack.give_up_hole(side);
        }
        attack.begin();
        let bytes = garbage(speech, kind);
        let bytes = if size == 1 { &bytes[..8192] } else { &bytes[..] };
        for side in [TO_CLIENT, TO_SERVER] {
            attack.say_in(side, bytes, size);
        }
        attack
    };
    let kinds = [0, 1, 2, 4, 5, 8, 9, 12, 16];
    let cost = |kind: &u32| (noisy(*kind).per_byte() * 1000.0) as u64;
    let worst = kinds.into_iter().max_by_key(cost).unwrap_or_default();
    noisy(worst).ends_well(&format!("{what} {worst}"), speech.name);
}

fn holes(speech: &Speech, count: u32) {
    let mut attack = Attack::on(speech);
    attack.say(TO_SERVER, &many(speech.ask, 1..=10_000));
    attack.begin();
    for n in 0..count {
        for side in [TO_CLIENT, TO_SERVER] {
            attack.lose(side, 100);
            let bytes = if side == TO_SERVER { (speech.ask)(n) } else { (speech.answer)(n) };
            attack.say(side, &bytes);
            attack.give_up_hole(side);
        }
    }
    attack.ends_well("holes", speech.name);
}

fn play(trick: &Trick) {
    let mut attack = Attack::new(trick.port, trick.before);
    if trick.after_hole {
        for side in [TO_CLIENT, TO_SERVER] {
            attack.lose(side, 100);
            attack.say(side, b"x");
            attack.give_up_hole(side);
        }
        attack.begin();
    }
    for (side, bytes) in [(TO_SERVER, trick.to_server), (TO_CLIENT, trick.to_client)] {
        attack.say_in(side, &bytes(), trick.size);
    }
    attack.ends_well("", trick.name);
}

/// A datagram of packets that each want keys of another version.
fn versions() -> Vec<u8> {
    let initial = |version: u32| {
        let first: u8 = if version == 1 { 0xc0 } else { 0xd0 };
        [&[first], &version.to_be_bytes()[..], b"\x08abcdefgh\0\0\x14", &[7; 20]].concat()
    };
    [initial(1), initial(0x6b33_43cf)].concat().repeat(17)
}

fn datagrams() {
    let mut attack = Attack::new(443, &[]);
    let payload = versions();
    let first = include_bytes!("../benches/data/quic_initial.bin");
    let mut frames = vec![datagram((CLIENT, 443), first)];
    frames.extend(vec![datagram((CLIENT, 443), &payload); 400]);
    attack.work(|attack| frames.iter().for_each(|frame| attack.take(frame)));
    (attack.packets, attack.bytes) = (400, 400 * payload.len());
    attack.ends_well("versions", "quic");
}

#[test]
fn attacks_cost_what_is_bounded_and_told() {
    let wanted = std::env::var("SPEECH").unwrap_or_default();
    let speeches = || SPEECHES.iter().filter(|speech| speech.name.contains(&wanted));
    datagrams();
    TRICKS.iter().filter(|trick| trick.name.contains(&wanted)).for_each(play);
    for speech in speeches() {
        pipeline(speech, 2_500);
        pipeline(speech, 20_000);
        answered_late(speech, 1_000);
        answered_late(speech, 20_000);
        byte_by_byte(speech);
        noise(speech, 1400, "garbage");
        noise(speech, 32_000, "jumbos of garbage");
        noise(speech, 1, "bytes of garbage");
        holes(speech, 500);
    }
}
