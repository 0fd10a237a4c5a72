//! The parser of WebSocket: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use crate::contract::{Parser, Progress, Reason};
use crate::correlate::{Kind, Messages};
use fact::Outcome;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Ids that messages are paired by: a data message is open once in a direction, a close frame
/// answers the other side's, and a pong the ping with the same payload.
const OF_DATA: u64 = 1;
const OF_CLOSE: u64 = 2;
const OF_PING: u64 = 1 << 63;

/// Where one direction stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Frame,
    /// Behind the payload of a frame of a message; whether it was the last.
    PayloadEnd(bool),
    /// Bytes are missing, and frames have no mark to find the next one by.
    Lost,
}

/// A message in the making.
#[derive(Clone, Copy, Debug, Default)]
struct Message {
    payload: u64,
    frames: u32,
}

#[derive(Debug, Default)]
struct Side {
    phase: Phase,
    message: Option<Message>,
}

/// Each message is told as one that asks for nothing, and a ping with its pong as request and
/// response. Of each direction, one message is open at most.
#[derive(Debug, Default)]
pub(super) struct WebSocketParser {
    sides: PerDirection<Side>,
}

/// The header of a frame (RFC 6455 section 5.2).
struct Header {
    last: bool,
    compressed: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    payload: u64,
    /// Its own length.
    length: usize,
}

enum Read {
    Header(Header),
    Need(usize),
    Malformed,
}

impl Header {
    fn read(bytes: &[u8], masked: bool) -> Read {
        let &[first, second, ref rest @ ..] = bytes else { return Read::Need(2 - bytes.len()) };
        let opcode = first & 0x0f;
        let short = u64::from(second & 0x7f);
        let size_bytes = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let is_control = opcode >= CLOSE;
        let known = matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG);
        let control_fits = !is_control || (first & 0x80 != 0 && short <= 125);
        if !known || first & 0x30 != 0 || !control_fits || (second & 0x80 != 0) != masked {
            return Read::Malformed;
        }
        let length = 2 + size_bytes + if masked { 4 } else { 0 };
        if bytes.len() < length {
            return Read::Need(length - bytes.len());
        }
        let (size, rest) = rest.split_at(size_bytes);
        let long = size.iter().fold(0u64, |n, &b| n << 8 | u64::from(b));
        let payload = if size_bytes == 0 { short } else { long };
        let mask = rest.get(..4).and_then(|mask| mask.try_into().ok()).filter(|_| masked);
        if payload >> 63 == 1 {
            return Read::Malformed;
        }
        let (last, compressed) = (first & 0x80 != 0, first & 0x40 != 0);
        Read::Header(Self { last, compressed, opcode, mask, payload, length })
    }
}

impl WebSocketParser {
    /// Reads one frame at `at`; returns where the next one stands.
    fn frame(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Result<usize, Progress> {
        let rest = &bytes[at..];
        let malformed = Progress::GiveUp { consumed: at, reason: Reason::Opaque };
        let header = match Header::read(rest, direction == Direction::ToServer) {
            Read::Header(header) => header,
            Read::Need(more) => return Err(Progress::Need { consumed: at, more }),
            Read::Malformed => return Err(malformed),
        };
        if header.opcode >= CLOSE {
            let end = header.length + header.payload as usize;
            let Some(payload) = rest.get(header.length..end) else {
                return Err(Progress::Need { consumed: at, more: end - rest.len() });
            };
            let mut plain = [0; 125];
            for (n, (plain, byte)) in plain.iter_mut().zip(payload).enumerate() {
                *plain = byte ^ header.mask.map_or(0, |mask| mask[n % 4]);
            }
            self.control(direction, header.opcode, &plain[..payload.len().min(125)], [at, at + end], out);
            return Ok(at + end);
        }
        let begins = header.opcode != CONTINUATION;
        let message = &mut self.sides[direction].message;
        if begins == message.is_some() {
            return Err(malformed);
        }
        if begins {
            let entry = out.open(Kind::OneWay, OF_DATA, at);
            entry.exchange.operation.push_str(if header.opcode == TEXT { "TEXT" } else { "BINARY" });
            if header.compressed {
                entry.exchange.attributes.push_bool("wirespan.websocket.compressed", true);
            }
            out.add_carried_over(Kind::OneWay, OF_DATA);
        }
        let message = message.get_or_insert_default();
        message.payload = message.payload.saturating_add(header.payload);
        message.frames = message.frames.saturating_add(1);
        self.sides[direction].phase = Phase::PayloadEnd(header.last);
        let start = at + header.length;
        if header.payload > (bytes.len() - start) as u64 {
            out.skip_belongs_to(OF_DATA);
            return Err(Progress::Skip { consumed: start, body: header.payload });
        }
        Ok(start + header.payload as usize)
    }

    fn end(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        let Some(message) = self.sides[direction].message.take() else { return };
        if let Some(entry) = out.current(Kind::OneWay, OF_DATA) {
            let into = &mut entry.exchange.attributes;
            into.push_int(
                "wirespan.websocket.payload.size",
                i64::try_from(message.payload).unwrap_or(i64::MAX),
            );
            if message.frames > 1 {
                into.push_int("wirespan.websocket.fragments", i64::from(message.frames));
            }
        }
        out.close(Kind::OneWay, OF_DATA, at);
    }

    fn control(
        &mut self,
        direction: Direction,
        opcode: u8,
        payload: &[u8],
        [at, end]: [usize; 2],
        out: &mut Messages,
    ) {
        let id = if opcode == CLOSE { OF_CLOSE } else { OF_PING | hash(payload) };
        let asked = out.is_pending(id);
        // What asks a side that is not understood any more gets no answer that could be seen.
        let answerable = self.sides[direction.reverse()].phase != Phase::Lost;
        let kind = match opcode {
            CLOSE | PONG if asked => Kind::Response,
            // What it answers cannot be seen.
            PONG if !answerable => Kind::Response,
            CLOSE | PING if answerable => Kind::Request,
            _ => Kind::OneWay,
        };
        let entry = out.open(kind, id, at);
        if kind != Kind::Response {
            entry.exchange.operation.push_str(match opcode {
                CLOSE => "CLOSE",
                PING => "PING",
                _ => "PONG",
            });
            if let [high, low, ..] = *payload
                && opcode == CLOSE
            {
                let code = u16::from_be_bytes([high, low]);
                entry.exchange.attributes.push_int("wirespan.websocket.close.code", i64::from(code));
                entry.exchange.outcome = close_outcome(code);
            }
        }
        if kind != Kind::Response {
            out.add_carried_over(kind, id);
        }
        out.close(kind, id, end);
    }
}

/// Whose fault a close code is (RFC 6455 section 7.4); those of applications say nothing about it.
fn close_outcome(code: u16) -> Outcome {
    match code {
        1002 | 1003 | 1007..=1010 => Outcome::ClientError,
        1011..=1015 => Outcome::ServerError,
        _ => Outcome::Ok,
    }
}

fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}

impl Parser for WebSocketParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            match self.sides[direction].phase {
                Phase::Lost => return Progress::Consumed(bytes.len()),
                Phase::PayloadEnd(last) => {
                    self.sides[direction].phase = Phase::Frame;
                    if last {
                        self.end(direction, at, out);
                    }
                }
                Phase::Frame if at == bytes.len() => return Progress::Consumed(at),
                Phase::Frame => match self.frame(direction, bytes, at, out) {
                    Ok(next) => at = next,
                    Err(progress) => return progress,
                },
            }
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        self.sides[direction] = Side { phase: Phase::Lost, message: None };
        let both = Direction::BOTH.iter().all(|&d| self.sides[d].phase == Phase::Lost);
        if both { Err(Reason::Opaque) } else { Ok(()) }
    }
}
