//! Reads the head of a message (RFC 9112 section 2.1) into the entry of its exchange.

use super::attributes::{self, Field};
use super::body::Framing;
use super::lines::Lines;
use super::url::Target;
use crate::correlate::{Entry, Kind, Messages};
use crate::protocols::grpc::{self, Form};

/// Tags of requests whose responses are delimited by other rules (RFC 9112 section 6.3).
pub(super) const HEAD: u16 = 1;
pub(super) const CONNECT: u16 = 2;

/// What a head says other than attributes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HeadInfo {
    pub(super) framing: Framing,
    /// `HEAD`, `CONNECT` or 0; requests only.
    pub(super) tag: u16,
    /// Status code; 0 in requests.
    pub(super) code: u16,
    /// Minor version; responses only.
    pub(super) minor: u8,
    /// Form of the gRPC-Web call in the body.
    pub(super) grpc_form: Option<Form>,
    /// A `grpc-status` field was in the head of a response to a call.
    pub(super) has_grpc_status: bool,
}

/// The bytes of a head, and where its lines end.
pub(super) struct Head<'a> {
    /// Where its message begins in the bytes shown.
    pub(super) at: usize,
    pub(super) bytes: &'a [u8],
    pub(super) lines: &'a Lines,
}

impl<'a> Head<'a> {
    /// Opens a request and fills its entry.
    pub(super) fn open_request<'m>(
        &self,
        method: &[u8],
        target: &[u8],
        minor: Option<u8>,
        out: &'m mut Messages,
    ) -> (HeadInfo, &'m mut Entry) {
        let entry = out.open(Kind::Request, 0, self.at);
        entry.notes.tag = match method {
            b"HEAD" => HEAD,
            b"CONNECT" => CONNECT,
            _ => 0,
        };
        let tag = entry.notes.tag;
        let exchange = &mut entry.exchange;
        exchange.operation.push_str(std::str::from_utf8(method).unwrap_or_default());
        let into = &mut exchange.attributes;
        attributes::push_method(into, method);
        let target = Target::of(target, tag == CONNECT);
        attributes::push_target(into, &target);
        if let Some(minor) = minor {
            attributes::push_version(into, minor);
        }
        if let Some(authority) = target.authority {
            attributes::push_server(into, authority);
        }
        let (mut framing, mut grpc_form) = (Framing::Unspecified, None);
        for (field, value) in self.lines.fields(self.bytes).filter_map(attributes::request_field) {
            match field {
                Field::Body(field) => framing.on_field(field, value),
                Field::Host if target.authority.is_none() => attributes::push_server(into, value),
                Field::Keep(key) => attributes::push_field(into, key, value),
                Field::ContentType(key) => {
                    grpc_form = grpc_web_form(value);
                    attributes::push_field(into, key, value);
                }
                Field::Host | Field::Upgrade | Field::GrpcStatus | Field::GrpcMessage => {}
            }
        }
        if grpc_form.is_some() {
            grpc::begin_call(exchange);
        }
        (HeadInfo { framing, tag, grpc_form, ..HeadInfo::default() }, entry)
    }

    /// Whether the response upgrades to this protocol.
    pub(super) fn upgrades_to(&self, protocol: &[u8]) -> bool {
        let fields = self.lines.fields(self.bytes).filter_map(attributes::response_field);
        { fields }
            .any(|(field, value)| field == Field::Upgrade && value.eq_ignore_ascii_case(protocol))
    }

    /// Reads the fields of a response into its entry. Returns the value of `Upgrade` as well.
    pub(super) fn read_response_fields(
        &self,
        code: u16,
        minor: u8,
        entry: &mut Entry,
    ) -> (HeadInfo, Option<&'a [u8]>) {
        let exchange = &mut entry.exchange;
        let into = &mut exchange.attributes;
        let (mut framing, mut grpc_form, mut upgrade) = (Framing::Unspecified, None, None);
        let (mut status, mut message) = (None, &b""[..]);
        for (field, value) in self.lines.fields(self.bytes).filter_map(attributes::response_field) {
            match field {
                Field::Body(field) => framing.on_field(field, value),
                Field::Upgrade => upgrade = Some(value),
                Field::Keep(key) => attributes::push_field(into, key, value),
                Field::ContentType(key) => {
                    grpc_form = grpc_web_form(value);
                    attributes::push_field(into, key, value);
                }
                Field::GrpcStatus => {
                    status = std::str::from_utf8(value).ok().and_then(|code| code.parse().ok())
                }
                Field::GrpcMessage => message = value,
                Field::Host => {}
            }
        }
        if grpc_form.is_some() && !grpc::is_call(exchange) {
            grpc::begin_call(exchange);
        }
        let status = status.filter(|_| grpc::is_call(exchange));
        if let Some(status) = status {
            grpc::push_status(exchange, status, message);
        }
        let has_grpc_status = status.is_some();
        let info =
            HeadInfo { framing, code, minor, grpc_form, has_grpc_status, ..HeadInfo::default() };
        (info, upgrade)
    }
}

/// Form of a gRPC-Web call. Native gRPC does not exist on HTTP/1.
fn grpc_web_form(content_type: &[u8]) -> Option<Form> {
    Form::of(content_type).filter(|&form| form != Form::Native)
}

/// Opens the response to the next request with its status line.
pub(super) fn open_response<'m>(
    code: u16,
    minor: u8,
    at: usize,
    out: &'m mut Messages<'_>,
) -> &'m mut Entry {
    let entry = out.open(Kind::Response, 0, at);
    push_status_line(entry, code, minor);
    entry
}

fn push_status_line(entry: &mut Entry, code: u16, minor: u8) {
    let exchange = &mut entry.exchange;
    exchange.outcome = attributes::outcome(code);
    if exchange.request.is_none() {
        attributes::push_version(&mut exchange.attributes, minor);
    }
    exchange.attributes.push_int("http.response.status_code", i64::from(code));
}
