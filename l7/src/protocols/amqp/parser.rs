//! The parser of AMQP 0-9-1: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use super::attributes::{PairingArguments, pairing_arguments, push_arguments};
use super::channels::{Channels, Consumer};
use super::content::{self, Content};
use super::frame::{BODY, END, HEADER, METHOD, PREFIX, Prefix, frame, method};
use super::ids;
use super::methods::{BASIC, CHANNEL, CONFIRM, DELIVER, Method, PUBLISH, Role};
use super::settle::{self, FramePlace};
use crate::correlate::{Kind, Messages};
use crate::kit::frames::Frame;
use crate::kit::resync::{FrameFormat, FrameRead};

/// Bytes of a method or content header that are read.
const INSPECTED: usize = 4096;
/// Contents of a direction that are not whole; of more, the oldest ends where the next begins.
const CONTENTS: usize = 64;

/// One connection.
#[derive(Debug, Default)]
pub(super) struct AmqpFrames {
    channels: Channels,
    sides: PerDirection<AmqpSide>,
}

#[derive(Debug, Default)]
struct AmqpSide {
    contents: Vec<Content>,
    /// The end octet is next; the inner message, if any, ends with it.
    tail: Option<Option<(Kind, u64)>>,
    begun: bool,
}

impl AmqpFrames {
    /// Reads a method; returns the message that ends with its frame.
    fn on_method(
        &mut self,
        payload: &[u8],
        place: FramePlace,
        out: &mut Messages,
    ) -> Option<(Kind, u64)> {
        let method = method(payload, place.direction)?;
        let arguments = payload.get(4..).unwrap_or_default();
        let channel = self.channels.get(place.channel);
        if method.role == Role::Settlement {
            let _ = settle::on_acknowledgement(method, arguments, channel, place, out);
            return None;
        }
        if matches!(method.name, "channel.close" | "connection.close") {
            let _ = settle::on_close(method, arguments, channel, place, out);
        }
        if method.has_content() {
            self.make_room(place, out);
        }
        let terms = pairing_arguments(method, arguments);
        let (kind, id) = self.role(method, &terms, place);
        let channel = self.channels.get(place.channel);
        let exchange = &mut out.open(kind, id, place.at).exchange;
        if exchange.operation.is_empty() {
            let request = Method::of(method.class, method.request_number()).unwrap_or(method);
            exchange.operation.push_str(request.name);
            exchange.attributes.push_text("messaging.system", "rabbitmq");
            if place.channel != 0 {
                exchange.attributes.push_int("amqp.channel", i64::from(place.channel));
            }
        }
        let _ = push_arguments(method, arguments, channel, exchange);
        self.update_channel(method, &terms, place.channel);
        if !method.has_content() {
            return Some((kind, id));
        }
        let contents = &mut self.sides[place.direction].contents;
        contents.push(Content { channel: place.channel, kind, id, left: None });
        None
    }

    /// Closes the content that another one follows on the same channel, or the oldest of too many.
    fn make_room(&mut self, place: FramePlace, out: &mut Messages) {
        let contents = &mut self.sides[place.direction].contents;
        let same = contents.iter().position(|c| c.channel == place.channel);
        if let Some(index) = same.or((contents.len() >= CONTENTS).then_some(0)) {
            let old = contents.remove(index);
            out.close(old.kind, old.id, place.at);
        }
    }

    fn role(
        &mut self,
        method: &Method,
        terms: &PairingArguments<'_>,
        place: FramePlace,
    ) -> (Kind, u64) {
        let channel = self.channels.get(place.channel);
        match method.role {
            Role::Request if terms.no_wait => (Kind::OneWay, ids::one_way(place.channel)),
            Role::Request => {
                (Kind::Request, ids::called(place.channel, method.class, method.number))
            }
            Role::ResponseTo(number) => {
                (Kind::Response, ids::called(place.channel, method.class, number))
            }
            Role::OneWay | Role::Settlement => {
                if method.is(BASIC, PUBLISH)
                    && let Some(number) = &mut channel.confirms
                {
                    let id = ids::published(place.channel, channel.epoch, *number);
                    *number = number.wrapping_add(1);
                    return (Kind::Request, id);
                }
                let acknowledged =
                    || channel.consumer(terms.consumer_tag).is_some_and(|c| c.acknowledges);
                if method.is(BASIC, DELIVER) && acknowledged() {
                    return (
                        Kind::Request,
                        ids::delivered(place.channel, channel.epoch, terms.delivery_tag),
                    );
                }
                (Kind::OneWay, ids::one_way(place.channel))
            }
        }
    }

    /// Keeps what the pairing of later methods of the channel depends on.
    fn update_channel(&mut self, method: &Method, terms: &PairingArguments<'_>, number: u16) {
        match (method.class, method.number) {
            (CHANNEL, 10 | 41) => self.channels.close(number),
            (CONFIRM, 10) => self.channels.get(number).confirms = Some(1),
            (BASIC, 20) if self.channels.has_room() => {
                let consumer = Consumer {
                    tag: terms.consumer_tag.to_vec(),
                    queue: terms.queue.to_vec(),
                    acknowledges: !terms.no_ack,
                };
                let channel = self.channels.get(number);
                if terms.no_wait { channel.add(consumer) } else { channel.on_consume(consumer) }
            }
            (BASIC, 21) => self.channels.get(number).on_consume_ok(terms.consumer_tag),
            (BASIC, 30) => self.channels.get(number).cancel(terms.consumer_tag),
            _ => {}
        }
    }

    fn on_header(
        &mut self,
        payload: &[u8],
        place: FramePlace,
        out: &mut Messages,
    ) -> Option<(Kind, u64)> {
        let contents = &mut self.sides[place.direction].contents;
        let index = contents.iter().position(|c| c.channel == place.channel)?;
        let content = &mut contents[index];
        if let Some(entry) = out.current(content.kind, content.id) {
            let _ = content::push_properties(payload, &mut entry.exchange.attributes);
        }
        let size = content::body_size(payload).unwrap_or_default();
        content.left = Some(size);
        let ended = (content.kind, content.id);
        (size == 0).then(|| {
            contents.remove(index);
            ended
        })
    }

    fn on_body(&mut self, size: u32, place: FramePlace) -> Option<(Kind, u64)> {
        let contents = &mut self.sides[place.direction].contents;
        let index = contents.iter().position(|c| c.channel == place.channel)?;
        let content = &mut contents[index];
        let left = content.left?.saturating_sub(u64::from(size));
        content.left = Some(left);
        let ended = (content.kind, content.id);
        (left == 0).then(|| {
            contents.remove(index);
            ended
        })
    }
}

impl FrameFormat for AmqpFrames {
    fn frame(&self, direction: Direction, bytes: &[u8]) -> Frame {
        frame(bytes, direction)
    }

    /// The end octet is read as a frame of its own: the message ends with it.
    fn read_frame(
        &mut self,
        direction: Direction,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> FrameRead {
        let side = &mut self.sides[direction];
        if let Some(ends) = side.tail.take() {
            return if rest.first() == Some(&END) {
                FrameRead::Take { len: 1, ends }
            } else {
                FrameRead::MALFORMED
            };
        }
        if !side.begun && rest.first() == Some(&b'A') {
            if rest.len() < 8 {
                return FrameRead::Need(8);
            }
            side.begun = true;
            return FrameRead::take(8);
        }
        side.begun = true;
        let Some(prefix) = Prefix::read(rest) else { return FrameRead::Need(PREFIX) };
        if !prefix.is_plausible() {
            return FrameRead::MALFORMED;
        }
        let size = prefix.size as usize;
        let inspected = if prefix.kind == BODY { 0 } else { size.min(INSPECTED) };
        let has_end = prefix.kind != BODY && size <= INSPECTED;
        let wanted = PREFIX + inspected + usize::from(has_end);
        if rest.len() < wanted {
            return FrameRead::Need(wanted);
        }
        let payload = rest.get(PREFIX..PREFIX + inspected).unwrap_or_default();
        let is_ended = !has_end || rest.get(PREFIX + size) == Some(&END);
        if !is_ended || prefix.kind == METHOD && method(payload, direction).is_none() {
            return FrameRead::MALFORMED;
        }
        let place =
            FramePlace { direction, channel: prefix.channel, at, end: at + PREFIX + size + 1 };
        let ends = match prefix.kind {
            METHOD => self.on_method(payload, place, out),
            HEADER => self.on_header(payload, place, out),
            BODY => self.on_body(prefix.size, place),
            _ => None,
        };
        self.sides[direction].tail = Some(ends);
        FrameRead::take(PREFIX + size)
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if self.sides[direction].tail.is_some() {
            return;
        }
        let Some(prefix) = Prefix::read(bytes).filter(|prefix| prefix.is_plausible()) else {
            return;
        };
        let place = FramePlace { direction, channel: prefix.channel, at: 0, end: bytes.len() };
        let payload = bytes.get(PREFIX..).unwrap_or_default();
        match prefix.kind {
            METHOD => drop(self.on_method(payload, place, out)),
            HEADER => drop(self.on_header(payload, place, out)),
            _ => {}
        }
    }

    fn on_loss(&mut self, direction: Direction) {
        let side = &mut self.sides[direction];
        side.contents.clear();
        (side.tail, side.begun) = (None, true);
        if direction == Direction::ToServer {
            self.channels.stop_numbering();
        }
    }

    fn heap_bytes(&self) -> usize {
        let contents: usize =
            Direction::BOTH.iter().map(|&d| self.sides[d].contents.capacity()).sum();
        self.channels.bytes() + contents * size_of::<Content>()
    }
}
