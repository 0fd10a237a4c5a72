//! Integers and strings of packets (MySQL source documentation, "Basic Data Types"); little-endian.

use memchr::memchr;

/// Payload length of a packet that is continued by the next.
pub(super) const FULL: usize = 0x00ff_ffff;

/// Payload length and sequence number of a packet.
pub(super) fn packet(head: &[u8; 4]) -> (usize, u8) {
    (u24(&[head[0], head[1], head[2]]), head[3])
}

pub(super) fn u24(bytes: &[u8; 3]) -> usize {
    usize::from(bytes[0]) | usize::from(bytes[1]) << 8 | usize::from(bytes[2]) << 16
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_le_bytes(*b))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

/// A length-encoded integer, and what follows it.
pub(super) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let width = match first {
        0..=0xfa => return Some((u64::from(*first), rest)),
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(width)?;
    Some((value.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)), rest))
}

/// A length-encoded string, and what follows it.
pub(super) fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = number(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// A null-terminated string, and what follows it.
pub(super) fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(memchr(0, bytes)?)?;
    Some((text, rest.get(1..)?))
}
