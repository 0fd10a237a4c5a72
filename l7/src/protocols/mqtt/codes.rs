//! Reason codes and return codes.

use fact::{Attributes, Outcome};

/// Reason codes of MQTT 5 (section 2.4).
fn reason(code: u8) -> Option<&'static str> {
    Some(match code {
        0x00 => "success",
        0x01 => "granted QoS 1",
        0x02 => "granted QoS 2",
        0x04 => "disconnect with will message",
        0x10 => "no matching subscribers",
        0x11 => "no subscription existed",
        0x18 => "continue authentication",
        0x19 => "re-authenticate",
        0x80 => "unspecified error",
        0x81 => "malformed packet",
        0x82 => "protocol error",
        0x83 => "implementation specific error",
        0x84 => "unsupported protocol version",
        0x85 => "client identifier not valid",
        0x86 => "bad user name or password",
        0x87 => "not authorized",
        0x88 => "server unavailable",
        0x89 => "server busy",
        0x8a => "banned",
        0x8b => "server shutting down",
        0x8c => "bad authentication method",
        0x8d => "keep alive timeout",
        0x8e => "session taken over",
        0x8f => "topic filter invalid",
        0x90 => "topic name invalid",
        0x91 => "packet identifier in use",
        0x92 => "packet identifier not found",
        0x93 => "receive maximum exceeded",
        0x94 => "topic alias invalid",
        0x95 => "packet too large",
        0x96 => "message rate too high",
        0x97 => "quota exceeded",
        0x98 => "administrative action",
        0x99 => "payload format invalid",
        0x9a => "retain not supported",
        0x9b => "QoS not supported",
        0x9c => "use another server",
        0x9d => "server moved",
        0x9e => "shared subscriptions not supported",
        0x9f => "connection rate exceeded",
        0xa0 => "maximum connect time",
        0xa1 => "subscription identifiers not supported",
        0xa2 => "wildcard subscriptions not supported",
        _ => return None,
    })
}

/// Return codes of CONNACK before MQTT 5 (3.1.1, section 3.2.2.3).
fn return_code(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "connection accepted",
        1 => "unacceptable protocol version",
        2 => "identifier rejected",
        3 => "server unavailable",
        4 => "bad user name or password",
        5 => "not authorized",
        _ => return None,
    })
}

/// Which side is at fault for a reason code.
pub(super) fn outcome(code: u8) -> Outcome {
    match code {
        0..0x80 => Outcome::Ok,
        0x80 | 0x83 | 0x88 | 0x89 | 0x8b | 0x96..=0x98 | 0x9c | 0x9d | 0x9f | 0xa0 => {
            Outcome::ServerError
        }
        _ => Outcome::ClientError,
    }
}

/// Adds a reason code of MQTT 5 to the attributes.
pub(super) fn push_reason_code(code: u8, into: &mut Attributes) -> Outcome {
    push_code(code, reason(code), outcome(code), into)
}

/// Adds a return code of CONNACK in 3.1 and 3.1.1 to the attributes.
pub(super) fn push_return_code(code: u8, into: &mut Attributes) -> Outcome {
    let outcome = match code {
        0 => Outcome::Ok,
        3 => Outcome::ServerError,
        _ => Outcome::ClientError,
    };
    push_code(code, return_code(code), outcome, into)
}

/// Adds the only failure that SUBACK of 3.1.1 has (section 3.9.3) to the attributes: filters that
/// are not valid or not allowed.
pub(super) fn push_failure(code: u8, into: &mut Attributes) -> Outcome {
    push_code(code, Some("failure"), Outcome::ClientError, into)
}

fn push_code(
    code: u8,
    name: Option<&'static str>,
    outcome: Outcome,
    into: &mut Attributes,
) -> Outcome {
    into.push_int("mqtt.reason_code", i64::from(code));
    if let Some(name) = name {
        into.push_text("mqtt.reason", name);
    }
    if outcome != Outcome::Ok {
        match name {
            Some(name) => into.push_text("error.type", name),
            None => into.push_text("error.type", &format!("{code:#04x}")),
        }
    }
    outcome
}
