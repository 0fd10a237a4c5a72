//! Decompression of zstd frames (RFC 8878) block by block.

use std::io::Read;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::decompress_error::DecompressError;

/// Largest window that is accepted: the part of its content that a frame refers back to.
const WINDOW: u64 = 2 << 20;
/// Longest header of a frame (RFC 8878 section 3.1.1.1), with its magic number.
const LONGEST_HEAD: usize = 18;

/// Decompresses one zstd frame, block by block. At most one block of 128 KiB is waited for, and at
/// most one is decompressed at once.
#[derive(Default)]
pub(super) struct Zstd {
    decoder: FrameDecoder,
    input: Vec<u8>,
    started: bool,
}

impl Zstd {
    /// Adds compressed bytes.
    pub(super) fn add(&mut self, input: &[u8]) {
        self.input.extend_from_slice(input);
    }

    /// Writes decompressed bytes to `piece`. Returns how many, and 0 if more input is needed.
    /// `all`: no more input follows.
    pub(super) fn read(&mut self, all: bool, piece: &mut [u8]) -> Result<usize, DecompressError> {
        loop {
            let made = if self.started {
                self.decoder.read(piece).map_err(|_| DecompressError)?
            } else {
                0
            };
            if made > 0 || self.started && self.decoder.is_finished() {
                return Ok(made);
            }
            let mut source = self.input.as_slice();
            if !self.started {
                if source.len() < LONGEST_HEAD && !all {
                    return Ok(0);
                }
                self.decoder.set_max_window_size(WINDOW);
                self.decoder.init(&mut source).map_err(|_| DecompressError)?;
                self.started = true;
            } else {
                let Some(&[a, b, c]) = source.first_chunk() else {
                    return if all { Err(DecompressError) } else { Ok(0) };
                };
                let head = u32::from_le_bytes([a, b, c, 0]);
                let (last, repeated) = (head & 1 == 1, head >> 1 & 3 == 1);
                let size = if repeated { 1 } else { head as usize >> 3 };
                if source.len() < 3 + size || last && !all {
                    return if all { Err(DecompressError) } else { Ok(0) };
                }
                let decoded =
                    self.decoder.decode_blocks(&mut source, BlockDecodingStrategy::UptoBlocks(1));
                decoded.map_err(|_| DecompressError)?;
            }
            let used = self.input.len() - source.len();
            self.input.drain(..used);
        }
    }

    /// Memory behind it in bytes, roughly.
    pub(super) fn bytes(&self) -> usize {
        let content = usize::try_from(self.decoder.content_size().min(WINDOW)).unwrap_or(0);
        size_of::<Self>() + self.input.capacity() + 256 * 1024 + content
    }
}
