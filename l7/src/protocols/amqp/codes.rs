//! Reply codes.

use fact::{Attributes, Outcome};

/// Reply codes (AMQP 0-9-1, "Constants").
fn name(code: u16) -> Option<&'static str> {
    Some(match code {
        200 => "REPLY_SUCCESS",
        311 => "CONTENT_TOO_LARGE",
        312 => "NO_ROUTE",
        313 => "NO_CONSUMERS",
        320 => "CONNECTION_FORCED",
        402 => "INVALID_PATH",
        403 => "ACCESS_REFUSED",
        404 => "NOT_FOUND",
        405 => "RESOURCE_LOCKED",
        406 => "PRECONDITION_FAILED",
        501 => "FRAME_ERROR",
        502 => "SYNTAX_ERROR",
        503 => "COMMAND_INVALID",
        504 => "CHANNEL_ERROR",
        505 => "UNEXPECTED_FRAME",
        506 => "RESOURCE_ERROR",
        530 => "NOT_ALLOWED",
        540 => "NOT_IMPLEMENTED",
        541 => "INTERNAL_ERROR",
        _ => return None,
    })
}

/// Adds a reply code to the attributes; returns whose fault it is.
pub(super) fn push_reply_code(code: u16, text: &[u8], into: &mut Attributes) -> Outcome {
    into.push_int("amqp.reply_code", i64::from(code));
    if !text.is_empty() {
        into.push_bytes("amqp.reply_text", text);
    }
    let outcome = match code {
        0..300 => return Outcome::Ok,
        320 | 506 | 540 | 541 => Outcome::ServerError,
        _ => Outcome::ClientError,
    };
    match name(code) {
        Some(name) => into.push_text("error.type", name),
        None => into.push_text("error.type", &code.to_string()),
    }
    outcome
}
