//! What the fields of a header block say, and the attributes that they become. HPACK is `hpack`'s.

use super::hpack::{Field, Name, Role};
use crate::protocols::grpc;
use crate::protocols::http::attributes;
use crate::protocols::http::url::Target;
use fact::{Attributes, Exchange, Outcome};

/// Attribute with the number of header fields whose values cannot be known.
const UNKNOWN_FIELDS: &str = "wirespan.unknown_fields";

/// The fields of a block that matter. Reused for each block.
#[derive(Debug, Default)]
pub(super) struct Head {
    method: Vec<u8>,
    path: Vec<u8>,
    authority: Vec<u8>,
    https: Option<bool>,
    pub(super) status: Option<u16>,
    /// Form of the call that the content type names.
    pub(super) grpc_form: Option<grpc::Form>,
    has_content_type: bool,
    pub(super) grpc_status: Option<u32>,
    grpc_message: Vec<u8>,
    /// Attributes of the other fields.
    other: Attributes,
    /// Fields of which name or value is unknown.
    pub(super) unknown: u32,
}

impl Head {
    pub(super) fn clear(&mut self) {
        let Self { method, path, authority, https, status, .. } = self;
        [method, path, authority].into_iter().for_each(Vec::clear);
        (*https, *status) = (None, None);
        (self.grpc_form, self.has_content_type, self.grpc_status) = (None, false, None);
        self.grpc_message.clear();
        self.other.clear();
        self.unknown = 0;
    }

    /// Adds a field. `of_request` says what the block belongs to, unless a field before it did.
    pub(super) fn on_field(&mut self, field: Field<'_>, of_request: bool) {
        let Field::Known(name, value) = field else {
            self.unknown += 1;
            return;
        };
        let set_once = |into: &mut Vec<u8>| {
            if into.is_empty() {
                into.extend_from_slice(value);
            }
        };
        match name.role {
            Role::Method => set_once(&mut self.method),
            Role::Path => set_once(&mut self.path),
            Role::Authority | Role::Host => set_once(&mut self.authority),
            Role::Scheme => self.https = Some(value == b"https"),
            Role::Status => self.status = number(value).and_then(|code| u16::try_from(code).ok()),
            Role::GrpcStatus => self.grpc_status = number(value),
            Role::GrpcMessage => set_once(&mut self.grpc_message),
            Role::ContentType => {
                self.has_content_type = true;
                self.grpc_form = grpc::Form::of(value);
                self.push_field(name, value, of_request);
            }
            Role::Attribute => self.push_field(name, value, of_request),
            Role::Other => {}
        }
    }

    /// Adds the attribute of a field, unless an earlier field of the same name did.
    fn push_field(&mut self, name: Name, value: &[u8], of_request: bool) {
        let of_request = self.is_request() || (of_request && self.status.is_none());
        if let Some(key) = if of_request { name.of_request } else { name.of_response }
            && self.other.get(key).is_none()
        {
            attributes::push_field(&mut self.other, key, value);
        }
    }

    /// Whether the block has a pseudo-header field of requests (RFC 9113 section 8.3.1).
    pub(super) fn is_request(&self) -> bool {
        !self.method.is_empty() || !self.path.is_empty() || self.https.is_some()
    }

    /// Whether it may be the first block of a message. Trailers have no pseudo-header fields (RFC
    /// 9113 section 8.1) and end the stream.
    pub(super) fn begins(&self, ends_stream: bool) -> bool {
        self.is_request() || self.status.is_some() || (self.unknown > 0 && !ends_stream)
    }

    /// Adds operation and attributes of a request.
    pub(super) fn push_request(&self, exchange: &mut Exchange) {
        let into = &mut exchange.attributes;
        if !self.method.is_empty() {
            attributes::push_method(into, &self.method);
            exchange.operation.push_str(std::str::from_utf8(&self.method).unwrap_or_default());
        }
        if !self.path.is_empty() {
            let target =
                Target { https: self.https == Some(true), ..Target::of(&self.path, false) };
            attributes::push_target(into, &target);
        }
        into.push_text("network.protocol.version", "2");
        if !self.authority.is_empty() {
            attributes::push_server(into, &self.authority);
        }
        into.append(&self.other);
        if self.grpc_form.is_some() {
            grpc::begin_call(exchange);
        }
        self.push_unknown(exchange);
    }

    /// Adds outcome and attributes of a response.
    pub(super) fn push_response(&self, exchange: &mut Exchange) {
        match self.status {
            Some(code) => {
                exchange.outcome = attributes::outcome(code);
                exchange.attributes.push_int("http.response.status_code", i64::from(code));
            }
            None => exchange.outcome = Outcome::LostBytes,
        }
        if exchange.request.is_none() {
            exchange.attributes.push_text("network.protocol.version", "2");
        }
        exchange.attributes.append(&self.other);
        if self.grpc_form.is_some() && !grpc::is_call(exchange) {
            grpc::begin_call(exchange);
        }
        self.push_trailers(exchange);
    }

    /// Adds the attributes of trailers, which may be all that was captured of a response.
    pub(super) fn push_trailers(&self, exchange: &mut Exchange) {
        if let Some(code) = self.grpc_status {
            if !grpc::is_call(exchange) {
                grpc::begin_call(exchange);
            }
            grpc::push_status(exchange, code, &self.grpc_message);
        }
        self.push_unknown(exchange);
    }

    /// Form of the gRPC messages behind a response with this head. `request_form` is the request's.
    pub(super) fn response_form(&self, request_form: Option<grpc::Form>) -> Option<grpc::Form> {
        let unknown = !self.has_content_type && self.unknown > 0;
        self.grpc_form.or(request_form.filter(|_| unknown))
    }

    fn push_unknown(&self, exchange: &mut Exchange) {
        if self.unknown > 0 {
            exchange.attributes.add_int(UNKNOWN_FIELDS, i64::from(self.unknown));
        }
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let texts = [&self.method, &self.path, &self.authority, &self.grpc_message];
        texts.iter().map(|text| text.capacity()).sum::<usize>() + self.other.bytes()
    }
}

fn number(value: &[u8]) -> Option<u32> {
    std::str::from_utf8(value).ok()?.parse().ok()
}
