//! Recognises MQTT by the first bytes of a connection.

use wire::Direction;

use super::packet::{Header, NoHeader, Type, frame};
use crate::contract::{Clue, Probe};
use crate::kit::frames::Frame;
use crate::kit::reader::Reader;

/// Most bytes of a message that has to be complete to be recognised.
const LONGEST_PROOF: usize = 4096;
/// Topics that are shorter could be anything.
const SHORTEST_TOPIC: usize = 3;

/// A CONNECT is recognised on any port, and so are messages whose topics and lengths fit. Anything
/// else is recognised only where MQTT is usual.
pub(super) fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
    match Header::read(head, direction) {
        Ok(header) if header.kind == Type::Connect => {
            connect(head.get(header.len..).unwrap_or_default())
        }
        // A client begins with CONNECT, a server with CONNACK (section 3.1).
        Ok(header) if clue.at_start && header.kind != Type::Connack => Probe::No,
        Ok(_) if clue.usual => match frame(head, direction) {
            Frame::Whole(len) => match frame(head.get(len..).unwrap_or_default(), direction) {
                Frame::No => Probe::No,
                _ => Probe::Yes,
            },
            Frame::Part => Probe::Yes,
            Frame::No => Probe::No,
        },
        Ok(header) if header.kind == Type::Publish => publishes(head, &header, direction),
        Ok(_) => Probe::No,
        Err(NoHeader::TooShort) if clue.usual || head.first() == Some(&0x10) => Probe::More,
        Err(_) => Probe::No,
    }
}

/// Whether a PUBLISH with a topic is all there is, or other packets follow it.
fn publishes(head: &[u8], header: &Header, direction: Direction) -> Probe {
    let topic = head.get(header.len..).map(Reader::new).and_then(|mut body| body.u16());
    if header.remaining > LONGEST_PROOF
        || topic.is_some_and(|len| usize::from(len) < SHORTEST_TOPIC)
    {
        return Probe::No;
    }
    let mut at = 0;
    while let Frame::Whole(len) = frame(&head[at..], direction) {
        at += len;
        if at == head.len() {
            return Probe::Yes;
        }
    }
    match (frame(&head[at..], direction), at) {
        (Frame::Part, 0) => Probe::More,
        (Frame::Part, _) => Probe::Yes,
        _ => Probe::No,
    }
}

/// Protocol name and level (section 3.1.2); the highest bit of the level marks bridges of some
/// brokers.
fn connect(body: &[u8]) -> Probe {
    const NAMES: [(&[u8], &[u8]); 2] = [(b"\0\x04MQTT", &[4, 5]), (b"\0\x06MQIsdp", &[3])];
    for (name, levels) in NAMES {
        if let Some(behind) = body.strip_prefix(name) {
            return match behind.first() {
                Some(level) if levels.contains(&(level & 0x7f)) => Probe::Yes,
                Some(_) => Probe::No,
                None => Probe::More,
            };
        }
        if name.starts_with(body) {
            return Probe::More;
        }
    }
    Probe::No
}
