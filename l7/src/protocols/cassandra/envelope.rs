//! Envelopes (frames up to version 4): header and length.

use wire::Direction;

use super::opcodes::{EVENT, name};
use crate::kit::frames::Frame;
use crate::kit::reader::Reader;

/// Bytes of a header.
pub(super) const HEADER: usize = 9;
/// Longest body (section 2.3.6).
const LONGEST: u32 = 256 << 20;

pub(super) const COMPRESSED: u8 = 0x01;
pub(super) const TRACING: u8 = 0x02;
pub(super) const PAYLOAD: u8 = 0x04;
pub(super) const WARNINGS: u8 = 0x08;

/// The header of an envelope (before version 5: frame), section 2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) version: u8,
    pub(super) flags: u8,
    pub(super) stream: u16,
    pub(super) opcode: u8,
    pub(super) body: usize,
}

impl Envelope {
    /// None if there are too few bytes, or if this is no envelope that `direction` sends.
    pub(super) fn read(bytes: &[u8], direction: Direction) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let (version, flags, stream, opcode, body) =
            (r.u8()?, r.u8()?, r.u16()?, r.u8()?, r.u32()?);
        let response = direction == Direction::ToClient;
        let known = (3..=5).contains(&(version & 0x7f)) && (version & 0x80 != 0) == response;
        let numbered = stream < 0x8000 || opcode == EVENT && response;
        let fits = known
            && flags < 0x20
            && numbered
            && body <= LONGEST
            && name(opcode, direction).is_some();
        fits.then_some(Self { version: version & 0x7f, flags, stream, opcode, body: body as usize })
    }
}

/// The beginning of an envelope outside of segments, strictly.
pub(super) fn frame(bytes: &[u8], direction: Direction) -> Frame {
    if bytes.len() < HEADER {
        let marker = if direction == Direction::ToClient { 0x83..=0x85 } else { 0x03..=0x05 };
        return if bytes.first().is_some_and(|first| marker.contains(first)) {
            Frame::Part
        } else {
            Frame::No
        };
    }
    match Envelope::read(bytes, direction) {
        Some(envelope) if bytes.len() - HEADER >= envelope.body => {
            Frame::Whole(HEADER + envelope.body)
        }
        Some(_) => Frame::Part,
        None => Frame::No,
    }
}
