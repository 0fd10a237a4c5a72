//! Recognises ZooKeeper by the first bytes of a connection.

use wire::Direction;

use super::frame::{RECOGNISABLE, frame, is_certain, is_connect};
use super::ops::four_letter_word;
use crate::contract::{Clue, Probe};
use crate::kit::frames::Frame;

/// The message that begins a session is recognised on any port, and so is a request about a node
/// without other bytes behind it. Others, and four-letter words, are recognised only where
/// ZooKeeper is usual.
pub(super) fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
    if direction == Direction::ToServer && (is_connect(head) || is_certain(head)) {
        return Probe::Yes;
    }
    if !clue.usual {
        return Probe::No;
    }
    if direction == Direction::ToServer {
        if four_letter_word(head).is_some() {
            return Probe::Yes;
        }
        if head.len() < 4 && head.iter().all(u8::is_ascii_lowercase) {
            return Probe::More;
        }
        if matches!(head, [0, 0, 0, 44 | 45, ..]) && head.len() < 49 {
            return Probe::More;
        }
        if clue.at_start {
            return Probe::No;
        }
    }
    match frame(head, direction) {
        Frame::Whole(len) => match frame(head.get(len..).unwrap_or_default(), direction) {
            Frame::No if head.len() > len => Probe::No,
            _ => Probe::Yes,
        },
        Frame::Part if head.len() >= RECOGNISABLE => Probe::Yes,
        Frame::Part => Probe::More,
        Frame::No => Probe::No,
    }
}
