//! Attributes of NATS exchanges.

use fact::{Attributes, Exchange, Outcome};

/// Longest text that is kept.
const LONGEST: usize = 1024;

fn text(into: &mut Attributes, key: &'static str, value: &[u8]) {
    into.push_bytes(key, value.get(..LONGEST).unwrap_or(value));
}

/// What a published or delivered message says of itself.
pub(super) fn message(
    exchange: &mut Exchange,
    sent: bool,
    subject: &[u8],
    reply: Option<&[u8]>,
    headers: Option<u64>,
    total: u64,
) {
    let into = &mut exchange.attributes;
    let (name, kind) = match sent {
        true if subject.starts_with(b"$JS.ACK.") => ("ack", "settle"),
        true => ("publish", "send"),
        false => ("deliver", "process"),
    };
    into.push_text("messaging.operation.name", name);
    into.push_text("messaging.operation.type", kind);
    text(into, "messaging.destination.name", subject);
    if subject.starts_with(b"_INBOX.") {
        into.push_bool("messaging.destination.temporary", true);
    }
    if let Some(reply) = reply {
        text(into, "messaging.message.conversation_id", reply);
    }
    let body = total - headers.unwrap_or(0).min(total);
    into.push_int("messaging.message.body.size", i64::try_from(body).unwrap_or(i64::MAX));
}

/// What a subscription says.
pub(super) fn subscription(exchange: &mut Exchange, subject: &[u8], queue: Option<&[u8]>) {
    let into = &mut exchange.attributes;
    into.push_text("messaging.operation.name", "subscribe");
    text(into, "messaging.destination.name", subject);
    if let Some(queue) = queue {
        text(into, "messaging.consumer.group.name", queue);
    }
}

/// Headers that are kept: of traces, and the id that JetStream tells duplicates by.
const KEPT: [(&str, &str); 5] = [
    ("traceparent", "messaging.message.header.traceparent"),
    ("b3", "messaging.message.header.b3"),
    ("sw8", "messaging.message.header.sw8"),
    ("x-request-id", "messaging.message.header.x-request-id"),
    ("nats-msg-id", "messaging.message.id"),
];

/// Headers of a message as far as they are there, and the status of what the server answers itself
/// (`NATS/1.0 503`).
pub(super) fn headers(exchange: &mut Exchange, bytes: &[u8]) {
    let mut lines = bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let status =
        lines.next().and_then(|first| first.strip_prefix(b"NATS/1.0")).unwrap_or_default().trim_ascii();
    for line in lines {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let Some((_, key)) = KEPT.iter().find(|(kept, _)| name.eq_ignore_ascii_case(kept.as_bytes()))
            && exchange.attributes.get(key).is_none()
        {
            text(&mut exchange.attributes, key, value);
        }
    }
    let code = status.split(|b| *b == b' ').next().unwrap_or_default();
    if code.len() != 3 || !code.iter().all(u8::is_ascii_digit) {
        return;
    }
    text(&mut exchange.attributes, "messaging.nats.status_code", code);
    let outcome = match code[0] {
        b'4' => Outcome::ClientError,
        b'5' => Outcome::ServerError,
        _ => return,
    };
    exchange.outcome = outcome;
    text(&mut exchange.attributes, "error.type", code);
}

/// Errors by what they say, which may name subjects and users behind it.
const ERRORS: [&str; 16] = [
    "Unknown Protocol Operation",
    "Attempted To Connect To Route Port",
    "Authorization Violation",
    "Authorization Timeout",
    "Authentication Timeout",
    "Authentication Expired",
    "Invalid Client Protocol",
    "Maximum Control Line Exceeded",
    "Parser Error",
    "Secure Connection - TLS Required",
    "Stale Connection",
    "Maximum Connections Exceeded",
    "Slow Consumer",
    "Maximum Payload Violation",
    "Invalid Subject",
    "Permissions Violation",
];

/// What `-ERR` says.
pub(super) fn error(exchange: &mut Exchange, said: &[u8]) {
    let said = said.strip_prefix(b"'").unwrap_or(said);
    let known = ERRORS.iter().find(|known| {
        said.get(..known.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(known.as_bytes()))
    });
    exchange.outcome = match known {
        Some(&("Slow Consumer" | "Maximum Connections Exceeded" | "Stale Connection")) => {
            Outcome::ServerError
        }
        _ => Outcome::ClientError,
    };
    exchange.attributes.push_text("error.type", known.unwrap_or(&"_OTHER"));
}
