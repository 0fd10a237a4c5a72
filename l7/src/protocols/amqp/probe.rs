//! Recognises AMQP 0-9-1 by the first bytes of a connection.

use wire::Direction;

use super::frame::{METHOD, frame};
use crate::contract::{Clue, Probe};
use crate::kit::frames::Frame;

/// Protocol headers of 0-8, 0-9 and 0-9-1.
const HEADERS: [&[u8; 8]; 4] =
    [b"AMQP\0\0\x09\x01", b"AMQP\0\0\x09\0", b"AMQP\x01\x01\0\x09", b"AMQP\x01\x01\x08\0"];

/// A protocol header is recognised on any port, and so is a whole frame other than a body.
pub(super) fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
    if HEADERS.iter().any(|header| head.starts_with(*header)) {
        return if direction == Direction::ToServer { Probe::Yes } else { Probe::No };
    }
    if HEADERS.iter().any(|header| header.starts_with(head)) {
        return Probe::More;
    }
    if clue.at_start && direction == Direction::ToServer {
        return Probe::No;
    }
    match frame(head, direction) {
        // An end octet alone is soon met by chance.
        Frame::Whole(len) if clue.usual || head.first() == Some(&METHOD) => {
            match frame(head.get(len..).unwrap_or_default(), direction) {
                Frame::No if head.len() > len => Probe::No,
                _ => Probe::Yes,
            }
        }
        Frame::Part if clue.usual => {
            if head.len() >= 11 {
                Probe::Yes
            } else {
                Probe::More
            }
        }
        _ => Probe::No,
    }
}
