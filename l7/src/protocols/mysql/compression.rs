//! Compressed packets, decompressed as they arrive.

use flate2::{Decompress, FlushDecompress, Status};

use super::broken::Broken;
use super::values::u24;
use super::zstd::Zstd;
use crate::correlate::StartMark;

/// Head of a compressed packet: length, sequence number, length before compression (0: not
/// compressed).
pub(super) const HEAD: usize = 7;
/// So much is decompressed at once.
const PIECE: usize = 8 * 1024;
/// So many bytes may come out of one; zlib never makes more. Whole packets that need not be looked
/// at are not counted: they are not decompressed.
const RATIO: usize = 2048;

/// Head of a compressed packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    pub(super) length: usize,
    pub(super) sequence: u8,
    plain: usize,
}

impl FrameHead {
    pub(super) fn read(bytes: &[u8; HEAD]) -> Self {
        let [a, b, c, sequence, plain @ ..] = *bytes;
        Self { length: u24(&[a, b, c]), sequence, plain: u24(&plain) }
    }

    /// Whether a compressed packet of a client may begin like this, where nothing says whether
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
            (_, body) => is_packed(body),
        }
    }

    /// Whether a compressed packet of a server may begin like this, with a packet in it that has a
    /// number that `fits`.
    pub(super) fn may_answer(&self, body: &[u8], fits: impl Fn(u8) -> bool) -> bool {
        match (self.plain, body) {
            _ if self.sequence == 0 || self.length == 0 => false,
            (0, [_, _, _, sequence, ..]) => fits(*sequence),
            (0, _) => false,
            (_, body) => is_packed(body),
        }
    }
}

/// Whether bytes begin as zlib's or zstd's do.
fn is_packed(body: &[u8]) -> bool {
    matches!(body, [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..])
}

/// So many packets for each byte may be in a compressed one: rows that are all alike are few bytes.
const PACKETS: usize = 64;
/// So many may be in a short one.
const PACKETS_LEAST: usize = 1024;

/// How the packet that is being read is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Method {
    #[default]
    Stored,
    Zlib,
    Zstd,
    /// Nothing of it needs to be looked at any more.
    PassedOver,
}

/// The compressed packets of one direction, and what came out of them that is not dealt with.
#[derive(Default)]
pub(super) struct Frames {
    method: Method,
    /// Compressed bytes of this packet that are still to come.
    pub(super) left: usize,
    /// Bytes that must still come out of it.
    plain_left: usize,
    /// Bytes that may.
    room: usize,
    /// Packets that may.
    pub(super) packets: usize,
    /// Where it begins, and the offset at which it ends.
    pub(super) start: Option<StartMark>,
    pub(super) end: u64,
    /// Bytes that wait for more, how many have to, and how many need not be looked at.
    pub(super) pending: Vec<u8>,
    pub(super) wanted: usize,
    pub(super) skip: u64,
    zlib: Option<Decompress>,
    zstd: Option<Box<Zstd>>,
}

impl std::fmt::Debug for Frames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frames")
            .field("method", &self.method)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl Frames {
    /// A packet begins at `start`; `first` is the first byte behind its head.
    pub(super) fn begin(&mut self, head: FrameHead, first: u8, start: StartMark) {
        self.left = head.length;
        self.room = RATIO.saturating_mul(head.length) + PIECE;
        self.packets = PACKETS.saturating_mul(head.length) + PACKETS_LEAST;
        self.end = start.offset + (HEAD + head.length) as u64;
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

    /// Takes more of the packet, and hands on what comes out of it, piece by piece. `hand_on` gets
    /// this back, since it keeps what it cannot use.
    pub(super) fn take<E: From<Broken>>(
        &mut self,
        mut input: &[u8],
        mut hand_on: impl FnMut(&mut Self, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.left = self.left.saturating_sub(input.len());
        if self.says_nothing() {
            return Ok(());
        }
        if self.method == Method::Stored {
            self.plain_left = self.plain_left.saturating_sub(input.len());
            return hand_on(self, input);
        }
        let mut piece = [0; PIECE];
        if let Some(zstd) = self.zstd.as_mut().filter(|_| self.method == Method::Zstd) {
            zstd.add(input);
        }
        loop {
            let (used, made) = match self.method {
                Method::Zstd => (0, self.zstd.as_mut().ok_or(Broken)?.step(self.left == 0, &mut piece)?),
                _ => self.inflate(input, &mut piece).ok_or(Broken)?,
            };
            input = input.get(used..).unwrap_or_default();
            self.plain_left = self.plain_left.checked_sub(made).ok_or(Broken)?;
            self.room = self.room.checked_sub(made).ok_or(Broken)?;
            if made > 0 {
                hand_on(self, piece.get(..made).unwrap_or_default())?;
                if self.says_nothing() {
                    return Ok(());
                }
            }
            if made == 0 && used == 0 {
                break;
            }
        }
        let unread = self.method == Method::Zlib && !input.is_empty();
        if unread || self.left == 0 && self.plain_left > 0 {
            return Err(Broken.into());
        }
        if self.left == 0 {
            self.zstd = None;
        }
        Ok(())
    }

    /// Whether all of the rest of the packet need not be looked at; then it is not decompressed.
    fn says_nothing(&mut self) -> bool {
        if self.plain_left > 0 && self.skip >= self.plain_left as u64 {
            self.skip -= self.plain_left as u64;
            (self.plain_left, self.zstd) = (0, None);
            self.method = Method::PassedOver;
        }
        self.method == Method::PassedOver
    }

    /// Inflates as much as fits: bytes used and bytes made.
    fn inflate(&mut self, input: &[u8], piece: &mut [u8; PIECE]) -> Option<(usize, usize)> {
        let zlib = self.zlib.as_mut()?;
        let (read, written) = (zlib.total_in(), zlib.total_out());
        let status = zlib.decompress(input, piece, FlushDecompress::None).ok()?;
        let used = usize::try_from(zlib.total_in() - read).ok()?;
        let made = usize::try_from(zlib.total_out() - written).ok()?;
        (status != Status::BufError || used + made > 0 || input.is_empty()).then_some((used, made))
    }

    /// Everything is forgotten but the memory.
    pub(super) fn reset(&mut self) {
        (self.left, self.plain_left, self.wanted, self.skip, self.start) = (0, 0, 0, 0, None);
        self.pending.clear();
        self.zstd = None;
    }

    /// Memory behind it, in bytes; that of the libraries as they document it.
    pub(super) fn bytes(&self) -> usize {
        let zlib = if self.zlib.is_some() { 48 * 1024 } else { 0 };
        let zstd = self.zstd.as_ref().map_or(0, |zstd| zstd.bytes());
        size_of::<Self>() + self.pending.capacity() + zlib + zstd
    }
}
