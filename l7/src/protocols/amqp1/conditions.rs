//! Errors of AMQP 1.0: condition, description, and whose fault they are.

use super::types::{Items, Value};
use crate::kit::reader::first_bytes;
use fact::{Attributes, Outcome};

/// Bytes of a text that are recorded.
const TEXT: usize = 512;

/// Adds an error (part 2, section 2.8.14) to the attributes: its condition and description.
pub(super) fn push_error(error: Items<'_>, into: &mut Attributes) -> Outcome {
    let condition = error.field(0).bytes().unwrap_or_default();
    into.push_bytes("error.type", first_bytes(condition, TEXT));
    if let Some(description) = error.field(1).bytes() {
        into.push_bytes("amqp.description", first_bytes(description, TEXT));
    }
    match condition {
        b"amqp:internal-error"
        | b"amqp:not-implemented"
        | b"amqp:resource-limit-exceeded"
        | b"amqp:connection:forced"
        | b"amqp:connection:redirect"
        | b"amqp:link:redirect"
        | b"amqp:link:detach-forced" => Outcome::ServerError,
        _ => Outcome::ClientError,
    }
}

/// Adds the state of a delivery (part 3, section 3.4) to the attributes. None if it is no outcome.
pub(super) fn push_delivery_state(state: Value<'_>, into: &mut Attributes) -> Option<Outcome> {
    let Value::Described(code, fields) = state else { return Some(Outcome::Ok) };
    let (name, outcome) = match code {
        0x24 => ("accepted", Outcome::Ok),
        0x25 => ("rejected", Outcome::ClientError),
        0x26 => ("released", Outcome::ServerError),
        0x27 => ("modified", Outcome::ServerError),
        0x33 => ("declared", Outcome::Ok),
        // Part 4, section 4.5.8: the outcome within a transaction.
        0x34 => return push_delivery_state(transactional(fields), into),
        _ => return None,
    };
    into.push_text("amqp.delivery_state", name);
    match fields.field(0).described(0x1d) {
        Some(why) if code == 0x25 => {
            push_error(why, into);
        }
        _ if outcome != Outcome::Ok => into.push_text("error.type", name),
        _ => {}
    }
    Some(outcome)
}

/// The outcome that a transactional state holds; one within another is none.
fn transactional(fields: Items<'_>) -> Value<'_> {
    match fields.field(1) {
        Value::Described(0x34, _) => Value::Null,
        other => other,
    }
}

/// Adds the outcome of a log-in (part 5, section 5.3.3.6) to the attributes.
pub(super) fn push_sasl_outcome(code: u64, into: &mut Attributes) -> Outcome {
    let (name, outcome) = match code {
        0 => return Outcome::Ok,
        1 => ("auth", Outcome::ClientError),
        2 => ("sys", Outcome::ServerError),
        3 => ("sys-perm", Outcome::ServerError),
        _ => ("sys-temp", Outcome::ServerError),
    };
    into.push_text("error.type", name);
    outcome
}
