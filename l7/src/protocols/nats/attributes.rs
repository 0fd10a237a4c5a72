//! Attributes of NATS exchanges: messages, their headers, subscriptions and errors.

use fact::{Attributes, Exchange, Outcome};

/// Longest text that is kept, in bytes.
const LONGEST: usize = 1024;

fn push_text(into: &mut Attributes, key: &'static str, value: &[u8]) {
    into.push_bytes(key, value.get(..LONGEST).unwrap_or(value));
}

/// Adds the attributes of a published or delivered message.
pub(super) fn push_message(
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
    push_text(into, "messaging.destination.name", subject);
    if subject.starts_with(b"_INBOX.") {
        into.push_bool("messaging.destination.temporary", true);
    }
    if let Some(reply) = reply {
        push_text(into, "messaging.message.conversation_id", reply);
    }
    let body = total - headers.unwrap_or(0).min(total);
    into.push_int("messaging.message.body.size", i64::try_from(body).unwrap_or(i64::MAX));
}

/// Adds the attributes of a subscription.
pub(super) fn push_subscription(exchange: &mut Exchange, subject: &[u8], queue: Option<&[u8]>) {
    let into = &mut exchange.attributes;
    into.push_text("messaging.operation.name", "subscribe");
    push_text(into, "messaging.destination.name", subject);
    if let Some(queue) = queue {
        push_text(into, "messaging.consumer.group.name", queue);
    }
}

/// Headers that become attributes: those of traces, and the id that JetStream finds duplicates by.
const TRACE_FIELDS: [(&str, &str); 5] = [
    ("traceparent", "messaging.message.header.traceparent"),
    ("b3", "messaging.message.header.b3"),
    ("sw8", "messaging.message.header.sw8"),
    ("x-request-id", "messaging.message.header.x-request-id"),
    ("nats-msg-id", "messaging.message.id"),
];

/// Adds the headers of a message, as far as they are there, and the status of what the server
/// itself responds (`NATS/1.0 503`).
pub(super) fn push_headers(exchange: &mut Exchange, bytes: &[u8]) {
    let mut lines =
        bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let status = lines
        .next()
        .and_then(|first| first.strip_prefix(b"NATS/1.0"))
        .unwrap_or_default()
        .trim_ascii();
    for line in lines {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let Some((_, key)) =
            TRACE_FIELDS.iter().find(|(kept, _)| name.eq_ignore_ascii_case(kept.as_bytes()))
            && exchange.attributes.get(key).is_none()
        {
            push_text(&mut exchange.attributes, key, value);
        }
    }
    let code = status.split(|b| *b == b' ').next().unwrap_or_default();
    if code.len() != 3 || !code.iter().all(u8::is_ascii_digit) {
        return;
    }
    push_text(&mut exchange.attributes, "messaging.nats.status_code", code);
    let outcome = match code[0] {
        b'4' => Outcome::ClientError,
        b'5' => Outcome::ServerError,
        _ => return,
    };
    exchange.outcome = outcome;
    push_text(&mut exchange.attributes, "error.type", code);
}

/// Beginnings of error messages. Subjects and users may follow, and are not kept.
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

/// Adds the error of `-ERR`.
pub(super) fn push_error(exchange: &mut Exchange, message: &[u8]) {
    let message = message.strip_prefix(b"'").unwrap_or(message);
    let known = ERRORS.iter().find(|known| {
        message.get(..known.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(known.as_bytes()))
    });
    exchange.outcome = match known {
        Some(&("Slow Consumer" | "Maximum Connections Exceeded" | "Stale Connection")) => {
            Outcome::ServerError
        }
        _ => Outcome::ClientError,
    };
    exchange.attributes.push_text("error.type", known.unwrap_or(&"_OTHER"));
}
