use super::attributes::{self, Field};
use super::body::Framing;
use super::lines::Lines;
use super::url::Target;
use crate::correlate::{Entry, Kind, Messages};
use crate::protocols::grpc::{self, Form};
use fact::Protocol;

/// Tags of requests whose responses are delimited otherwise.
pub(super) const HEAD: u16 = 1;
pub(super) const CONNECT: u16 = 2;

/// What of a head is not text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    pub(super) framing: Framing,
    /// Of requests.
    pub(super) tag: u16,
    /// Of responses.
    pub(super) code: u16,
    pub(super) minor: u8,
    /// The body is that of a call of gRPC-Web.
    pub(super) call: Option<Form>,
    /// Of responses to calls: a field said how it ended.
    pub(super) has_status: bool,
}

/// A head to be told.
pub(super) struct Head<'a> {
    /// Where its message begins in the bytes shown.
    pub(super) at: usize,
    pub(super) bytes: &'a [u8],
    pub(super) lines: &'a Lines,
}

impl<'a> Head<'a> {
    pub(super) fn request<'m>(
        &self,
        method: &[u8],
        target: &[u8],
        minor: Option<u8>,
        out: &'m mut Messages,
    ) -> (Said, &'m mut Entry) {
        let entry = out.open(Protocol::Http, Kind::Request, 0, self.at);
        entry.notes.tag = match method {
            b"HEAD" => HEAD,
            b"CONNECT" => CONNECT,
            _ => 0,
        };
        let tag = entry.notes.tag;
        let exchange = &mut entry.exchange;
        exchange.operation.push_str(std::str::from_utf8(method).unwrap_or_default());
        let into = &mut exchange.attributes;
        attributes::method(into, method);
        let target = Target::of(target, tag == CONNECT);
        attributes::target(into, &target);
        if let Some(minor) = minor {
            attributes::version(into, minor);
        }
        if let Some(authority) = target.authority {
            attributes::server(into, authority);
        }
        let (mut framing, mut call) = (Framing::Unsaid, None);
        for (field, value) in self.lines.fields(self.bytes).filter_map(attributes::request_field) {
            match field {
                Field::Body(field) => framing.field(field, value),
                Field::Host if target.authority.is_none() => attributes::server(into, value),
                Field::Keep(key) => attributes::keep(into, key, value),
                Field::ContentType(key) => {
                    call = form(value);
                    attributes::keep(into, key, value);
                }
                Field::Host | Field::Upgrade | Field::GrpcStatus | Field::GrpcMessage => {}
            }
        }
        if call.is_some() {
            grpc::ask(exchange);
        }
        (Said { framing, tag, call, ..Said::default() }, entry)
    }

    /// Whether the response upgrades to this protocol.
    pub(super) fn upgrades_to(&self, protocol: &[u8]) -> bool {
        let fields = self.lines.fields(self.bytes).filter_map(attributes::response_field);
        { fields }.any(|(field, value)| field == Field::Upgrade && value.eq_ignore_ascii_case(protocol))
    }

    /// What the fields of a response say, and what it upgrades to.
    pub(super) fn response(&self, code: u16, minor: u8, entry: &mut Entry) -> (Said, Option<&'a [u8]>) {
        let exchange = &mut entry.exchange;
        let into = &mut exchange.attributes;
        let (mut framing, mut call, mut upgrade) = (Framing::Unsaid, None, None);
        let (mut status, mut message) = (None, &b""[..]);
        for (field, value) in self.lines.fields(self.bytes).filter_map(attributes::response_field) {
            match field {
                Field::Body(field) => framing.field(field, value),
                Field::Upgrade => upgrade = Some(value),
                Field::Keep(key) => attributes::keep(into, key, value),
                Field::ContentType(key) => {
                    call = form(value);
                    attributes::keep(into, key, value);
                }
                Field::GrpcStatus => {
                    status = std::str::from_utf8(value).ok().and_then(|code| code.parse().ok())
                }
                Field::GrpcMessage => message = value,
                Field::Host => {}
            }
        }
        if call.is_some() && exchange.protocol != Protocol::Grpc {
            grpc::ask(exchange);
        }
        let status = status.filter(|_| exchange.protocol == Protocol::Grpc);
        if let Some(status) = status {
            grpc::answer(exchange, status, message);
        }
        (Said { framing, code, minor, call, has_status: status.is_some(), ..Said::default() }, upgrade)
    }
}

/// Form of a call in HTTP/1, which has none of gRPC itself.
fn form(content_type: &[u8]) -> Option<Form> {
    Form::of(content_type).filter(|&form| form != Form::Native)
}

/// Begins the response to the next request with what its status line says.
pub(super) fn status(code: u16, minor: u8, at: usize, out: &mut Messages) -> &mut Entry {
    let entry = out.open(Protocol::Http, Kind::Response, 0, at);
    status_line(entry, code, minor);
    entry
}

fn status_line(entry: &mut Entry, code: u16, minor: u8) {
    let exchange = &mut entry.exchange;
    exchange.outcome = attributes::outcome(code);
    if exchange.request.is_none() {
        attributes::version(&mut exchange.attributes, minor);
    }
    exchange.attributes.push_int("http.response.status_code", i64::from(code));
}
