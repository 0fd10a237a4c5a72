//! Names and fields of performatives (part 2, section 2.7).

use super::conditions;
use super::frame::{ATTACH, CLOSE, DETACH, END, OPEN, SASL_INIT, SASL_OUTCOME};
use super::types::{Items, Value};
use crate::kit::reader::first_bytes;
use fact::{Attributes, Exchange, Outcome};

/// Bytes of a text that are recorded.
const TEXT: usize = 512;

pub(super) fn name(code: u64) -> &'static str {
    match code {
        OPEN => "open",
        0x11 => "begin",
        ATTACH => "attach",
        0x13 => "flow",
        0x14 => "transfer",
        0x15 => "disposition",
        DETACH => "detach",
        END => "end",
        CLOSE => "close",
        _ => "sasl-init",
    }
}

/// The error that a performative carries, if it can carry one.
pub(super) fn error(code: u64, fields: Items<'_>) -> Option<Items<'_>> {
    let number = match code {
        DETACH => 2,
        END | CLOSE => 0,
        _ => return None,
    };
    fields.field(number).described(0x1d)
}

/// Address of the node that a link is to: of its target where the attaching side sends, else of its
/// source.
pub(super) fn address<'a>(fields: Items<'a>) -> Option<&'a [u8]> {
    let (terminus, code) = if is_receiver(fields) { (5, 0x28) } else { (6, 0x29) };
    fields.field(terminus).described(code)?.field(0).bytes()
}

fn is_receiver(fields: Items<'_>) -> bool {
    fields.field(2).is_true()
}

/// Adds the fields of a performative to its exchange. SASL payloads are not read.
pub(super) fn push_fields(code: u64, fields: Items<'_>, answers: bool, into: &mut Exchange) {
    let attributes = &mut into.attributes;
    match code {
        OPEN if !answers => {
            text("amqp.container_id", fields.field(0), attributes);
            text("amqp.virtual_host", fields.field(1), attributes);
        }
        ATTACH if !answers => {
            text("amqp.link", fields.field(0), attributes);
            let role = if is_receiver(fields) { "receiver" } else { "sender" };
            attributes.push_text("amqp.role", role);
            for (number, code, key) in [(5, 0x28, "amqp.source"), (6, 0x29, "amqp.target")] {
                if let Some(terminus) = fields.field(number).described(code) {
                    text(key, terminus.field(0), attributes);
                }
            }
            if let Some(address) = address(fields) {
                attributes.push_bytes("messaging.destination.name", first_bytes(address, TEXT));
            }
        }
        // Section 2.6.3: no terminus where the link could not be made; the `detach` that
        // follows has the reason.
        ATTACH => {
            let own = if is_receiver(fields) { 6 } else { 5 };
            if matches!(fields.field(own), Value::Null) {
                into.outcome = Outcome::ClientError;
                attributes.push_text("error.type", "refused");
            }
        }
        SASL_INIT => text("amqp.mechanism", fields.field(0), attributes),
        SASL_OUTCOME => {
            into.outcome = conditions::push_sasl_outcome(
                fields.field(0).number().unwrap_or_default(),
                attributes,
            );
        }
        _ => {
            if let Some(error) = error(code, fields) {
                into.outcome = conditions::push_error(error, attributes);
            }
        }
    }
}

fn text(key: &'static str, value: Value<'_>, into: &mut Attributes) {
    if let Some(bytes) = value.bytes().filter(|bytes| !bytes.is_empty()) {
        into.push_bytes(key, first_bytes(bytes, TEXT));
    }
}
