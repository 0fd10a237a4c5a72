//! Which fields become which attributes (OpenTelemetry's HTTP conventions), and the values of those
//! attributes. Where fields begin and end is in `lines`.

use super::body::BodyField;
use super::lines::{trim, trim_end};
use super::url::{Target, host_and_port, redacted};
use crate::limits::LONGEST_VALUE;
use fact::{Attributes, Outcome};

/// What a field is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Body(BodyField),
    Host,
    Upgrade,
    /// Becomes the attribute of this key. The value shows as well whether a gRPC-Web call is in the
    /// body.
    ContentType(&'static str),
    GrpcStatus,
    GrpcMessage,
    /// Becomes the attribute of this key.
    Keep(&'static str),
}

/// Fields of requests that are used, by the first letter of their names. Credentials
/// (Authorization, Cookie…) are not among them.
fn request_names(first: u8) -> &'static [(&'static str, Field)] {
    match first.to_ascii_lowercase() {
        b'h' => &[("host", Field::Host)],
        b'c' => &[
            ("content-length", Field::Body(BodyField::ContentLength)),
            ("content-type", Field::ContentType("http.request.header.content-type")),
        ],
        b't' => &[
            ("transfer-encoding", Field::Body(BodyField::TransferEncoding)),
            ("traceparent", Field::Keep("http.request.header.traceparent")),
        ],
        b'u' => &[("user-agent", Field::Keep("user_agent.original"))],
        b'b' => &[("b3", Field::Keep("http.request.header.b3"))],
        b's' => &[("sw8", Field::Keep("http.request.header.sw8"))],
        b'x' => &[
            ("x-b3-traceid", Field::Keep("http.request.header.x-b3-traceid")),
            ("x-b3-spanid", Field::Keep("http.request.header.x-b3-spanid")),
            ("x-b3-parentspanid", Field::Keep("http.request.header.x-b3-parentspanid")),
            ("x-request-id", Field::Keep("http.request.header.x-request-id")),
        ],
        _ => &[],
    }
}

/// Fields of responses that are used, by the first letter of their names.
fn response_names(first: u8) -> &'static [(&'static str, Field)] {
    match first.to_ascii_lowercase() {
        b'c' => &[
            ("content-length", Field::Body(BodyField::ContentLength)),
            ("content-type", Field::ContentType("http.response.header.content-type")),
        ],
        b't' => &[("transfer-encoding", Field::Body(BodyField::TransferEncoding))],
        b'u' => &[("upgrade", Field::Upgrade)],
        b'g' => &[("grpc-status", Field::GrpcStatus), ("grpc-message", Field::GrpcMessage)],
        b'x' => &[("x-request-id", Field::Keep("http.response.header.x-request-id"))],
        _ => &[],
    }
}

/// Use and value of a field line of a request.
pub(super) fn request_field(line: &[u8]) -> Option<(Field, &[u8])> {
    find(request_names(*line.first()?), line)
}

/// Use and value of a field line of a response.
pub(super) fn response_field(line: &[u8]) -> Option<(Field, &[u8])> {
    find(response_names(*line.first()?), line)
}

/// Attribute key of a field of a request or of a response, by its name in lower case.
pub(crate) fn attribute_key(name: &[u8], of_request: bool) -> Option<&'static str> {
    let first = *name.first()?;
    let names = if of_request { request_names(first) } else { response_names(first) };
    names.iter().find_map(|&(known, field)| match field {
        Field::Keep(key) | Field::ContentType(key) if known.as_bytes() == name => Some(key),
        _ => None,
    })
}

/// Finds the name of a field line among `names`.
fn find<'a>(names: &[(&str, Field)], line: &'a [u8]) -> Option<(Field, &'a [u8])> {
    names.iter().find_map(|&(name, field)| {
        let (start, rest) = line.split_at_checked(name.len())?;
        let rest = if start.eq_ignore_ascii_case(name.as_bytes()) { rest } else { return None };
        let value = rest.trim_ascii_start().strip_prefix(b":")?;
        Some((field, trim(trim_end(value))))
    })
}

/// Adds a field's value. A folded one (RFC 9112 section 5.2) becomes one line.
pub(crate) fn push_field(into: &mut Attributes, key: &'static str, value: &[u8]) {
    let value = cut(value);
    if memchr::memchr(b'\n', value).is_none() {
        return into.push_bytes(key, value);
    }
    let lines: Vec<_> = value.split(|&b| b == b'\n').map(trim).collect();
    into.push_bytes(key, &lines.join(&b' '));
}

/// The first `LONGEST_VALUE` bytes of a value.
fn cut(value: &[u8]) -> &[u8] {
    &value[..value.len().min(LONGEST_VALUE)]
}

/// Methods of OpenTelemetry's closed set for `http.request.method`.
const METHODS: [&str; 9] =
    ["GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"];

pub(crate) fn push_method(into: &mut Attributes, method: &[u8]) {
    match METHODS.iter().find(|m| m.as_bytes() == method) {
        Some(known) => into.push_text("http.request.method", known),
        None => {
            into.push_text("http.request.method", "_OTHER");
            into.push_bytes("http.request.method_original", method);
        }
    }
}

/// Outcome of a status code (RFC 9110 section 15).
pub(crate) fn outcome(code: u16) -> Outcome {
    match code {
        400..500 => Outcome::ClientError,
        500.. => Outcome::ServerError,
        _ => Outcome::Ok,
    }
}

pub(super) fn push_version(into: &mut Attributes, minor: u8) {
    const VERSIONS: [&str; 10] =
        ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"];
    if let Some(version) = VERSIONS.get(usize::from(minor)) {
        into.push_text("network.protocol.version", version);
    }
}

pub(crate) fn push_target(into: &mut Attributes, target: &Target<'_>) {
    if !target.path.is_empty() {
        into.push_text("url.scheme", if target.https { "https" } else { "http" });
        into.push_bytes("url.path", cut(target.path));
    }
    if let Some(query) = target.query {
        match redacted(query) {
            Some(query) => into.push_bytes("url.query", cut(&query)),
            None => into.push_bytes("url.query", cut(query)),
        }
    }
}

pub(crate) fn push_server(into: &mut Attributes, authority: &[u8]) {
    let (host, port) = host_and_port(authority);
    if !host.is_empty() {
        into.push_bytes("server.address", cut(host));
    }
    if let Some(port) = port {
        into.push_int("server.port", i64::from(port));
    }
}
