//! Attributes of parameters (RFC 3875's meta-variables) and of the head of a response (RFC 3875
//! section 6).

use super::parameters::Parameters;
use crate::limits::LONGEST_VALUE;
use crate::protocols::http::attributes as http;
use crate::protocols::http::url::Target;
use fact::Exchange;

/// Parameters that become an attribute, with its key.
const FIELDS: [(&[u8], &str); 10] = [
    (b"CONTENT_TYPE", "http.request.header.content-type"),
    (b"HTTP_USER_AGENT", "user_agent.original"),
    (b"HTTP_TRACEPARENT", "http.request.header.traceparent"),
    (b"HTTP_B3", "http.request.header.b3"),
    (b"HTTP_SW8", "http.request.header.sw8"),
    (b"HTTP_X_REQUEST_ID", "http.request.header.x-request-id"),
    (b"HTTP_X_B3_TRACEID", "http.request.header.x-b3-traceid"),
    (b"HTTP_X_B3_SPANID", "http.request.header.x-b3-spanid"),
    (b"HTTP_X_B3_PARENTSPANID", "http.request.header.x-b3-parentspanid"),
    (b"REMOTE_ADDR", "client.address"),
];

/// Adds the attributes of a request's parameters. Returns how many bytes of the last one are in the
/// next record.
pub(super) fn push_parameters(exchange: &mut Exchange, bytes: &[u8]) -> Option<u64> {
    let mut list = Parameters::new(bytes);
    let (mut uri, mut script, mut query, mut host, mut name) = (None, None, None, None, None);
    for (key, value) in list.by_ref() {
        match key {
            b"REQUEST_METHOD" if exchange.operation.is_empty() => {
                let method = value.get(..value.len().min(32)).unwrap_or_default();
                exchange.operation.push_str(&String::from_utf8_lossy(method));
                http::push_method(&mut exchange.attributes, method);
            }
            b"REQUEST_URI" => uri = Some(value),
            b"SCRIPT_NAME" => script = Some(value),
            b"QUERY_STRING" => query = Some(value).filter(|query| !query.is_empty()),
            b"HTTP_HOST" => host = Some(value),
            b"SERVER_NAME" => name = Some(value),
            _ => {
                if let Some((_, attribute)) = FIELDS.iter().find(|(kept, _)| *kept == key)
                    && !value.is_empty()
                {
                    exchange
                        .attributes
                        .push_bytes(attribute, value.get(..LONGEST_VALUE).unwrap_or(value));
                }
            }
        }
    }
    let into = &mut exchange.attributes;
    if into.get("url.path").is_none() {
        match (uri, script) {
            (Some(uri), _) => http::push_target(into, &Target::of(uri, false)),
            (None, Some(path)) => {
                http::push_target(into, &Target { path, query, ..Target::default() })
            }
            (None, None) => {}
        }
    }
    if let Some(server) = host.or(name)
        && into.get("server.address").is_none()
    {
        http::push_server(into, server);
    }
    list.beyond
}

/// Adds the attributes of a response's head, as far as it is there.
pub(super) fn push_response_head(exchange: &mut Exchange, bytes: &[u8]) {
    let mut code = None;
    let mut moved = false;
    let mut whole = false;
    for line in bytes.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            whole = true;
            break;
        }
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"status") {
            let digits = value.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
            code = digits
                .and_then(|digits| digits.parse::<u16>().ok())
                .filter(|code| (100..1000).contains(code));
        } else if name.eq_ignore_ascii_case(b"location") {
            moved = true;
        } else if name.eq_ignore_ascii_case(b"content-type") {
            let value = value.get(..LONGEST_VALUE).unwrap_or(value);
            exchange.attributes.push_bytes("http.response.header.content-type", value);
        }
    }
    // Without a status the response is a success (RFC 3875 section 6.3.3).
    if let Some(code) = code.or(whole.then_some(if moved { 302 } else { 200 })) {
        exchange.attributes.push_int("http.response.status_code", i64::from(code));
        exchange.outcome = http::outcome(code);
    }
}
