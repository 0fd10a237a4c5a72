//! PUBLISH.

use wire::Direction;

use super::aliases::Aliases;
use super::packet::Header;
use super::properties::{Properties, varint};
use crate::kit::reader::{Reader, first_bytes};
use fact::Attributes;

/// Bytes of properties that are read.
const PROPERTIES: usize = 2048;
/// Bytes of a topic that are recorded.
const TOPIC: usize = 1024;
/// Most bytes of a topic that has to be complete. Behind a longer one no packet id is read.
const LONGEST: usize = 8192;

/// The variable header of a PUBLISH (section 3.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Publish<'a> {
    topic: &'a [u8],
    pub(super) id: Option<u16>,
    properties: Properties<'a>,
    /// Bytes of the payload, where they are known.
    payload: Option<usize>,
}

impl<'a> Publish<'a> {
    /// How many bytes of the body are worth waiting for. `Err`: so many bytes are needed to know
    /// that.
    pub(super) fn wanted(header: Header, level: Option<u8>, body: &[u8]) -> Result<usize, usize> {
        let mut r = Reader::new(body);
        let topic = usize::from(r.u16().ok_or(2usize)?);
        if topic > LONGEST {
            return Ok((2 + TOPIC).min(header.remaining));
        }
        let fixed = 2 + topic + if header.qos() > 0 { 2 } else { 0 };
        if level != Some(5) || fixed >= header.remaining {
            return Ok(fixed.min(header.remaining));
        }
        let mut r = Reader::new(body.get(fixed..).unwrap_or_default());
        let before = r.len();
        let Some(len) = varint(&mut r) else {
            return if before >= 4 {
                Ok(fixed)
            } else {
                Err((fixed + before + 1).min(header.remaining))
            };
        };
        let properties = (len as usize).min(PROPERTIES);
        Ok((fixed + before - r.len() + properties).min(header.remaining))
    }

    /// Reads as much as there is of the body.
    pub(super) fn read(header: Header, level: Option<u8>, body: &'a [u8]) -> Option<Self> {
        let mut r = Reader::new(body);
        let len = usize::from(r.u16()?);
        let topic = r.take(len.min(r.len()))?;
        let mut found = Self { topic, id: None, properties: Properties::default(), payload: None };
        if topic.len() < len {
            return Some(found);
        }
        if header.qos() > 0 {
            let Some(id) = r.u16() else { return Some(found) };
            found.id = Some(id);
        }
        match level {
            Some(5) => {
                let Some(properties) = varint(&mut r) else { return Some(found) };
                let before = body.len() - r.len() + properties as usize;
                found.payload = header.remaining.checked_sub(before);
                found.properties = Properties::read(r.rest());
            }
            Some(_) => found.payload = header.remaining.checked_sub(body.len() - r.len()),
            None => {}
        }
        Some(found)
    }

    pub(super) fn push_attributes(
        &self,
        header: Header,
        direction: Direction,
        aliases: &mut Aliases,
        into: &mut Attributes,
    ) {
        into.push_text("messaging.operation.name", "publish");
        let kind = if direction == Direction::ToServer { "send" } else { "receive" };
        into.push_text("messaging.operation.type", kind);
        let topic = first_bytes(self.topic, TOPIC);
        match self.properties.topic_alias {
            Some(alias) if topic.is_empty() => {
                if let Some(topic) = aliases.topic(alias) {
                    into.push_text("messaging.destination.name", topic);
                }
                into.push_int("mqtt.topic_alias", i64::from(alias));
            }
            Some(alias) => {
                let topic = String::from_utf8_lossy(topic);
                aliases.insert(alias, &topic);
                into.push_text("messaging.destination.name", &topic);
            }
            None => into.push_bytes("messaging.destination.name", topic),
        }
        into.push_int("mqtt.qos", i64::from(header.qos()));
        if let Some(id) = self.id {
            into.push_int("mqtt.packet_id", i64::from(id));
        }
        for (flag, key) in [(1, "mqtt.retain"), (8, "mqtt.dup")] {
            if header.flags & flag != 0 {
                into.push_bool(key, true);
            }
        }
        if let Some(payload) = self.payload {
            into.push_int("messaging.message.body.size", payload as i64);
        }
        let texts = [
            ("mqtt.content_type", self.properties.content_type),
            ("mqtt.response_topic", self.properties.response_topic),
            ("messaging.message.header.traceparent", self.properties.traceparent),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                into.push_bytes(key, first_bytes(value, TOPIC));
            }
        }
        if let Some(subscription) = self.properties.subscription {
            into.push_int("mqtt.subscription_id", i64::from(subscription));
        }
    }
}
