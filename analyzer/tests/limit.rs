//! At the limit of the flow table: those that were idle for longest go first, and each is counted.

mod packets;

use analyzer::{Analyzer, Config, FlowLimits};
use fact::{CloseReason, Table};
use fact::{Fact, Sink};
use packets::frame;
use wire::{LinkType, RawFrame, TapId, Timestamp};

const LIMIT: u32 = 10_000;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const FIN_ACK: u8 = 0x11;
const MS: u64 = 1_000_000;

/// Clients of the flows that were closed, in order, and what was counted.
#[derive(Default)]
struct Gone {
    clients: Vec<u32>,
    reasons: Vec<CloseReason>,
    evicted: u64,
}

impl Sink for Gone {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::FlowClosed(record) => {
                let std::net::IpAddr::V4(client) = record.client.address else { return };
                self.clients.push(u32::from(client) - FIRST);
                self.reasons.extend(record.close_reason);
            }
            Fact::Evicted { table: Table::Flows, entries } => self.evicted += entries,
            _ => {}
        }
    }
}

const FIRST: u32 = 0x0b00_0000;

struct Bench {
    analyzer: Analyzer,
    gone: Gone,
    number: u64,
}

impl Bench {
    fn new() -> Self {
        let flows = FlowLimits { max_flows: LIMIT as usize, ..FlowLimits::default() };
        Self {
            analyzer: Analyzer::new(Config { flows, ..Config::default() }),
            gone: Gone::default(),
            number: 0,
        }
    }

    /// A segment of `client` without data, 1 ms after the one before.
    fn hear(&mut self, client: u32, seq: u32, flags: u8) {
        let mut bytes = frame((40_000, 80), seq, 1, flags, &[]);
        bytes[26..30].copy_from_slice(&(FIRST + client).to_be_bytes());
        self.send(&bytes);
    }

    fn answer(&mut self, client: u32, ack: u32, flags: u8) {
        let mut bytes = frame((80, 40_000), 1, ack, flags, &[]);
        bytes[30..34].copy_from_slice(&(FIRST + client).to_be_bytes());
        self.send(&bytes);
    }

    fn send(&mut self, bytes: &[u8]) {
        self.number += 1;
        let frame = RawFrame {
            time: Timestamp::from_nanos(1_700_000_000_000_000_000 + self.number * MS),
            tap: TapId(0),
            link_type: LinkType::Ethernet,
            wire_len: bytes.len() as u32,
            vlan: None,
            bytes,
        };
        self.analyzer.frame(self.number, &frame, &mut self.gone);
    }
}

#[test]
fn the_table_stays_at_its_limit_and_the_oldest_go_in_order() {
    let mut bench = Bench::new();
    for client in 0..3 * LIMIT {
        bench.hear(client, 1, ACK);
        assert!(client % 997 != 0 || bench.analyzer.usage().flows <= LIMIT as usize);
    }
    assert_eq!(bench.gone.evicted, u64::from(2 * LIMIT));
    assert!(bench.gone.reasons.iter().all(|&reason| reason == CloseReason::Evicted));
    assert!(
        bench.gone.clients.iter().copied().eq(0..2 * LIMIT),
        "in the order of their last packets"
    );
    bench.analyzer.finish(&mut bench.gone);
    assert_eq!(bench.gone.clients.len(), 3 * LIMIT as usize, "every flow has one record");
    assert_eq!(bench.gone.evicted, u64::from(2 * LIMIT), "the end of the input evicts nothing");
}

#[test]
fn a_flow_that_speaks_stays() {
    let mut bench = Bench::new();
    for client in 0..LIMIT {
        bench.hear(client, 1, ACK);
    }
    // Every tenth is heard again, more than the grain of the order later.
    for _ in 0..2_000 {
        bench.hear(0, 1, ACK);
    }
    for client in (0..LIMIT).step_by(10) {
        bench.hear(client, 1, ACK);
    }
    let silent = LIMIT - LIMIT / 10;
    for client in 0..silent {
        bench.hear(LIMIT + client, 1, ACK);
    }
    assert_eq!(bench.gone.evicted, u64::from(silent));
    assert!(bench.gone.clients.iter().all(|client| client % 10 != 0), "only silent ones went");
    bench.hear(2 * LIMIT, 1, ACK);
    assert_eq!(bench.gone.clients.last(), Some(&0), "then the one that spoke first");
}

#[test]
fn what_is_closed_goes_before_what_is_open() {
    let mut bench = Bench::new();
    for client in 0..LIMIT {
        bench.hear(client, 1, SYN);
    }
    // The youngest but one is over.
    let over = LIMIT - 2;
    bench.answer(over, 2, 0x12);
    bench.hear(over, 2, FIN_ACK);
    bench.answer(over, 3, FIN_ACK);
    bench.hear(over, 3, ACK);
    bench.hear(LIMIT, 1, SYN);
    assert_eq!(bench.gone.clients, [over]);
    bench.hear(LIMIT + 1, 1, SYN);
    assert_eq!(bench.gone.clients, [over, 0], "then the oldest");
    assert_eq!(bench.gone.evicted, 2);
}
