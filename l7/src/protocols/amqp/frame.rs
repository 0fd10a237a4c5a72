//! Frames of AMQP 0-9-1.

use wire::Direction;

use super::methods::{BASIC, Method};
use crate::kit::frames::Frame;
use crate::kit::reader::Reader;

pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
pub(super) const HEARTBEAT: u8 = 8;

/// What ends a frame.
pub(super) const END: u8 = 0xce;
/// Bytes before the payload.
pub(super) const PREFIX: usize = 7;
/// A payload that is larger is no payload.
const LARGEST: u32 = 1 << 28;
/// A method or header that is larger is none.
const LARGEST_METHOD: u32 = 1 << 20;

/// The beginning of a frame (AMQP 0-9-1, section 4.2.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix {
    pub(super) kind: u8,
    pub(super) channel: u16,
    pub(super) size: u32,
}

impl Prefix {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        Some(Self { kind: r.u8()?, channel: r.u16()?, size: r.u32()? })
    }

    pub(super) fn is_plausible(self) -> bool {
        match self.kind {
            METHOD => (4..=LARGEST_METHOD).contains(&self.size),
            HEADER => (14..=LARGEST_METHOD).contains(&self.size) && self.channel != 0,
            BODY => self.size <= LARGEST && self.channel != 0,
            HEARTBEAT => self.size == 0 && self.channel == 0,
            _ => false,
        }
    }
}

/// The method that a method frame's payload begins with.
pub(super) fn method(payload: &[u8], direction: Direction) -> Option<&'static Method> {
    let mut r = Reader::new(payload);
    Method::of(r.u16()?, r.u16()?).filter(|m| m.may_come(direction))
}

/// The beginning of a frame, strictly.
pub(super) fn frame(bytes: &[u8], direction: Direction) -> Frame {
    let Some(prefix) = Prefix::read(bytes) else {
        return match bytes.first() {
            Some(&(METHOD | HEADER | BODY | HEARTBEAT)) => Frame::Part,
            _ => Frame::No,
        };
    };
    let payload = bytes.get(PREFIX..).unwrap_or_default();
    let suits = match prefix.kind {
        METHOD => payload.len() < 4 || method(payload, direction).is_some(),
        HEADER => payload.len() < 4 || payload.starts_with(&[0, BASIC as u8, 0, 0]),
        _ => true,
    };
    if !prefix.is_plausible() || !suits {
        return Frame::No;
    }
    match payload.get(prefix.size as usize) {
        Some(&END) => Frame::Whole(PREFIX + prefix.size as usize + 1),
        Some(_) => Frame::No,
        None => Frame::Part,
    }
}
