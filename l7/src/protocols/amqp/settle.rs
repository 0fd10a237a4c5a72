//! Methods that end several exchanges: acknowledgements, and closes because of an error.

use wire::Direction;

use super::channels::Channel;
use super::codes;
use super::ids;
use super::methods::{BASIC, CHANNEL, Method, PUBLISH};
use crate::correlate::{Kind, Messages};
use crate::kit::reader::Reader;
use fact::Outcome;

/// Where a frame is.
#[derive(Clone, Copy, Debug)]
pub(super) struct FramePlace {
    pub(super) direction: Direction,
    pub(super) channel: u16,
    /// Its first byte, and the one behind it.
    pub(super) at: usize,
    pub(super) end: usize,
}

/// `basic.ack`, `basic.nack` or `basic.reject`: the response to what was published (from the
/// broker) or delivered (from the consumer).
pub(super) fn on_acknowledgement(
    method: &Method,
    arguments: &[u8],
    channel: &Channel,
    place: FramePlace,
    out: &mut Messages,
) -> Option<()> {
    let mut r = Reader::new(arguments);
    let (tag, bits) = (r.u64()?, r.u8()?);
    let (multiple, requeue) = match method.number {
        80 => (bits & 1 != 0, false),
        90 => (false, bits & 1 != 0),
        _ => (bits & 1 != 0, bits & 2 != 0),
    };
    // Tag 0 with `multiple`: all messages that are not settled (`basic.ack`, delivery-tag).
    let last = if tag == 0 && multiple { u64::MAX } else { tag };
    let id = match place.direction {
        Direction::ToServer => ids::delivered(place.channel, channel.epoch, last),
        Direction::ToClient => ids::published(place.channel, channel.epoch, last),
    };
    let next = |out: &Messages| match multiple {
        true => out.pending_id(|waiting| ids::up_to(waiting, id)),
        false => out.is_pending(id).then_some(id),
    };
    while let Some(found) = next(out) {
        let exchange = &mut out.open(Kind::Response, found, place.at).exchange;
        exchange.attributes.push_text("amqp.settled_by", method.name);
        if method.number != 80 {
            exchange.attributes.push_bool("amqp.requeue", requeue);
            exchange.attributes.push_text("error.type", method.name);
            exchange.outcome = Outcome::ServerError;
        }
        out.close(Kind::Response, found, place.end);
        if !multiple {
            break;
        }
    }
    Some(())
}

/// A `channel.close` or `connection.close` is the response to the method that it names as its
/// cause.
pub(super) fn on_close(
    method: &Method,
    arguments: &[u8],
    channel: &Channel,
    place: FramePlace,
    out: &mut Messages,
) -> Option<()> {
    let mut r = Reader::new(arguments);
    let (code, text, class, number) = (r.u16()?, r.bytes8()?, r.u16()?, r.u16()?);
    if code < 300 || class == 0 {
        return None;
    }
    let of_channel = method.class == CHANNEL;
    let published = ids::published(place.channel, channel.epoch, u64::MAX);
    let wanted = |waiting: u64| {
        if of_channel && (class, number) == (BASIC, PUBLISH) {
            ids::up_to(waiting, published)
        } else if of_channel {
            waiting == ids::called(place.channel, class, number)
        } else {
            ids::is_call_of(waiting, class, number)
        }
    };
    while let Some(found) = out.pending_id(wanted) {
        let exchange = &mut out.open(Kind::Response, found, place.at).exchange;
        exchange.outcome = codes::push_reply_code(code, text, &mut exchange.attributes);
        out.close(Kind::Response, found, place.end);
    }
    Some(())
}
