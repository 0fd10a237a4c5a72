//! gRPC on HTTP/2 and gRPC-Web (grpc/grpc `doc/PROTOCOL-HTTP2.md`, `doc/PROTOCOL-WEB.md`): method,
//! status and message counts of a call. Frames and fields are read by `http2` and `http`.

mod base64;
mod form;
mod message_counter;

pub(crate) use form::Form;
pub(crate) use message_counter::MessageCounter;

use crate::limits::LONGEST_VALUE;
use fact::{Exchange, Outcome, Protocol, Value};

/// gRPC over HTTP/2, and gRPC-Web.
const GRPC: Protocol = Protocol::new("grpc");

/// Whether an exchange of HTTP is a call.
pub(crate) fn is_call(exchange: &Exchange) -> bool {
    exchange.protocol == GRPC
}

/// Turns an exchange of HTTP into a call of the method that its path names:
/// `/package.Service/Method`. The operation stays empty if the path is unknown.
pub(crate) fn begin_call(exchange: &mut Exchange) {
    exchange.protocol = GRPC;
    exchange.operation.clear();
    let path = match exchange.attributes.get("url.path") {
        Some(Value::Text(path)) => Some(path.strip_prefix('/').unwrap_or(path).to_owned()),
        _ => None,
    };
    let into = &mut exchange.attributes;
    into.push_text("rpc.system", "grpc");
    into.push_text("rpc.system.name", "grpc");
    // The request's head was lost, or it had no `:path`.
    let Some(path) = path else { return };
    let (service, method) = path.rsplit_once('/').unwrap_or(("", &path));
    if !service.is_empty() {
        into.push_text("rpc.service", service);
    }
    into.push_text("rpc.method", method);
    exchange.operation.push_str(method);
}

/// Adds the status of a call. OpenTelemetry's conventions for server spans say which codes are
/// server errors.
pub(crate) fn push_status(exchange: &mut Exchange, code: u32, message: &[u8]) {
    exchange.outcome = match code {
        code::OK => Outcome::Ok,
        code::UNKNOWN
        | code::DEADLINE_EXCEEDED
        | code::UNIMPLEMENTED
        | code::INTERNAL
        | code::UNAVAILABLE
        | code::DATA_LOSS => Outcome::ServerError,
        _ => Outcome::ClientError,
    };
    let into = &mut exchange.attributes;
    into.push_int("rpc.grpc.status_code", i64::from(code));
    into.push_int("rpc.status_code", i64::from(code));
    match NAMES.get(code as usize) {
        Some(name) => into.push_text("rpc.response.status_code", name),
        None => into.push_text("rpc.response.status_code", &code.to_string()),
    }
    if !message.is_empty() {
        into.push_bytes("rpc.response.metadata.grpc-message", &decoded(message));
    }
}

/// The response of a call ended without a `grpc-status` field. The status is the one in its content
/// (gRPC-Web); without that, bytes were lost.
pub(crate) fn finish_call(exchange: &mut Exchange, messages: Option<&MessageCounter>) {
    if exchange.outcome != Outcome::Ok {
        return;
    }
    match messages.and_then(MessageCounter::status) {
        Some((code, message)) => push_status(exchange, code, message),
        None => exchange.outcome = Outcome::LostBytes,
    }
}

/// Adds the number of messages in a request or response that ended.
pub(crate) fn add_message_count(exchange: &mut Exchange, request: bool, messages: u64) {
    let key =
        if request { "wirespan.rpc.request.messages" } else { "wirespan.rpc.response.messages" };
    exchange.attributes.add_int(key, i64::try_from(messages).unwrap_or(i64::MAX));
}

/// Status codes (grpc/grpc `doc/statuscodes.md`) that are tested for.
mod code {
    pub(super) const OK: u32 = 0;
    pub(super) const UNKNOWN: u32 = 2;
    pub(super) const DEADLINE_EXCEEDED: u32 = 4;
    pub(super) const UNIMPLEMENTED: u32 = 12;
    pub(super) const INTERNAL: u32 = 13;
    pub(super) const UNAVAILABLE: u32 = 14;
    pub(super) const DATA_LOSS: u32 = 15;
}

/// Names of the status codes, in the order of their numbers.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Removes the percent-encoding of a status message, up to `LONGEST_VALUE` bytes.
fn decoded(message: &[u8]) -> Vec<u8> {
    let hex = |b: u8| char::from(b).to_digit(16);
    let mut out = Vec::with_capacity(message.len().min(LONGEST_VALUE));
    let mut rest = message;
    while let [first, behind @ ..] = rest
        && out.len() < LONGEST_VALUE
    {
        rest = behind;
        match behind {
            [high, low, after @ ..] if *first == b'%' => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push((high << 4 | low) as u8);
                    rest = after;
                }
                _ => out.push(b'%'),
            },
            _ => out.push(*first),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_say_the_form() {
        assert_eq!(Form::of(b"application/grpc"), Some(Form::Native));
        assert_eq!(Form::of(b"Application/GRPC+proto"), Some(Form::Native));
        assert_eq!(Form::of(b"application/grpc-web+proto"), Some(Form::Web));
        assert_eq!(Form::of(b"application/grpc-web-text; charset=utf-8"), Some(Form::WebText));
        assert_eq!(Form::of(b"application/grpcurl"), None);
        assert_eq!(Form::of(b"application/json"), None);
    }

    #[test]
    fn a_message_is_told_without_its_encoding() {
        assert_eq!(decoded(b"a%20b%2"), b"a b%2");
        assert_eq!(decoded(b"%zz%E2%82%AC"), "%zz€".as_bytes());
        assert_eq!(decoded(&[b'x'; 5000]).len(), LONGEST_VALUE);
    }
}
