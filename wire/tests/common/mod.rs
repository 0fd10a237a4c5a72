//! Frames to take apart.
#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use etherparse::{PacketBuilder, TcpOptionElement};
use wire::{LinkType, RawFrame, TapId, Timestamp};

pub(crate) const CLIENT: [u8; 4] = [10, 0, 0, 1];
pub(crate) const SERVER: [u8; 4] = [10, 0, 0, 2];

pub(crate) fn frame(link_type: LinkType, bytes: &[u8]) -> RawFrame<'_> {
    RawFrame {
        time: Timestamp::from_nanos(1),
        tap: TapId(1),
        link_type,
        wire_len: bytes.len() as u32,
        vlan: None,
        bytes,
    }
}

/// IPv4 and TCP with timestamps, without a link layer.
pub(crate) fn tcp_v4(payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ipv4(CLIENT, SERVER, 64).tcp(40_000, 80, 1000, 501).ack(7).psh();
    let builder = builder
        .options(&[
            TcpOptionElement::Noop,
            TcpOptionElement::Noop,
            TcpOptionElement::Timestamp(5, 6),
        ])
        .unwrap();
    let mut bytes = Vec::new();
    builder.write(&mut bytes, payload).unwrap();
    bytes
}

pub(crate) fn udp_v4(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
        .udp(source, destination)
        .write(&mut bytes, payload)
        .unwrap();
    bytes
}

pub(crate) fn tcp_v6(payload: &[u8]) -> Vec<u8> {
    let mut source = [0; 16];
    source[0] = 0xfd;
    let mut bytes = Vec::new();
    PacketBuilder::ipv6(source, [0xfd; 16], 64)
        .tcp(40_000, 80, 1000, 501)
        .write(&mut bytes, payload)
        .unwrap();
    bytes
}

/// An IPv4 header in front of any payload.
pub(crate) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0, 0, 0, 0, 9, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    bytes[2..4].copy_from_slice(&((20 + payload.len()) as u16).to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// An IPv6 header in front of any payload.
pub(crate) fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0, 0, 0, next_header, 64];
    bytes[4..6].copy_from_slice(&(payload.len() as u16).to_be_bytes());
    bytes.extend([0xfd; 16]);
    bytes.extend([0xfe; 16]);
    bytes.extend_from_slice(payload);
    bytes
}

pub(crate) fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    bytes.extend(ether_type.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// `head` before `payload`.
pub(crate) fn join(head: &[u8], payload: &[u8]) -> Vec<u8> {
    [head, payload].concat()
}

/// IPv4 fragments of the payload of `packet`, each of `size` bytes.
pub(crate) fn fragments(packet: &[u8], size: usize) -> Vec<Vec<u8>> {
    let payload = &packet[20..];
    let count = payload.len().div_ceil(size);
    payload
        .chunks(size)
        .enumerate()
        .map(|(i, chunk)| {
            let mut bytes = packet[..20].to_vec();
            bytes[2..4].copy_from_slice(&((20 + chunk.len()) as u16).to_be_bytes());
            let more = if i + 1 < count { 0x2000 } else { 0 };
            bytes[6..8].copy_from_slice(&(more | (i * size / 8) as u16).to_be_bytes());
            bytes.extend_from_slice(chunk);
            bytes
        })
        .collect()
}
