//! Recognises AMQP 1.0 by the first bytes of a connection.

use wire::Direction;

use super::frame::{RECOGNISABLE, frame, header};
use crate::contract::{Clue, Probe};
use crate::kit::frames::Frame;

/// A protocol header is recognised on any port, and so is a frame that holds a performative.
pub(super) fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
    if header(head).is_some() {
        return Probe::Yes;
    }
    const HEADERS: [&[u8; 8]; 3] = [b"AMQP\0\x01\0\0", b"AMQP\x02\x01\0\0", b"AMQP\x03\x01\0\0"];
    if HEADERS.iter().any(|header| header.starts_with(head)) {
        return Probe::More;
    }
    if clue.at_start {
        return Probe::No;
    }
    match frame(head, direction) {
        Frame::Whole(len) if len > 8 || clue.usual => Probe::Yes,
        Frame::Part if head.len() >= RECOGNISABLE => Probe::Yes,
        Frame::Part if clue.usual => Probe::More,
        _ => Probe::No,
    }
}
