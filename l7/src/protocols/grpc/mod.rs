//! gRPC on HTTP/2 and gRPC-Web: what a call says, how it ended, and how many messages it carried.

mod base64;
mod messages;

pub(crate) use messages::Messages;

use crate::limits::LONGEST_VALUE;
use fact::{Exchange, Outcome, Protocol, Value};

/// How a call's messages are laid out in the content of its request and response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Each behind 5 bytes with its length; the status stands in the trailers.
    Native,
    /// gRPC-Web: the status stands in a last message of its own.
    Web,
    /// The same in Base64.
    WebText,
}

impl Form {
    /// By the content type.
    pub(crate) fn of(content_type: &[u8]) -> Option<Self> {
        const PREFIX: &[u8] = b"application/grpc";
        let (start, rest) = content_type.split_at_checked(PREFIX.len())?;
        if !start.eq_ignore_ascii_case(PREFIX) {
            return None;
        }
        let end = rest.iter().position(|b| matches!(b, b'+' | b';' | b' ')).unwrap_or(rest.len());
        match rest[..end].to_ascii_lowercase().as_slice() {
            b"" => Some(Self::Native),
            b"-web" => Some(Self::Web),
            b"-web-text" => Some(Self::WebText),
            _ => None,
        }
    }
}

/// Makes an exchange of HTTP a call of the method that its path names: `/package.Service/Method`. Nothing is its name where the path
/// is unknown.
pub(crate) fn ask(exchange: &mut Exchange) {
    exchange.protocol = Protocol::Grpc;
    exchange.operation.clear();
    let path = match exchange.attributes.get("url.path") {
        Some(Value::Text(path)) => Some(path.strip_prefix('/').unwrap_or(path).to_owned()),
        _ => None,
    };
    let into = &mut exchange.attributes;
    into.push_text("rpc.system", "grpc");
    into.push_text("rpc.system.name", "grpc");
    let Some(path) = path else { return };
    let (service, method) = path.rsplit_once('/').unwrap_or(("", &path));
    if !service.is_empty() {
        into.push_text("rpc.service", service);
    }
    into.push_text("rpc.method", method);
    exchange.operation.push_str(method);
}

/// How a call ended. Which codes are the server's fault is as OpenTelemetry has it for server spans.
pub(crate) fn answer(exchange: &mut Exchange, code: u32, message: &[u8]) {
    exchange.outcome = match code {
        0 => Outcome::Ok,
        2 | 4 | 12 | 13 | 14 | 15 => Outcome::ServerError,
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

/// A call of which no field said how it ended, and whose response came to its end with these messages: its content says it, or nothing
/// does.
pub(crate) fn conclude(exchange: &mut Exchange, messages: Option<&Messages>) {
    if exchange.outcome != Outcome::Ok {
        return;
    }
    match messages.and_then(Messages::status) {
        Some((code, message)) => answer(exchange, code, message),
        None => exchange.outcome = Outcome::LostBytes,
    }
}

/// Counts the messages of a finished side.
pub(crate) fn count(exchange: &mut Exchange, request: bool, messages: u64) {
    let key = if request { "wirespan.rpc.request.messages" } else { "wirespan.rpc.response.messages" };
    exchange.attributes.add_int(key, i64::try_from(messages).unwrap_or(i64::MAX));
}

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

/// The message without its percent-encoding, as far as it is kept.
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
