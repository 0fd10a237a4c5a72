//! Compressed packets (MySQL source documentation, "Compression"): their header, and bounded
//! decompression of one direction. The packets inside are read by `parser`.

use flate2::{Decompress, FlushDecompress, Status};

use super::decompress_error::DecompressError;
use super::values::u24;
use super::zstd::Zstd;
use crate::correlate::StartMark;

/// Bytes of a compressed packet's header: length, sequence number, length before compression (0:
/// not compressed).
pub(super) const COMPRESSED_HEADER: usize = 7;
/// Bytes that are decompressed at once.
const PIECE: usize = 8 * 1024;
/// Most bytes that may come out of one compressed byte; zlib's format allows no more than 1032.
/// Whole packets that are skipped do not count: they are not decompressed.
const RATIO: usize = 2048;

/// Header of a compressed packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CompressedHeader {
    pub(super) length: usize,
    pub(super) sequence: u8,
    plain: usize,
}

impl CompressedHeader {
    pub(super) fn read(bytes: &[u8; COMPRESSED_HEADER]) -> Self {
        let [a, b, c, sequence, plain @ ..] = *bytes;
        Self { length: u24(&[a, b, c]), sequence, plain: u24(&plain) }
    }

    /// Whether a compressed packet of a client may begin like this, if it is unknown whether
    /// packets are compressed.
    pub(super) fn is_likely(&self, body: &[u8], fits: impl Fn(u8, usize) -> bool) -> bool {
        if self.sequence != 0 || self.length == 0 {
            return false;
        }
        match (self.plain, body) {
            (0, [a, b, c, 0, code, ..]) => {
                let inner = u24(&[*a, *b, *c]);
                inner + 4 <= self.length && fits(*code, inner)
            }
            (0, _) => false,
            (_, body) => has_magic(body),
        }
    }

    /// Whether a compressed packet of a server may begin like this: with a packet in it whose
    /// sequence number `fits`.
    pub(super) fn may_be_response(&self, body: &[u8], fits: impl Fn(u8) -> bool) -> bool {
        match (self.plain, body) {
            _ if self.sequence == 0 || self.length == 0 => false,
            (0, [_, _, _, sequence, ..]) => fits(*sequence),
            (0, _) => false,
            (_, body) => has_magic(body),
        }
    }
}

/// Whether bytes begin with zlib's header or zstd's magic number.
fn has_magic(body: &[u8]) -> bool {
    matches!(body, [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..])
}

/// Most packets for each byte of a compressed one: equal rows compress to few bytes.
const PACKETS: usize = 64;
/// Most packets in a short one, in addition.
const PACKETS_BASE: usize = 1024;

/// How the packet that is being read is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Method {
    #[default]
    Stored,
    Zlib,
    Zstd,
    /// The rest of it is skipped.
    Skipped,
}

/// Decompresses the packets of one direction, and keeps what the parser could not use yet.
#[derive(Default)]
pub(super) struct Decompressor {
    method: Method,
    /// Compressed bytes of this packet that are still to come.
    pub(super) left: usize,
    /// Bytes that must still come out of it, by its header.
    plain_left: usize,
    /// Bytes that may come out of it, by `RATIO`.
    room: usize,
    /// Packets that may come out of it.
    pub(super) packets: usize,
    /// Where it begins, and the stream offset of its end.
    pub(super) start: Option<StartMark>,
    pub(super) end: u64,
    /// Decompressed bytes that are not used yet, how many are needed, and how many to skip.
    pub(super) pending: Vec<u8>,
    pub(super) wanted: usize,
    pub(super) skip: u64,
    zlib: Option<Decompress>,
    zstd: Option<Box<Zstd>>,
}

impl std::fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decompressor")
            .field("method", &self.method)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl Decompressor {
    /// A packet begins at `start`. `first` is the first byte behind its header.
    pub(super) fn begin(&mut self, head: CompressedHeader, first: u8, start: StartMark) {
        self.left = head.length;
        self.room = RATIO.saturating_mul(head.length) + PIECE;
        self.packets = PACKETS.saturating_mul(head.length) + PACKETS_BASE;
        self.end = start.offset + (COMPRESSED_HEADER + head.length) as u64;
        self.start = Some(start);
        (self.method, self.plain_left) = match (head.plain, first) {
            (0, _) => (Method::Stored, head.length),
            (plain, 0x28) => (Method::Zstd, plain),
            (plain, _) => (Method::Zlib, plain),
        };
        match (self.method, &mut self.zlib, &mut self.zstd) {
            (Method::Zlib, Some(zlib), _) => zlib.reset(true),
            (Method::Zlib, zlib, _) => *zlib = Some(Decompress::new(true)),
            (Method::Zstd, _, zstd) => *zstd = Some(Box::default()),
            _ => {}
        }
    }

    /// Decompresses more of the packet, and passes the result to `on_piece` piece by piece.
    /// `on_piece` gets `self` as well, since it stores there what it cannot use yet.
    pub(super) fn decompress<E: From<DecompressError>>(
        &mut self,
        mut input: &[u8],
        mut on_piece: impl FnMut(&mut Self, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.left = self.left.saturating_sub(input.len());
        if self.is_skipped() {
            return Ok(());
        }
        if self.method == Method::Stored {
            self.plain_left = self.plain_left.saturating_sub(input.len());
            return on_piece(self, input);
        }
        let mut piece = [0; PIECE];
        if let Some(zstd) = self.zstd.as_mut().filter(|_| self.method == Method::Zstd) {
            zstd.add(input);
        }
        loop {
            let (used, made) = match self.method {
                Method::Zstd => (
                    0,
                    self.zstd.as_mut().ok_or(DecompressError)?.read(self.left == 0, &mut piece)?,
                ),
                _ => self.inflate(input, &mut piece).ok_or(DecompressError)?,
            };
            input = input.get(used..).unwrap_or_default();
            self.plain_left = self.plain_left.checked_sub(made).ok_or(DecompressError)?;
            self.room = self.room.checked_sub(made).ok_or(DecompressError)?;
            if made > 0 {
                on_piece(self, piece.get(..made).unwrap_or_default())?;
                if self.is_skipped() {
                    return Ok(());
                }
            }
            if made == 0 && used == 0 {
                break;
            }
        }
        let unread = self.method == Method::Zlib && !input.is_empty();
        if unread || self.left == 0 && self.plain_left > 0 {
            return Err(DecompressError.into());
        }
        if self.left == 0 {
            self.zstd = None;
        }
        Ok(())
    }

    /// Whether all the rest of the packet is skipped. Then it is not decompressed.
    fn is_skipped(&mut self) -> bool {
        if self.plain_left > 0 && self.skip >= self.plain_left as u64 {
            self.skip -= self.plain_left as u64;
            (self.plain_left, self.zstd) = (0, None);
            self.method = Method::Skipped;
        }
        self.method == Method::Skipped
    }

    /// Inflates as much as fits. Returns bytes used and bytes made.
    fn inflate(&mut self, input: &[u8], piece: &mut [u8; PIECE]) -> Option<(usize, usize)> {
        let zlib = self.zlib.as_mut()?;
        let (read, written) = (zlib.total_in(), zlib.total_out());
        let status = zlib.decompress(input, piece, FlushDecompress::None).ok()?;
        let used = usize::try_from(zlib.total_in() - read).ok()?;
        let made = usize::try_from(zlib.total_out() - written).ok()?;
        (status != Status::BufError || used + made > 0 || input.is_empty()).then_some((used, made))
    }

    /// Clears everything but the allocated memory.
    pub(super) fn reset(&mut self) {
        (self.left, self.plain_left, self.wanted, self.skip, self.start) = (0, 0, 0, 0, None);
        self.pending.clear();
        self.zstd = None;
    }

    /// Memory behind it, in bytes. That of the libraries is the figure of their documentation.
    pub(super) fn bytes(&self) -> usize {
        let zlib = if self.zlib.is_some() { 48 * 1024 } else { 0 };
        let zstd = self.zstd.as_ref().map_or(0, |zstd| zstd.bytes());
        size_of::<Self>() + self.pending.capacity() + zlib + zstd
    }
}
