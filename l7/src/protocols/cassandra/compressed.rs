//! The beginnings of compressed bodies.

use crate::kit::reader::Reader;

/// How the bodies of a connection are compressed, by its STARTUP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Compression {
    #[default]
    None,
    Lz4,
    Snappy,
}

impl Compression {
    /// Unpacks a body into at most `most` bytes, as far as it is there and well-formed.
    pub(super) fn unpack(self, body: &[u8], most: usize, into: &mut Vec<u8>) {
        into.clear();
        let _ = match self {
            Self::None => None,
            // Before version 5 the block follows its unpacked length.
            Self::Lz4 => body.get(4..).and_then(|block| lz4(block, most, into)),
            Self::Snappy => snappy(body, most, into),
        };
        into.truncate(most);
    }
}

/// A block of LZ4 ("LZ4 Block Format Description").
pub(super) fn lz4(block: &[u8], most: usize, into: &mut Vec<u8>) -> Option<()> {
    let mut r = Reader::new(block);
    while into.len() < most {
        let token = r.u8()?;
        let literals = lz4_length(usize::from(token >> 4), &mut r)?;
        let there = literals.min(r.len()).min(most);
        into.extend_from_slice(r.take(there)?);
        if there < literals {
            return None;
        }
        let distance = usize::from(u16::from_le_bytes([r.u8()?, r.u8()?]));
        let length = lz4_length(usize::from(token & 15), &mut r)? + 4;
        copy_back(distance, length, most, into)?;
    }
    Some(())
}

fn lz4_length(mut length: usize, r: &mut Reader<'_>) -> Option<usize> {
    if length == 15 {
        loop {
            let more = r.u8()?;
            length = length.checked_add(usize::from(more))?;
            if more < 255 {
                break;
            }
        }
    }
    Some(length)
}

/// Snappy ("Snappy compressed format description").
fn snappy(body: &[u8], most: usize, into: &mut Vec<u8>) -> Option<()> {
    let mut r = Reader::new(body);
    for _ in 0..5 {
        if r.u8()? & 0x80 == 0 {
            break;
        }
    }
    while into.len() < most {
        let tag = r.u8()?;
        let high = usize::from(tag >> 2);
        if tag & 3 == 0 {
            let length = match high {
                0..60 => high,
                _ => little_endian(&mut r, high - 59)?,
            };
            let there = length.saturating_add(1).min(r.len()).min(most);
            into.extend_from_slice(r.take(there)?);
            if there <= length {
                return None;
            }
            continue;
        }
        let (distance, length) = match tag & 3 {
            1 => (usize::from(tag >> 5) << 8 | usize::from(r.u8()?), (high & 7) + 4),
            2 => (little_endian(&mut r, 2)?, high + 1),
            _ => (little_endian(&mut r, 4)?, high + 1),
        };
        copy_back(distance, length, most, into)?;
    }
    Some(())
}

fn little_endian(r: &mut Reader<'_>, bytes: usize) -> Option<usize> {
    Some(r.take(bytes)?.iter().rev().fold(0, |n, byte| n << 8 | usize::from(*byte)))
}

/// Appends `length` bytes that begin `distance` before the end.
fn copy_back(distance: usize, length: usize, most: usize, into: &mut Vec<u8>) -> Option<()> {
    let from = into.len().checked_sub(distance).filter(|_| distance > 0)?;
    for n in from..from + length.min(most.saturating_sub(into.len())) {
        into.push(*into.get(n)?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back_as_far_as_they_are_there() {
        // 5 literals, 9 bytes from 5 before; then 2 literals.
        let block = [0x55, b'h', b'e', b'l', b'l', b'o', 5, 0, 0x20, b'!', b'?'];
        let mut out = Vec::new();
        let _ = lz4(&block, 100, &mut out);
        assert_eq!(out, b"hellohellohell!?");
        out.clear();
        let _ = lz4(&block[..4], 100, &mut out);
        assert_eq!(out, b"hel");
        Compression::Lz4.unpack(&[&[0, 0, 0, 16], &block[..]].concat(), 7, &mut out);
        assert_eq!(out, b"hellohe");
        let _ = lz4(&[0x05, 9, 0], 100, &mut out);
        let packed =
            [16, 4 << 2, b'h', b'e', b'l', b'l', b'o', 0b0001_0101, 5, 2 << 2, b'!', b'?', b'.'];
        Compression::Snappy.unpack(&packed, 100, &mut out);
        assert_eq!(out, b"hellohellohell!?.");
    }
}
