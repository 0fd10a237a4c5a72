//! Attributes of AMQP 0-9-1 exchanges.

use super::channels::{Channel, Consumer};
use super::codes;
use super::methods::{
    BASIC, CHANNEL, CONFIRM, CONNECTION, DELIVER, EXCHANGE, GET, GET_OK, Method, PUBLISH, QUEUE,
    RETURN,
};
use crate::kit::reader::Reader;
use fact::{Attributes, Exchange};

/// Arguments that decide how a method is paired.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PairingArguments<'a> {
    /// The method has no response.
    pub(super) no_wait: bool,
    pub(super) delivery_tag: u64,
    pub(super) consumer_tag: &'a [u8],
    pub(super) queue: &'a [u8],
    /// Deliveries are not acknowledged.
    pub(super) no_ack: bool,
}

/// The arguments that decide how a method is paired, as far as they are there.
pub(super) fn pairing_arguments<'a>(method: &Method, arguments: &'a [u8]) -> PairingArguments<'a> {
    let mut pairing_arguments = PairingArguments::default();
    let _ = read_pairing_arguments(method, Reader::new(arguments), &mut pairing_arguments);
    pairing_arguments
}

fn read_pairing_arguments<'a>(
    method: &Method,
    mut r: Reader<'a>,
    into: &mut PairingArguments<'a>,
) -> Option<()> {
    let texts =
        |r: &mut Reader<'a>, number: usize| (0..number).try_for_each(|_| r.bytes8().map(drop));
    match (method.class, method.number) {
        (EXCHANGE, 10) => {
            r.u16()?;
            texts(&mut r, 2)?;
            into.no_wait = r.u8()? & 16 != 0;
        }
        (EXCHANGE, 20) => {
            r.u16()?;
            texts(&mut r, 1)?;
            into.no_wait = r.u8()? & 2 != 0;
        }
        (EXCHANGE, 30 | 40) | (QUEUE, 20) => {
            r.u16()?;
            texts(&mut r, 3)?;
            into.no_wait = r.u8()? & 1 != 0;
        }
        (QUEUE, 10 | 30 | 40) => {
            r.u16()?;
            texts(&mut r, 1)?;
            let bit = match method.number {
                10 => 16,
                30 => 1,
                _ => 4,
            };
            into.no_wait = r.u8()? & bit != 0;
        }
        (BASIC, 20) => {
            r.u16()?;
            into.queue = r.bytes8()?;
            into.consumer_tag = r.bytes8()?;
            let bits = r.u8()?;
            (into.no_ack, into.no_wait) = (bits & 2 != 0, bits & 8 != 0);
        }
        (BASIC, 21) => into.consumer_tag = r.bytes8()?,
        (BASIC, 30) => {
            into.consumer_tag = r.bytes8()?;
            into.no_wait = r.u8()? & 1 != 0;
        }
        (BASIC, DELIVER) => {
            into.consumer_tag = r.bytes8()?;
            into.delivery_tag = r.u64()?;
        }
        (CONFIRM, 10) => into.no_wait = r.u8()? & 1 != 0,
        _ => {}
    }
    Some(())
}

/// Adds the arguments of a method to its exchange. SASL payloads are not read.
pub(super) fn push_arguments(
    method: &Method,
    arguments: &[u8],
    channel: &Channel,
    into: &mut Exchange,
) -> Option<()> {
    let mut r = Reader::new(arguments);
    let attributes = &mut into.attributes;
    match (method.class, method.number) {
        (CONNECTION, 11) => {
            r.bytes32()?;
            attributes.push_bytes("amqp.mechanism", r.bytes8()?);
        }
        (CONNECTION, 31) => {
            attributes.push_int("amqp.channel_max", i64::from(r.u16()?));
            attributes.push_int("amqp.frame_max", i64::from(r.u32()?));
            attributes.push_int("amqp.heartbeat", i64::from(r.u16()?));
        }
        (CONNECTION, 40) => attributes.push_bytes("amqp.virtual_host", r.bytes8()?),
        (CONNECTION, 50) | (CHANNEL, 40) => {
            let (code, text) = (r.u16()?, r.bytes8()?);
            into.outcome = codes::push_reply_code(code, text, attributes);
            if let Some(cause) =
                r.u16().zip(r.u16()).and_then(|(class, number)| Method::of(class, number))
            {
                attributes.push_text("amqp.caused_by", cause.name);
            }
        }
        (CONNECTION, 60) => attributes.push_bytes("amqp.reply_text", r.bytes8()?),
        (EXCHANGE, 10 | 20) => {
            r.u16()?;
            exchange(r.bytes8()?, attributes);
        }
        (EXCHANGE, 30 | 40) => {
            r.u16()?;
            exchange(r.bytes8()?, attributes);
            attributes.push_bytes("amqp.source_exchange", r.bytes8()?);
            routing_key(r.bytes8()?, attributes);
        }
        (QUEUE, 10 | 20 | 30 | 40 | 50) => {
            r.u16()?;
            let name = r.bytes8()?;
            attributes.push_bytes("amqp.queue", name);
            if !name.is_empty() {
                attributes.push_bytes("messaging.destination.name", name);
            }
            if matches!(method.number, 20 | 50) {
                attributes.push_bytes("amqp.exchange", r.bytes8()?);
                routing_key(r.bytes8()?, attributes);
            }
        }
        (QUEUE, 11) => {
            let name = r.bytes8()?;
            if attributes.get("messaging.destination.name").is_none() {
                attributes.push_bytes("messaging.destination.name", name);
            }
            attributes.push_int("amqp.message_count", i64::from(r.u32()?));
            attributes.push_int("amqp.consumer_count", i64::from(r.u32()?));
        }
        (QUEUE, 31 | 41) => attributes.push_int("amqp.message_count", i64::from(r.u32()?)),
        (BASIC, 10) => {
            r.u32()?;
            attributes.push_int("amqp.prefetch_count", i64::from(r.u16()?));
        }
        (BASIC, 20 | GET) => {
            r.u16()?;
            let queue = r.bytes8()?;
            attributes.push_bytes("amqp.queue", queue);
            attributes.push_bytes("messaging.destination.name", queue);
        }
        (BASIC, 21 | 30) => attributes.push_bytes("amqp.consumer_tag", r.bytes8()?),
        (BASIC, PUBLISH) => {
            r.u16()?;
            operation("publish", "send", attributes);
            destination(r.bytes8()?, r.bytes8()?, &[], attributes);
        }
        (BASIC, RETURN) => {
            let (code, text) = (r.u16()?, r.bytes8()?);
            destination(r.bytes8()?, r.bytes8()?, &[], attributes);
            into.outcome = codes::push_reply_code(code, text, attributes);
        }
        (BASIC, DELIVER) => {
            let tag = r.bytes8()?;
            operation("deliver", "process", attributes);
            delivery(&mut r, attributes)?;
            let queue = channel.consumer(tag).map_or(&[][..], |c: &Consumer| &c.queue);
            destination(r.bytes8()?, r.bytes8()?, queue, attributes);
            attributes.push_bytes("amqp.consumer_tag", tag);
        }
        (BASIC, GET_OK) => {
            operation("get", "receive", attributes);
            delivery(&mut r, attributes)?;
            exchange_name(r.bytes8()?, attributes);
            routing_key(r.bytes8()?, attributes);
            attributes.push_int("amqp.message_count", i64::from(r.u32()?));
        }
        (BASIC, 72) => attributes.push_bool("amqp.empty", true),
        _ => {}
    }
    Some(())
}

fn operation(name: &str, kind: &str, into: &mut Attributes) {
    into.push_text("messaging.operation.name", name);
    into.push_text("messaging.operation.type", kind);
}

fn delivery(r: &mut Reader<'_>, into: &mut Attributes) -> Option<()> {
    into.push_int("messaging.rabbitmq.message.delivery_tag", r.u64()? as i64);
    if r.u8()? & 1 != 0 {
        into.push_bool("amqp.redelivered", true);
    }
    Some(())
}

fn exchange(name: &[u8], into: &mut Attributes) {
    exchange_name(name, into);
    into.push_bytes("messaging.destination.name", name);
}

fn exchange_name(name: &[u8], into: &mut Attributes) {
    into.push_bytes("amqp.exchange", name);
}

fn routing_key(key: &[u8], into: &mut Attributes) {
    if !key.is_empty() {
        into.push_bytes("messaging.rabbitmq.destination.routing_key", key);
    }
}

/// Exchange, routing key and queue, and the name that they make up together: those that are there,
/// with colons between them, and what is the same as the one before only once.
fn destination(exchange: &[u8], key: &[u8], queue: &[u8], into: &mut Attributes) {
    exchange_name(exchange, into);
    routing_key(key, into);
    if !queue.is_empty() {
        into.push_bytes("amqp.queue", queue);
    }
    let exchange: &[u8] = if exchange.is_empty() { b"amq.default" } else { exchange };
    let queue = if queue == key { &[][..] } else { queue };
    let mut name = exchange.to_vec();
    for part in [key, queue].into_iter().filter(|part| !part.is_empty()) {
        name.push(b':');
        name.extend_from_slice(part);
    }
    into.push_bytes("messaging.destination.name", &name);
}
