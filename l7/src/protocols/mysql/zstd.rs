//! Zstandard with a bounded window.

use std::io::Read;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::broken::Broken;

/// Largest window that is worked with: what a frame wants to be remembered of its content.
const WINDOW: u64 = 2 << 20;
/// Longest head of a frame (RFC 8878 section 3.1.1.1), with its magic number.
const LONGEST_HEAD: usize = 18;

/// Decompresses one zstd frame, block by block: at most one block of 128 KiB is waited for, and at
/// most one comes out at once.
#[derive(Default)]
pub(super) struct Zstd {
    decoder: FrameDecoder,
    input: Vec<u8>,
    begun: bool,
}

impl Zstd {
    /// Adds compressed bytes.
    pub(super) fn add(&mut self, input: &[u8]) {
        self.input.extend_from_slice(input);
    }

    /// Writes what can be told to `piece`: so many bytes; none if more has to be added first.
    /// `all`: nothing more will be.
    pub(super) fn step(&mut self, all: bool, piece: &mut [u8]) -> Result<usize, Broken> {
        loop {
            let made = if self.begun { self.decoder.read(piece).map_err(|_| Broken)? } else { 0 };
            if made > 0 || self.begun && self.decoder.is_finished() {
                return Ok(made);
            }
            let mut source = self.input.as_slice();
            if !self.begun {
                if source.len() < LONGEST_HEAD && !all {
                    return Ok(0);
                }
                self.decoder.set_max_window_size(WINDOW);
                self.decoder.init(&mut source).map_err(|_| Broken)?;
                self.begun = true;
            } else {
                let Some(&[a, b, c]) = source.first_chunk() else {
                    return if all { Err(Broken) } else { Ok(0) };
                };
                let head = u32::from_le_bytes([a, b, c, 0]);
                let (last, repeated) = (head & 1 == 1, head >> 1 & 3 == 1);
                let size = if repeated { 1 } else { head as usize >> 3 };
                if source.len() < 3 + size || last && !all {
                    return if all { Err(Broken) } else { Ok(0) };
                }
                let decoded = self.decoder.decode_blocks(&mut source, BlockDecodingStrategy::UptoBlocks(1));
                decoded.map_err(|_| Broken)?;
            }
            let used = self.input.len() - source.len();
            self.input.drain(..used);
        }
    }

    /// Memory behind it, in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        let content = usize::try_from(self.decoder.content_size().min(WINDOW)).unwrap_or(0);
        size_of::<Self>() + self.input.capacity() + 256 * 1024 + content
    }
}
