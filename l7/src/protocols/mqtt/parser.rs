//! The parser of MQTT: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use super::aliases::Aliases;
use super::connect;
use super::packet::{Header, NoHeader, Type, frame};
use super::publish::Publish;
use super::subscribe;
use crate::correlate::{Kind, Messages};
use crate::kit::frames::Frame;
use crate::kit::reader::Reader;
use crate::kit::resync::{FrameFormat, FrameRead};
use fact::Exchange;

/// Bytes of packets other than PUBLISH that are read.
const INSPECTED: usize = 4096;

/// One connection.
#[derive(Debug, Default)]
pub(super) struct MqttFrames {
    /// Level of the protocol, where it was seen.
    level: Option<u8>,
    aliases: PerDirection<Aliases>,
    text: String,
}

/// The id that pairs messages: type and packet id of the request.
fn key(request: Type, id: u16) -> u64 {
    (request as u64) << 16 | u64::from(id)
}

/// Kind and id of the message that a packet is. None for a packet without exchange of its own.
fn role(kind: Type, id: u16, out: &Messages) -> Option<(Kind, u64)> {
    Some(match kind {
        Type::Connect => (Kind::Request, key(Type::Connect, 0)),
        Type::Connack => (Kind::Response, key(Type::Connect, 0)),
        Type::Publish => (Kind::Request, key(Type::Publish, id)),
        Type::Puback | Type::Pubrec => (Kind::Response, key(Type::Publish, id)),
        Type::Pubcomp => {
            let wanted = key(Type::Publish, id);
            if !out.is_pending(wanted) {
                return None;
            }
            (Kind::Response, wanted)
        }
        Type::Pubrel => return None,
        Type::Subscribe => (Kind::Request, key(Type::Subscribe, id)),
        Type::Suback => (Kind::Response, key(Type::Subscribe, id)),
        Type::Unsubscribe => (Kind::Request, key(Type::Unsubscribe, id)),
        Type::Unsuback => (Kind::Response, key(Type::Unsubscribe, id)),
        Type::Pingreq => (Kind::Request, key(Type::Pingreq, 0)),
        Type::Pingresp => (Kind::Response, key(Type::Pingreq, 0)),
        Type::Disconnect | Type::Auth => (Kind::OneWay, key(kind, 0)),
    })
}

/// The type of the request that a response answers.
fn request_type(kind: Type) -> Type {
    match kind {
        Type::Connack => Type::Connect,
        Type::Puback | Type::Pubrec | Type::Pubcomp => Type::Publish,
        Type::Suback => Type::Subscribe,
        Type::Unsuback => Type::Unsubscribe,
        Type::Pingresp => Type::Pingreq,
        other => other,
    }
}

fn set_operation(exchange: &mut Exchange, kind: Type) {
    if exchange.operation.is_empty() {
        exchange.operation.push_str(request_type(kind).name());
        exchange.attributes.push_text("messaging.system", "mqtt");
    }
}

impl MqttFrames {
    /// Opens the message of a packet; returns the message that ends with the packet.
    fn on_packet(
        &mut self,
        direction: Direction,
        header: Header,
        body: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Option<(Kind, u64)> {
        let mut role = if header.kind == Type::Publish {
            None
        } else {
            let id = Reader::new(body).u16().unwrap_or_default();
            let role = role(header.kind, id, out)?;
            Some(role)
        };
        let mut publish = None;
        if header.kind == Type::Publish {
            publish = Publish::read(header, self.level, body);
            let id = publish.as_ref().and_then(|p| p.id);
            role = Some(match id {
                Some(id) => (Kind::Request, key(Type::Publish, id)),
                None => (Kind::OneWay, key(Type::Publish, 0)),
            });
        }
        let (kind, id) = role?;
        let exchange = &mut out.open(kind, id, at).exchange;
        set_operation(exchange, header.kind);
        match header.kind {
            Type::Connect => self.level = connect::push_connect(body, &mut exchange.attributes),
            Type::Connack => {
                if self.level.is_none() {
                    self.level = (body.len() > 2).then_some(5);
                }
                connect::push_connack(body, self.level, exchange);
            }
            Type::Publish => {
                if let Some(publish) = publish {
                    publish.push_attributes(
                        header,
                        direction,
                        &mut self.aliases[direction],
                        &mut exchange.attributes,
                    );
                }
            }
            Type::Puback | Type::Pubrec | Type::Pubcomp => {
                connect::push_reason(&mut Reader::new(body.get(2..).unwrap_or_default()), exchange);
            }
            Type::Subscribe | Type::Unsubscribe => {
                let options = header.kind == Type::Subscribe;
                subscribe::push_filters(body, self.level, options, &mut self.text, exchange);
            }
            Type::Suback | Type::Unsuback => {
                subscribe::push_acknowledgement(body, self.level, exchange)
            }
            Type::Disconnect | Type::Auth => connect::push_reason(&mut Reader::new(body), exchange),
            Type::Pubrel | Type::Pingreq | Type::Pingresp => {}
        }
        Some((kind, id))
    }

    /// How many bytes of the body are needed. `Err`: so many are needed to know that.
    fn wanted(&self, header: Header, body: &[u8]) -> Result<usize, usize> {
        if header.kind != Type::Publish {
            return Ok(header.remaining.min(INSPECTED));
        }
        Publish::wanted(header, self.level, body)
    }
}

impl FrameFormat for MqttFrames {
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
        let header = match Header::read(rest, direction) {
            Ok(header) => header,
            Err(NoHeader::TooShort) => return FrameRead::Need(rest.len() + 1),
            Err(NoHeader::Invalid) => return FrameRead::MALFORMED,
        };
        let body = rest.get(header.len..).unwrap_or_default();
        let body = body.get(..header.remaining).unwrap_or(body);
        let wanted = match self.wanted(header, body) {
            Ok(wanted) | Err(wanted) if wanted > body.len() => {
                return FrameRead::Need(rest.len() + wanted - body.len());
            }
            Ok(wanted) => wanted,
            Err(_) => return FrameRead::MALFORMED,
        };
        let ends = self.on_packet(direction, header, body.get(..wanted).unwrap_or(body), at, out);
        FrameRead::Take { len: header.len + header.remaining, ends }
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if let Ok(header) = Header::read(bytes, direction) {
            self.on_packet(direction, header, bytes.get(header.len..).unwrap_or_default(), 0, out);
        }
    }

    fn on_loss(&mut self, direction: Direction) {
        self.aliases[direction].clear();
    }

    fn heap_bytes(&self) -> usize {
        let aliases: usize = Direction::BOTH.iter().map(|&d| self.aliases[d].bytes()).sum();
        aliases + self.text.capacity()
    }
}
