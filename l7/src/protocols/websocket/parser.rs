//! Frames, the messages that they make up, and the pairs of control frames (RFC 6455 section 5).

use wire::{Direction, PerDirection};

use crate::contract::{Parser, Progress, Reason};
use crate::correlate::{Kind, Messages};
use fact::Outcome;

// Bits of the first two bytes of a header (RFC 6455 section 5.2).
const FIN: u8 = 0x80;
/// The message is compressed (RFC 7692 section 6).
const RSV1: u8 = 0x40;
const RSV2: u8 = 0x20;
const RSV3: u8 = 0x10;
const OPCODE: u8 = 0x0f;
const MASK: u8 = 0x80;
const PAYLOAD_LEN: u8 = 0x7f;
/// Payload lengths that mean a length of 16 or 64 bits behind them.
const LEN_16: u64 = 126;
const LEN_64: u64 = 127;
/// Bytes of the masking key.
const MASKING_KEY: usize = 4;
/// Longest payload of a control frame (RFC 6455 section 5.5).
const LONGEST_CONTROL: u64 = 125;

// Opcodes.
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Ids that messages are paired by. One data message is open at a time in a direction. A close
/// frame is the response to the other side's, and a pong to the ping with the same payload.
const DATA_ID: u64 = 1;
const CLOSE_ID: u64 = 2;
const PING_ID: u64 = 1 << 63;

/// What the next bytes of one direction are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Frame,
    /// Behind the payload of a frame; whether it is the last of its message.
    PayloadEnd(bool),
    /// Bytes are missing. The next frame cannot be found: frames have no mark.
    Lost,
}

/// Size of a message so far.
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

/// Records each message as one-way, and a ping with its pong as request and response. At most one
/// message is open in a direction.
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
    /// Length of the header.
    length: usize,
}

enum HeaderResult {
    Header(Header),
    Need(usize),
    Malformed,
}

impl Header {
    fn read(bytes: &[u8], masked: bool) -> HeaderResult {
        let &[first, second, ref rest @ ..] = bytes else {
            return HeaderResult::Need(2 - bytes.len());
        };
        let opcode = first & OPCODE;
        let short = u64::from(second & PAYLOAD_LEN);
        let size_bytes = match short {
            LEN_16 => 2,
            LEN_64 => 8,
            _ => 0,
        };
        let is_control = opcode >= CLOSE;
        let known = matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG);
        let control_fits = !is_control || (first & FIN != 0 && short <= LONGEST_CONTROL);
        if !known || first & (RSV2 | RSV3) != 0 || !control_fits || (second & MASK != 0) != masked {
            return HeaderResult::Malformed;
        }
        let length = 2 + size_bytes + if masked { MASKING_KEY } else { 0 };
        if bytes.len() < length {
            return HeaderResult::Need(length - bytes.len());
        }
        let (size, rest) = rest.split_at(size_bytes);
        let long = size.iter().fold(0u64, |n, &b| n << 8 | u64::from(b));
        let payload = if size_bytes == 0 { short } else { long };
        let mask = rest.get(..MASKING_KEY).and_then(|mask| mask.try_into().ok()).filter(|_| masked);
        if payload >> 63 == 1 {
            return HeaderResult::Malformed;
        }
        let (last, compressed) = (first & FIN != 0, first & RSV1 != 0);
        HeaderResult::Header(Self { last, compressed, opcode, mask, payload, length })
    }
}

impl WebSocketParser {
    /// Reads one frame at `at`. Returns where the next one begins.
    fn read_frame(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Result<usize, Progress> {
        let rest = &bytes[at..];
        let malformed = Progress::GiveUp { consumed: at, reason: Reason::Opaque };
        let header = match Header::read(rest, direction == Direction::ToServer) {
            HeaderResult::Header(header) => header,
            HeaderResult::Need(more) => return Err(Progress::Need { consumed: at, more }),
            HeaderResult::Malformed => return Err(malformed),
        };
        if header.opcode >= CLOSE {
            let end = header.length + header.payload as usize;
            let Some(payload) = rest.get(header.length..end) else {
                return Err(Progress::Need { consumed: at, more: end - rest.len() });
            };
            let mut plain = [0; LONGEST_CONTROL as usize];
            for (n, (plain, byte)) in plain.iter_mut().zip(payload).enumerate() {
                *plain = byte ^ header.mask.map_or(0, |mask| mask[n % 4]);
            }
            self.on_control_frame(
                direction,
                header.opcode,
                &plain[..payload.len().min(plain.len())],
                [at, at + end],
                out,
            );
            return Ok(at + end);
        }
        let begins = header.opcode != CONTINUATION;
        let message = &mut self.sides[direction].message;
        if begins == message.is_some() {
            return Err(malformed);
        }
        if begins {
            let entry = out.open(Kind::OneWay, DATA_ID, at);
            entry.exchange.operation.push_str(if header.opcode == TEXT {
                "TEXT"
            } else {
                "BINARY"
            });
            if header.compressed {
                entry.exchange.attributes.push_bool("wirespan.websocket.compressed", true);
            }
            out.add_carried_over(Kind::OneWay, DATA_ID);
        }
        let message = message.get_or_insert_default();
        message.payload = message.payload.saturating_add(header.payload);
        message.frames = message.frames.saturating_add(1);
        self.sides[direction].phase = Phase::PayloadEnd(header.last);
        let start = at + header.length;
        if header.payload > (bytes.len() - start) as u64 {
            out.skip_belongs_to(DATA_ID);
            return Err(Progress::Skip { consumed: start, body: header.payload });
        }
        Ok(start + header.payload as usize)
    }

    /// The data message of a direction ends before `at`.
    fn end_message(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        let Some(message) = self.sides[direction].message.take() else {
            wire::invariant!("a payload that ends belongs to an open message");
            return;
        };
        if let Some(entry) = out.current(Kind::OneWay, DATA_ID) {
            let into = &mut entry.exchange.attributes;
            into.push_int(
                "wirespan.websocket.payload.size",
                i64::try_from(message.payload).unwrap_or(i64::MAX),
            );
            if message.frames > 1 {
                into.push_int("wirespan.websocket.fragments", i64::from(message.frames));
            }
        }
        out.close(Kind::OneWay, DATA_ID, at);
    }

    /// A control frame (RFC 6455 section 5.5) between the two of the positions.
    fn on_control_frame(
        &mut self,
        direction: Direction,
        opcode: u8,
        payload: &[u8],
        [at, end]: [usize; 2],
        out: &mut Messages,
    ) {
        let id = if opcode == CLOSE { CLOSE_ID } else { PING_ID | hash(payload) };
        let pending = out.is_pending(id);
        // A request to a side that is not read any more gets no response that could be seen.
        let answerable = self.sides[direction.reverse()].phase != Phase::Lost;
        let kind = match opcode {
            CLOSE | PONG if pending => Kind::Response,
            // Its request cannot be seen.
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
                entry
                    .exchange
                    .attributes
                    .push_int("wirespan.websocket.close.code", i64::from(code));
                entry.exchange.outcome = close_outcome(code);
            }
        }
        if kind != Kind::Response {
            out.add_carried_over(kind, id);
        }
        out.close(kind, id, end);
    }
}

/// Outcome of a close code (RFC 6455 section 7.4). Those of applications mean no error.
fn close_outcome(code: u16) -> Outcome {
    match code {
        1002 | 1003 | 1007..=1010 => Outcome::ClientError,
        1011..=1015 => Outcome::ServerError,
        _ => Outcome::Ok,
    }
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, &b| {
        (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
    })
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
                        self.end_message(direction, at, out);
                    }
                }
                Phase::Frame if at == bytes.len() => return Progress::Consumed(at),
                Phase::Frame => match self.read_frame(direction, bytes, at, out) {
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
