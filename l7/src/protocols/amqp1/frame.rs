//! Frames and performatives of AMQP 1.0.

use wire::Direction;

use super::types::{Items, described};
use crate::kit::frames::Frame;
use crate::kit::reader::Reader;

pub(super) const OPEN: u64 = 0x10;
pub(super) const BEGIN: u64 = 0x11;
pub(super) const ATTACH: u64 = 0x12;
pub(super) const TRANSFER: u64 = 0x14;
pub(super) const DISPOSITION: u64 = 0x15;
pub(super) const DETACH: u64 = 0x16;
pub(super) const END: u64 = 0x17;
pub(super) const CLOSE: u64 = 0x18;
pub(super) const SASL_INIT: u64 = 0x41;
pub(super) const SASL_OUTCOME: u64 = 0x44;

/// Bytes of a frame's header without extension.
pub(super) const PREFIX: usize = 8;
/// A frame that is larger is none.
const LARGEST: u32 = 1 << 26;

/// The beginning of a frame (part 2, section 2.3.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix {
    pub(super) size: usize,
    /// Where the body begins.
    pub(super) body: usize,
    kind: u8,
    pub(super) channel: u16,
}

impl Prefix {
    /// None if this is no frame, or less than its header is there.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let (size, words, kind, channel) = (r.u32()?, r.u8()?, r.u8()?, r.u16()?);
        let body = usize::from(words) * 4;
        let fits = (8..=LARGEST).contains(&size) && words >= 2 && body <= size as usize;
        (fits && kind <= 1).then_some(Self { size: size as usize, body, kind, channel })
    }

    /// The performative that the body begins with, and what follows it.
    pub(super) fn performative<'a>(
        &self,
        body: &'a [u8],
        direction: Direction,
    ) -> Option<(u64, Items<'a>, &'a [u8])> {
        let mut r = Reader::new(body);
        let (code, fields) = described(&mut r)?;
        let fits = match self.kind {
            0 => (OPEN..=CLOSE).contains(&code),
            _ => match code {
                0x40 | 0x42 | SASL_OUTCOME => direction == Direction::ToClient,
                SASL_INIT | 0x43 => direction == Direction::ToServer,
                _ => false,
            },
        };
        fits.then_some((code, fields, r.rest()))
    }
}

/// Whether bytes begin with a protocol header (part 2, section 2.2); its protocol id.
pub(super) fn header(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [b'A', b'M', b'Q', b'P', id @ (0 | 2 | 3), 1, 0, 0, ..] => Some(*id),
        _ => None,
    }
}

/// Bytes of a frame with which its performative is known.
pub(super) const RECOGNISABLE: usize = PREFIX + 5;

/// The beginning of a frame, strictly.
pub(super) fn frame(bytes: &[u8], direction: Direction) -> Frame {
    if header(bytes).is_some() {
        return Frame::Whole(8);
    }
    if bytes.len() < PREFIX {
        return if bytes.first() == Some(&0) { Frame::Part } else { Frame::No };
    }
    let Some(prefix) = Prefix::read(bytes) else { return Frame::No };
    let whole = bytes.len() >= prefix.size;
    let body = bytes.get(prefix.body..).unwrap_or_default();
    let body = body.get(..prefix.size - prefix.body).unwrap_or(body);
    let empty = prefix.size == prefix.body && prefix.channel == 0 && prefix.size == PREFIX;
    let known = prefix.performative(body, direction).is_some();
    match (empty || known, whole) {
        (true, true) => Frame::Whole(prefix.size),
        (true, false) => Frame::Part,
        (false, _) if !whole && bytes.len() < RECOGNISABLE => Frame::Part,
        (false, _) => Frame::No,
    }
}
