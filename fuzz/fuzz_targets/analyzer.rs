//! TCP and UDP of a few connections through an analyzer with small limits: its facts must be
//! consistent.
#![no_main]

use std::collections::HashSet;
use std::time::Duration;

use analyzer::{Analyzer, Config, FlowLimits, ReassemblyLimits};
use fact::{Fact, Sink, TcpCounter};
use libfuzzer_sys::fuzz_target;
use wire::{LinkType, RawFrame, TapId, Timestamp};

#[derive(Default)]
struct Checker {
    open: HashSet<u64>,
    packets: u64,
}

impl Sink for Checker {
    fn emit(&mut self, fact: Fact<'_>) {
        match fact {
            Fact::FlowOpened(flow) => assert!(self.open.insert(flow.id.0), "opened twice"),
            Fact::FlowProgress(record) => {
                assert!(self.open.contains(&record.id.0), "progress of a flow that is not open");
            }
            Fact::FlowClosed(record) => {
                assert!(self.open.remove(&record.id.0), "closed twice, or never opened");
                assert!(record.start <= record.end);
                for d in [&record.directions.to_server, &record.directions.to_client] {
                    assert!(d.data_packets <= d.packets && d.payload_bytes <= d.ip_bytes);
                    let kinds =
                        [TcpCounter::FastRetransmission, TcpCounter::SpuriousRetransmission];
                    let of_kinds: u32 = kinds.into_iter().map(|kind| d.tcp[kind]).sum();
                    assert!(d.tcp[TcpCounter::Retransmission] >= of_kinds);
                    self.packets += d.packets;
                }
            }
            _ => {}
        }
    }
}

/// IPv4 and TCP or UDP: a byte chooses ports and direction, then come 12 bytes of header fields.
fn packet(choice: u8, fields: &[u8; 12], payload: &[u8]) -> Vec<u8> {
    let tcp = choice & 0x80 == 0;
    let (mut ends, header) = ([[10, 0, 0, 1], [10, 0, 0, 2]], if tcp { 20 } else { 8 });
    let mut ports =
        [40_000 + u16::from(choice & 3), [80, 53, 9, 6379][usize::from(choice >> 2 & 3)]];
    if choice & 0x10 != 0 {
        ends.reverse();
        ports.reverse();
    }
    let total = (20 + header + payload.len()) as u16;
    let mut bytes =
        vec![0x45, (choice & 0x60) >> 5, 0, 0, 0, 0, 0, 0, 64, if tcp { 6 } else { 17 }, 0, 0];
    bytes[2..4].copy_from_slice(&total.to_be_bytes());
    bytes.extend(ends.concat());
    ports.iter().for_each(|port| bytes.extend(port.to_be_bytes()));
    if tcp {
        bytes.extend(&fields[..8]);
        bytes.extend([0x50, fields[8], fields[9], fields[10], 0, 0, 0, 0]);
    } else {
        bytes.extend((8 + payload.len() as u16).to_be_bytes());
        bytes.extend([0, 0]);
    }
    bytes.extend(payload);
    bytes
}

fuzz_target!(|input: &[u8]| {
    const LIMIT: usize = 4096;
    let reassembly =
        ReassemblyLimits { stream_bytes: LIMIT / 2, total_bytes: LIMIT, ..Default::default() };
    let flows = FlowLimits {
        max_flows: 8,
        established_idle: Duration::from_secs(100),
        ..Default::default()
    };
    let mut analyzer = Analyzer::new(Config { reassembly, flows, ..Config::default() });
    let mut sink = Checker::default();
    let (mut number, mut now, mut rest) = (0, 1_000_000_000_u64, input);
    while let [choice, late, cut, len, tail @ ..] = rest {
        let Some((fields, tail)) = tail.split_first_chunk::<12>() else { break };
        let (payload, next) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = next;
        number += 1;
        now += u64::from(*late).pow(4);
        let bytes = packet(*choice, fields, payload);
        let captured = bytes.len() - usize::from(*cut).min(payload.len());
        // The last field moves the frame's own time back.
        let time = Timestamp::from_nanos(now - u64::from(fields[11]) * 1_000_000);
        let frame = RawFrame {
            time,
            tap: TapId(0),
            link_type: LinkType::RawIp,
            wire_len: bytes.len() as u32,
            vlan: None,
            bytes: &bytes[..captured],
        };
        analyzer.frame(number, &frame, &mut sink);
        if late & 1 != 0 {
            analyzer.tick(Timestamp::from_nanos(now), &mut sink);
        }
        let usage = analyzer.usage();
        assert!(usage.flows <= 8 && usage.flows == sink.open.len());
        assert!(usage.reassembly_bytes <= LIMIT + ReassemblyLimits::SEGMENT_OVERHEAD);
    }
    analyzer.finish(&mut sink);
    assert!(sink.open.is_empty());
    assert_eq!(sink.packets, number, "every packet belongs to one flow");
    assert_eq!(analyzer.usage().reassembly_bytes, 0);
});
