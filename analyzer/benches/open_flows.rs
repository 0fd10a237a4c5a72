//! What a million connections that are open at the same time cost: resident memory a flow, all of
//! it, and time a packet.
//!
//! `cargo bench -p analyzer --bench open_flows [FLOWS]`. Memory is the growth of `VmRSS` (proc(5)),
//! so tables, indices, lists and what the allocator adds are in it. Each flow is an HTTP
//! connection, kept alive after one request and its response.

#![allow(missing_docs)]
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench that measures and tells"
)]

#[path = "../tests/packets/mod.rs"]
mod packets;

use std::time::Instant;

use analyzer::{Analyzer, Config, FlowLimits};
use fact::{Fact, Sink};
use packets::frame;
use wire::{LinkType, RawFrame, TapId, Timestamp};

struct Nowhere;

impl Sink for Nowhere {
    fn emit(&mut self, _: Fact<'_>) {}
}

const REQUEST: &[u8] = b"GET /item/42 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: bench\r\n\r\n";
const RESPONSE: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

/// A frame, and whether the client sends it.
type Sent = (bool, Vec<u8>);

/// The handshake of a connection, and its request with the response.
fn connection() -> ([Sent; 3], [Sent; 3]) {
    const UP: (u16, u16) = (40_000, 80);
    const DOWN: (u16, u16) = (80, 40_000);
    let asked = 2 + REQUEST.len() as u32;
    (
        [
            (true, frame(UP, 1, 0, 0x02, &[])),
            (false, frame(DOWN, 1, 2, 0x12, &[])),
            (true, frame(UP, 2, 2, 0x10, &[])),
        ],
        [
            (true, frame(UP, 2, 2, 0x18, REQUEST)),
            (false, frame(DOWN, 2, asked, 0x18, RESPONSE)),
            (true, frame(UP, asked, 2 + RESPONSE.len() as u32, 0x10, &[])),
        ],
    )
}

struct Feed {
    analyzer: Analyzer,
    packets: u64,
}

impl Feed {
    /// The frames for every flow, client by client; 10 µs from frame to frame and a tick a second.
    fn all(&mut self, flows: u32, frames: &mut [Sent]) {
        for client in 0..flows {
            for (up, bytes) in frames.iter_mut() {
                let address = if *up { 26..30 } else { 30..34 };
                bytes[address].copy_from_slice(&(0x0b00_0000 + client).to_be_bytes());
                self.packets += 1;
                let time = Timestamp::from_nanos(1_700_000_000_000_000_000 + self.packets * 10_000);
                let frame = RawFrame {
                    time,
                    tap: TapId(0),
                    link_type: LinkType::Ethernet,
                    wire_len: bytes.len() as u32,
                    vlan: None,
                    bytes,
                };
                self.analyzer.frame(self.packets, &frame, &mut Nowhere);
                if self.packets.is_multiple_of(100_000) {
                    self.analyzer.tick(time, &mut Nowhere);
                }
            }
        }
    }
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    kib.map_or(0, |kib: u64| kib * 1024)
}

fn main() {
    let flows: u32 =
        std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1_000_000);
    let limits = FlowLimits { max_flows: flows as usize, ..FlowLimits::default() };
    let (mut handshake, mut request) = connection();
    let before = resident_bytes();
    let mut feed =
        Feed { analyzer: Analyzer::new(Config { flows: limits, ..Config::default() }), packets: 0 };
    for (what, frames) in
        [("handshake", &mut handshake), ("one request and response", &mut request)]
    {
        let (start, packets) = (Instant::now(), feed.packets);
        feed.all(flows, frames);
        let nanos = start.elapsed().as_nanos() / u128::from((feed.packets - packets).max(1));
        let grown = resident_bytes().saturating_sub(before);
        let usage = feed.analyzer.usage();
        println!(
            "{} flows open after {what}: {} bytes a flow resident, {} counted; {nanos} ns a packet",
            usage.flows,
            grown / u64::from(flows.max(1)),
            (usage.flow_bytes + usage.table_bytes) as u64 / u64::from(flows.max(1)),
        );
    }
    let start = Instant::now();
    feed.analyzer.finish(&mut Nowhere);
    println!(
        "closing all of them: {} ns a flow",
        start.elapsed().as_nanos() / u128::from(flows.max(1))
    );
}
