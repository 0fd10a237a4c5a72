//! The parser of AMQP 1.0: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use super::frame::{
    ATTACH, BEGIN, CLOSE, DETACH, DISPOSITION, END, OPEN, PREFIX, Prefix, SASL_INIT, SASL_OUTCOME,
    TRANSFER, frame, header,
};
use super::sessions::Sessions;
use super::types::{Items, Value};
use super::{conditions, message, performatives};
use crate::contract::Reason;
use crate::correlate::{Kind, Messages};
use crate::kit::frames::Frame;
use crate::kit::reader::first_bytes;
use crate::kit::resync::{FrameFormat, FrameRead};

/// Bytes of a frame that are read.
const INSPECTED: usize = 4096;
/// Most deliveries of a direction that are not complete; of more, the oldest ends where the next
/// begins.
const PARTS: usize = 64;
/// Bytes of an address that are kept.
const ADDRESS: usize = 512;

/// State of a delivery of which a part was received (part 3, section 3.4.1).
const RECEIVED: u64 = 0x23;

/// A delivery of which more transfers follow.
#[derive(Clone, Copy, Debug)]
struct Delivery {
    channel: u16,
    handle: u32,
    kind: Kind,
    id: u64,
}

#[derive(Debug, Default)]
struct Amqp1Side {
    deliveries: Vec<Delivery>,
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Amqp1Frames {
    sessions: Sessions,
    sides: PerDirection<Amqp1Side>,
}

/// Where a frame is.
#[derive(Clone, Copy, Debug)]
struct FramePlace {
    direction: Direction,
    channel: u16,
    at: usize,
    end: usize,
}

/// The id that pairs messages: a performative, its session, and a number within it.
fn key(code: u64, session: u16, number: u32) -> u64 {
    code << 48 | u64::from(session) << 32 | u64::from(number)
}

fn fingerprint(name: &[u8]) -> u32 {
    name.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Amqp1Frames {
    /// Reads a frame; returns the message that ends with it.
    fn on_frame(
        &mut self,
        prefix: Prefix,
        body: &[u8],
        place: FramePlace,
        out: &mut Messages,
    ) -> Option<(Kind, u64)> {
        let (code, fields, payload) = prefix.performative(body, place.direction)?;
        let FramePlace { direction, channel, .. } = place;
        let id = match code {
            OPEN | CLOSE => key(code, 0, 0),
            SASL_INIT | SASL_OUTCOME => key(SASL_INIT, 0, 0),
            BEGIN => {
                let session = match fields.field(0).number() {
                    Some(remote) => self.sessions.join(direction, channel, remote as u16),
                    None => self.sessions.begin(direction, channel),
                };
                key(code, session, 0)
            }
            ATTACH => {
                let session = self.sessions.of(direction, channel);
                let name = fingerprint(fields.field(0).bytes().unwrap_or_default());
                let handle = fields.field(1).number().unwrap_or_default() as u32;
                let address =
                    first_bytes(performatives::address(fields).unwrap_or_default(), ADDRESS);
                self.sessions.attach(direction, session, handle, name, address);
                key(code, session, name)
            }
            DETACH => {
                let session = self.sessions.of(direction, channel);
                let handle = fields.field(0).number().unwrap_or_default() as u32;
                let name = self.sessions.detach(direction, session, handle).unwrap_or(handle);
                key(code, session, name)
            }
            END => key(code, self.sessions.of(direction, channel), 0),
            TRANSFER => return self.on_transfer(fields, payload, place, out),
            DISPOSITION => {
                self.on_disposition(fields, place, out);
                return None;
            }
            _ => return None,
        };
        self.on_error(code, fields, place, out);
        let answers = code == SASL_OUTCOME || code != SASL_INIT && out.is_pending(id);
        if code == END {
            self.sessions.end(direction, channel);
        }
        let kind = if answers { Kind::Response } else { Kind::Request };
        let exchange = &mut out.open(kind, id, place.at).exchange;
        set_operation(exchange, code);
        performatives::push_fields(code, fields, answers, exchange);
        Some((kind, id))
    }

    /// An error that ends a link, a session or the connection is the response to what waits there.
    fn on_error(&mut self, code: u64, fields: Items<'_>, place: FramePlace, out: &mut Messages) {
        let Some(error) = performatives::error(code, fields) else { return };
        let session = self.sessions.of(place.direction, place.channel);
        let wanted = |waiting: u64| {
            let (waits, of) = (waiting >> 48, (waiting >> 32) as u16);
            match code {
                CLOSE => matches!(waits, BEGIN | ATTACH | TRANSFER),
                END => of == session && matches!(waits, ATTACH | TRANSFER),
                _ => false,
            }
        };
        while let Some(found) = out.pending_id(wanted) {
            let exchange = &mut out.open(Kind::Response, found, place.at).exchange;
            exchange.outcome = conditions::push_error(error, &mut exchange.attributes);
            out.close(Kind::Response, found, place.end);
        }
    }

    fn on_transfer(
        &mut self,
        fields: Items<'_>,
        payload: &[u8],
        place: FramePlace,
        out: &mut Messages,
    ) -> Option<(Kind, u64)> {
        let FramePlace { direction, channel, .. } = place;
        let handle = fields.field(0).number()? as u32;
        let more = fields.field(5).is_true() && !fields.field(9).is_true();
        let deliveries = &mut self.sides[direction].deliveries;
        if let Some(index) =
            deliveries.iter().position(|d| (d.channel, d.handle) == (channel, handle))
        {
            let Delivery { kind, id, .. } = deliveries[index];
            return (!more).then(|| {
                deliveries.remove(index);
                (kind, id)
            });
        }
        if more && deliveries.len() >= PARTS {
            let old = deliveries.remove(0);
            out.close(old.kind, old.id, place.at);
        }
        let session = self.sessions.of(direction, channel);
        let number = fields.field(1).number().unwrap_or_default() as u32;
        let settled = fields.field(4).is_true();
        let kind = if settled { Kind::OneWay } else { Kind::Request };
        let id = key(TRANSFER, session, number);
        let exchange = &mut out.open(kind, id, place.at).exchange;
        set_operation(exchange, TRANSFER);
        let attributes = &mut exchange.attributes;
        attributes.push_text("messaging.operation.name", "transfer");
        let kind_of = if direction == Direction::ToServer { "send" } else { "receive" };
        attributes.push_text("messaging.operation.type", kind_of);
        if let Some(link) =
            self.sessions.link(direction, session, handle).filter(|l| !l.address.is_empty())
        {
            attributes.push_bytes("messaging.destination.name", &link.address);
        }
        attributes.push_int("amqp.delivery_id", i64::from(number));
        attributes.push_bool("amqp.settled", settled);
        let _ = message::push_sections(payload, attributes);
        if !more {
            return Some((kind, id));
        }
        let deliveries = &mut self.sides[direction].deliveries;
        deliveries.push(Delivery { channel, handle, kind, id });
        None
    }

    /// A disposition of the receiver: the response to deliveries.
    fn on_disposition(&mut self, fields: Items<'_>, place: FramePlace, out: &mut Messages) {
        if !fields.field(0).is_true() {
            return;
        }
        let session = self.sessions.of(place.direction, place.channel);
        let first = fields.field(1).number().unwrap_or_default() as u32;
        let last = fields.field(2).number().unwrap_or(u64::from(first)) as u32;
        let state = fields.field(4);
        let settled = fields.field(3).is_true();
        let base = key(TRANSFER, session, 0);
        let wanted = |waiting: u64| {
            waiting & !0xffff_ffff == base
                && (waiting as u32).wrapping_sub(first) <= last.wrapping_sub(first)
        };
        if matches!(state, Value::Null | Value::Described(RECEIVED, _)) && !settled {
            return;
        }
        while let Some(found) = out.pending_id(wanted) {
            let exchange = &mut out.open(Kind::Response, found, place.at).exchange;
            let outcome = conditions::push_delivery_state(state, &mut exchange.attributes);
            exchange.outcome = outcome.unwrap_or(fact::Outcome::Ok);
            out.close(Kind::Response, found, place.end);
        }
    }
}

fn set_operation(exchange: &mut fact::Exchange, code: u64) {
    if exchange.operation.is_empty() {
        exchange.operation.push_str(performatives::name(code));
        exchange.attributes.push_text("messaging.system", "amqp");
    }
}

impl FrameFormat for Amqp1Frames {
    fn frame(&self, direction: Direction, bytes: &[u8]) -> Frame {
        frame(bytes, direction)
    }

    fn read_frame(
        &mut self,
        direction: Direction,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> FrameRead {
        if rest.len() < PREFIX {
            return FrameRead::Need(PREFIX);
        }
        match header(rest) {
            // Both sides agreed on TLS: its records follow.
            Some(2) if direction == Direction::ToClient => {
                return FrameRead::GiveUp { after: 8, reason: Reason::Switched };
            }
            Some(_) => return FrameRead::take(8),
            None => {}
        }
        let Some(prefix) = Prefix::read(rest) else { return FrameRead::MALFORMED };
        let inspected = prefix.size.min(INSPECTED);
        let Some(head) = rest.get(..inspected) else { return FrameRead::Need(inspected) };
        let place = FramePlace { direction, channel: prefix.channel, at, end: at + prefix.size };
        let body = head.get(prefix.body..).unwrap_or_default();
        if !body.is_empty() && prefix.performative(body, direction).is_none() {
            return FrameRead::MALFORMED;
        }
        FrameRead::Take { len: prefix.size, ends: self.on_frame(prefix, body, place, out) }
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if let Some(prefix) = Prefix::read(bytes) {
            let place = FramePlace { direction, channel: prefix.channel, at: 0, end: bytes.len() };
            self.on_frame(prefix, bytes.get(prefix.body..).unwrap_or_default(), place, out);
        }
    }

    fn on_loss(&mut self, direction: Direction) {
        self.sides[direction].deliveries.clear();
    }

    fn heap_bytes(&self) -> usize {
        let deliveries: usize =
            Direction::BOTH.iter().map(|&d| self.sides[d].deliveries.capacity()).sum();
        self.sessions.bytes() + deliveries * size_of::<Delivery>()
    }
}
