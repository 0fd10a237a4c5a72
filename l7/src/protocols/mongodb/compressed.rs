//! Decompression of the beginning of messages (mongodb/specifications, "Wire Compression"). Never
//! more than [`OUTPUT`] bytes are made.

use flate2::{Decompress, FlushDecompress};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Bytes of a compressed message that are inspected.
pub(super) const INPUT: usize = 48 * 1024;
/// Most bytes that are decompressed.
const OUTPUT: usize = 64 * 1024;
/// Largest window of zstd that memory is allocated for.
const WINDOW: u64 = 1 << 20;

/// Ids of compressors.
mod compressor {
    pub(super) const NOOP: u8 = 0;
    pub(super) const SNAPPY: u8 = 1;
    pub(super) const ZLIB: u8 = 2;
    pub(super) const ZSTD: u8 = 3;
}

/// Decompresses the beginning of `input`. Returns false if nothing could be decompressed.
pub(super) fn decompress(compressor_id: u8, input: &[u8], into: &mut Vec<u8>) -> bool {
    into.clear();
    let _ = match compressor_id {
        compressor::NOOP => {
            into.extend_from_slice(input.get(..OUTPUT).unwrap_or(input));
            Some(())
        }
        compressor::SNAPPY => snappy(input, into),
        compressor::ZLIB => zlib(input, into),
        compressor::ZSTD => zstd(input, into),
        _ => None,
    };
    !into.is_empty()
}

fn zlib(input: &[u8], into: &mut Vec<u8>) -> Option<()> {
    into.reserve(OUTPUT.min(input.len().saturating_mul(8)).max(1024));
    Decompress::new(true).decompress_vec(input, into, FlushDecompress::None).ok()?;
    into.truncate(OUTPUT);
    Some(())
}

fn zstd(input: &[u8], into: &mut Vec<u8>) -> Option<()> {
    if window(input)? > WINDOW {
        return None;
    }
    let mut source = input;
    let mut decoder = FrameDecoder::new();
    decoder.init(&mut source).ok()?;
    let _ = decoder.decode_blocks(&mut source, BlockDecodingStrategy::UptoBytes(OUTPUT));
    into.resize(OUTPUT, 0);
    let length = std::io::Read::read(&mut decoder, into).unwrap_or(0);
    into.truncate(length);
    Some(())
}

/// Window size of a frame (RFC 8878 section 3.1.1.1).
fn window(frame: &[u8]) -> Option<u64> {
    let descriptor = *frame.get(4)?;
    let single = descriptor & 0x20 != 0;
    if !single {
        let byte = u64::from(*frame.get(5)?);
        let base = 1u64 << (10 + (byte >> 3));
        return Some(base + base / 8 * (byte & 7));
    }
    let dictionary = [0usize, 1, 2, 4][usize::from(descriptor & 3)];
    let size = [1usize, 2, 4, 8][usize::from(descriptor >> 6)];
    let field = frame.get(5 + dictionary..5 + dictionary + size)?;
    let value = field.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    Some(if size == 2 { value + 256 } else { value })
}

/// Decompresses literals and copies up to the bound, or to the end of the input (google/snappy,
/// "format_description").
fn snappy(input: &[u8], into: &mut Vec<u8>) -> Option<()> {
    let preamble = input.iter().take(5).position(|byte| byte & 0x80 == 0)?;
    let mut rest = input.get(preamble + 1..)?;
    while into.len() < OUTPUT {
        let (&tag, behind) = rest.split_first()?;
        let length = usize::from(tag >> 2);
        if tag & 3 == 0 {
            let extra = length.saturating_sub(59);
            let (length, behind) = match extra {
                0 => (length + 1, behind),
                _ => {
                    let (field, behind) = behind.split_at_checked(extra)?;
                    (little(field).checked_add(1)?, behind)
                }
            };
            let room = OUTPUT - into.len();
            into.extend_from_slice(behind.get(..length.min(room)).unwrap_or(behind));
            rest = behind.get(length..)?;
            continue;
        }
        let (length, offset, behind) = match tag & 3 {
            1 => {
                let (&low, behind) = behind.split_first()?;
                ((length & 7) + 4, usize::from(tag >> 5) << 8 | usize::from(low), behind)
            }
            kind => {
                let (field, behind) = behind.split_at_checked(if kind == 2 { 2 } else { 4 })?;
                (length + 1, little(field), behind)
            }
        };
        let from = into.len().checked_sub(offset).filter(|_| offset > 0)?;
        for at in from..from + length {
            let byte = *into.get(at)?;
            into.push(byte);
        }
        rest = behind;
    }
    Some(())
}

fn little(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(compressor: u8, hex: &str) -> (bool, String) {
        let input: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        let mut out = Vec::new();
        (decompress(compressor, &input, &mut out), String::from_utf8_lossy(&out).into_owned())
    }
    const C1: &str = "5078776972657370616e2073656573207768617420697320736169642c20616e64050a1420616761696e050f050a043a20663600";
    const C2: &str = "789c2bcf2c4a2d2e48cc53284e4d2d5628cf482c51c82c56284ecc4cd15148cc4b01b31412d31333f3c05c30cb4aa11ca72e0093b41cc2";
    const C3: &str = "28b52ffd2050ad01007402776972657370616e2073656573207768617420697320736169642c20616e6420616761696e3a20040059590412645eb96d7102";

    const TEXT: &str =
        "wirespan sees what is said, and said again and again: wirespan sees what is said";

    #[test]
    fn what_real_libraries_compressed_is_read() {
        for (compressor, input) in [(1, C1), (2, C2), (3, C3)] {
            assert_eq!(said(compressor, input), (true, TEXT.to_owned()), "{compressor}");
        }
        assert!(!said(4, C1).0);
    }

    #[test]
    fn the_beginning_of_a_cut_message_is_read() {
        for (compressor, input) in [(1, C1), (2, C2)] {
            let (some, text) = said(compressor, &input[..input.len() / 4 * 2]);
            assert!(some && TEXT.starts_with(&text), "{compressor}: {text}");
        }
    }

    #[test]
    fn the_output_is_bounded() {
        let mut out = Vec::new();
        let mut bomb = vec![0xff, 0xff, 0xff, 0x0f, 0, b'a'];
        bomb.extend([0xfe, 1, 0].repeat(10_000));
        decompress(1, &bomb, &mut out);
        assert!((OUTPUT..OUTPUT + 64).contains(&out.len()), "{}", out.len());
        let huge_window = [0x28, 0xb5, 0x2f, 0xfd, 0, 0xf8, 1, 0, 0];
        assert!(!decompress(3, &huge_window, &mut out));
    }
}
