//! What a call asked, and how it ended.

use fact::{Outcome, Protocol, Value};
use store::{Call, Cause};

use crate::output::words;

/// Protocols whose operation needs no protocol in front of it.
const HTTP: [Protocol; 2] = [Protocol::new("http"), Protocol::new("http2")];

/// What was asked, in short. Requests of HTTP speak for themselves; a `GET` of others does not.
pub(crate) fn title(call: &Call) -> String {
    let request = words::subject(|key| call.attributes.get(key))
        .map(|value| words::request(&call.operation, &text(value)));
    let protocol = call.protocol.as_str();
    match request {
        Some(request) if HTTP.contains(&call.protocol) => request,
        Some(request) => format!("{protocol} {request}"),
        None => format!("{protocol} {}", call.operation),
    }
}

/// How it ended, and how its place in the trace is known if not for certain.
pub(crate) fn status(call: &Call) -> String {
    let code = words::status(call.is_error(), |key| call.attributes.get(key).map(text));
    let mut status = match code {
        Some(code) if is_answered(call.outcome) => code,
        _ => call.outcome.as_str().replace('_', " "),
    };
    match call.cause {
        Cause::Header => status.push_str(" (by header)"),
        Cause::Thread if call.guess => status.push_str(" (a guess)"),
        Cause::None if call.undecided.is_some() => status.push_str(" (cause undecided)"),
        _ => {}
    }
    status
}

const fn is_answered(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Ok | Outcome::ClientError | Outcome::ServerError)
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Text(text) => text.to_owned(),
    }
}
