//! Addresses, ports, sequence numbers, flags and payload of recorded segments.

use std::hint::black_box;
use std::path::Path;

use capture::{CaptureFile, FrameBlock};
use pnet_packet::Packet;
use pnet_packet::ethernet::{EtherTypes, EthernetPacket};
use pnet_packet::ip::IpNextHeaderProtocols;
use pnet_packet::ipv4::Ipv4Packet;
use pnet_packet::tcp::TcpPacket;
use wire::decode::{DecodeConfig, Decoder, Layer4};
use wire::{RawFrame, TapId};

use crate::{Amount, print_least};

/// TCP over IPv4 that the project recorded.
fn recorded() -> FrameBlock {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pcaps/http-clean/capture.pcap.gz");
    let mut file = CaptureFile::open(Path::new(path), Box::new(|_| TapId(0)))
        .expect("recorded by the project");
    let mut block = FrameBlock::default();
    while let Some(frame) = file.next_frame().expect("it is whole") {
        if by_pnet(&frame).is_some() {
            assert!(block.push(&frame));
        }
    }
    block
}

/// Sequence number plus length of the payload, so that all is read.
fn by_pnet(frame: &RawFrame<'_>) -> Option<u64> {
    let ethernet = EthernetPacket::new(frame.bytes)?;
    if ethernet.get_ethertype() != EtherTypes::Ipv4 {
        return None;
    }
    let ip = Ipv4Packet::new(ethernet.payload())?;
    if ip.get_next_level_protocol() != IpNextHeaderProtocols::Tcp {
        return None;
    }
    let tcp = TcpPacket::new(ip.payload())?;
    black_box((ip.get_source(), ip.get_destination(), tcp.get_source(), tcp.get_destination()));
    black_box((tcp.get_flags(), tcp.get_window(), tcp.get_acknowledgement()));
    for option in tcp.get_options_iter() {
        black_box(option.get_number());
    }
    Some(u64::from(tcp.get_sequence()) + tcp.payload().len() as u64)
}

fn by_wire(decoder: &mut Decoder, frame: &RawFrame<'_>) -> Option<u64> {
    let decoded = black_box(decoder.decode(frame).ok()?);
    let Layer4::Tcp(tcp) = decoded.layer4 else { return None };
    Some(u64::from(tcp.seq.0) + tcp.payload.len() as u64)
}

pub(crate) fn measure(amount: Amount) {
    let block = recorded();
    let mut decoder = Decoder::new(DecodeConfig::default());
    for frame in block.frames() {
        assert_eq!(by_wire(&mut decoder, &frame), by_pnet(&frame), "both read the same");
    }
    let packets = u64::from(amount.rounds) * block.len() as u64;
    print_least("decode a segment: wire", amount, packets, || {
        for _ in 0..amount.rounds {
            block.frames().for_each(|frame| {
                black_box(by_wire(&mut decoder, &frame));
            });
        }
    });
    print_least("decode a segment: pnet_packet", amount, packets, || {
        for _ in 0..amount.rounds {
            block.frames().for_each(|frame| {
                black_box(by_pnet(&frame));
            });
        }
    });
}
