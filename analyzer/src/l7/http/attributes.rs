use super::body::BodyField;
use super::url::{Target, host_and_port, redacted};
use crate::fact::Attributes;

/// Longest value that is kept.
const LONGEST: usize = 1024;

/// A field that something is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Body(BodyField),
    Host,
    Connection,
    Upgrade,
    /// Kept under this key.
    Keep(&'static str),
}

/// What a field of a request is for. Credentials (Authorization, Cookie…) are not looked at.
pub(super) fn request_field(name: &[u8]) -> Option<Field> {
    const NAMES: [(&str, Field); 14] = [
        ("host", Field::Host),
        ("content-length", Field::Body(BodyField::ContentLength)),
        ("transfer-encoding", Field::Body(BodyField::TransferEncoding)),
        ("connection", Field::Connection),
        ("upgrade", Field::Upgrade),
        ("user-agent", Field::Keep("user_agent.original")),
        ("content-type", Field::Keep("http.request.header.content-type")),
        ("traceparent", Field::Keep("http.request.header.traceparent")),
        ("b3", Field::Keep("http.request.header.b3")),
        ("x-b3-traceid", Field::Keep("http.request.header.x-b3-traceid")),
        ("x-b3-spanid", Field::Keep("http.request.header.x-b3-spanid")),
        ("x-b3-parentspanid", Field::Keep("http.request.header.x-b3-parentspanid")),
        ("x-request-id", Field::Keep("http.request.header.x-request-id")),
        ("sw8", Field::Keep("http.request.header.sw8")),
    ];
    find(&NAMES, name)
}

/// What a field of a response is for.
pub(super) fn response_field(name: &[u8]) -> Option<Field> {
    const NAMES: [(&str, Field); 6] = [
        ("content-length", Field::Body(BodyField::ContentLength)),
        ("transfer-encoding", Field::Body(BodyField::TransferEncoding)),
        ("connection", Field::Connection),
        ("upgrade", Field::Upgrade),
        ("content-type", Field::Keep("http.response.header.content-type")),
        ("x-request-id", Field::Keep("http.response.header.x-request-id")),
    ];
    find(&NAMES, name)
}

fn find(names: &[(&str, Field)], name: &[u8]) -> Option<Field> {
    names
        .iter()
        .find(|(n, _)| n.len() == name.len() && name.eq_ignore_ascii_case(n.as_bytes()))
        .map(|&(_, f)| f)
}

/// Adds a value; a folded one (RFC 9112 section 5.2) on one line.
pub(super) fn keep(into: &mut Attributes, key: &'static str, value: &[u8]) {
    let value = cut(value);
    if memchr::memchr(b'\n', value).is_none() {
        return into.push_bytes(key, value);
    }
    let lines: Vec<_> = value.split(|&b| b == b'\n').map(super::lines::trim).collect();
    into.push_bytes(key, &lines.join(&b' '));
}

/// The value as far as it is kept.
fn cut(value: &[u8]) -> &[u8] {
    &value[..value.len().min(LONGEST)]
}

/// Methods of OpenTelemetry's closed set for `http.request.method`.
const METHODS: [&str; 9] = ["GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"];

pub(super) fn method(into: &mut Attributes, method: &[u8]) {
    match METHODS.iter().find(|m| m.as_bytes() == method) {
        Some(known) => into.push_text("http.request.method", known),
        None => {
            into.push_text("http.request.method", "_OTHER");
            into.push_bytes("http.request.method_original", method);
        }
    }
}

pub(super) fn version(into: &mut Attributes, minor: u8) {
    const VERSIONS: [&str; 10] = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"];
    if let Some(version) = VERSIONS.get(usize::from(minor)) {
        into.push_text("network.protocol.version", version);
    }
}

pub(super) fn target(into: &mut Attributes, target: &Target<'_>) {
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

pub(super) fn server(into: &mut Attributes, authority: &[u8]) {
    let (host, port) = host_and_port(authority);
    if !host.is_empty() {
        into.push_bytes("server.address", cut(host));
    }
    if let Some(port) = port {
        into.push_int("server.port", i64::from(port));
    }
}
