//! Sections of a message before its body.

use std::fmt::Write;

use super::types::{Items, Value, value};
use crate::kit::reader::{Reader, first_bytes};
use fact::Attributes;

/// Bytes of a text that are recorded.
const TEXT: usize = 512;

/// Adds the sections of a message (part 3, section 3.2) up to its body to the attributes, as far as
/// they are there.
pub(super) fn push_sections(payload: &[u8], into: &mut Attributes) -> Option<()> {
    let mut r = Reader::new(payload);
    loop {
        let mut body = r;
        if body.u8()? != 0 {
            return None;
        }
        match value(&mut body)?.number()? {
            0x73 => {
                let Value::Described(_, fields) = value(&mut r)? else { return None };
                properties(fields, into);
            }
            0x74 => {
                if let Value::Map(mut pairs) = value(&mut body)? {
                    application_properties(&mut pairs, into);
                }
                r = body;
            }
            0x75 => {
                let size = match body.u8()? {
                    0xa0 => u64::from(body.u8()?),
                    0xb0 => u64::from(body.u32()?),
                    _ => return None,
                };
                into.push_int("messaging.message.body.size", size as i64);
                return Some(());
            }
            0x70..=0x72 => {
                value(&mut r)?;
            }
            _ => return Some(()),
        }
    }
}

fn properties(fields: Items<'_>, into: &mut Attributes) {
    let texts = [(0, "messaging.message.id"), (3, "amqp.subject"), (4, "amqp.reply_to")];
    let more = [(5, "messaging.message.conversation_id"), (6, "amqp.content_type")];
    for (number, key) in texts.into_iter().chain(more) {
        match fields.field(number) {
            Value::Bytes(bytes) => into.push_bytes(key, first_bytes(bytes, TEXT)),
            Value::Number(id) => {
                let mut text = String::new();
                let _ = write!(text, "{id}");
                into.push_text(key, &text);
            }
            _ => {}
        }
    }
}

fn application_properties(pairs: &mut Items<'_>, into: &mut Attributes) {
    while let Some((name, value)) = pairs.next().zip(pairs.next()) {
        if let (Value::Bytes(name), Value::Bytes(value)) = (name, value)
            && name.eq_ignore_ascii_case(b"traceparent")
        {
            into.push_bytes("messaging.message.header.traceparent", first_bytes(value, TEXT));
        }
    }
}
