//! Names of fields: what each is used for, and the static table (RFC 7541 appendix A).

use std::sync::LazyLock;

use crate::protocols::http::attributes;

/// What a field is used for. Values of other fields (credentials among them) are not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::protocols::http2) enum Role {
    Method,
    Scheme,
    Authority,
    Path,
    Host,
    Status,
    ContentType,
    GrpcStatus,
    GrpcMessage,
    /// Becomes an attribute of requests or of responses.
    Attribute,
    #[default]
    Other,
}

/// The name of a field, reduced to what is used of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::protocols::http2) struct Name {
    pub(in crate::protocols::http2) role: Role,
    /// Keys of the attributes that it becomes in a request and in a response.
    pub(in crate::protocols::http2) of_request: Option<&'static str>,
    pub(in crate::protocols::http2) of_response: Option<&'static str>,
    /// Length of the name in bytes.
    pub(in crate::protocols::http2) length: u32,
}

/// Longest name that is compared with those of known fields.
pub(super) const LONGEST_NAME: usize = 32;

impl Name {
    /// A name of `length` bytes, of which `name` may hold only the first.
    pub(super) fn of(name: &[u8], length: usize) -> Self {
        let length = length as u32;
        if name.len() as u32 != length {
            return Self { length, ..Self::default() };
        }
        let (of_request, of_response) =
            (attributes::attribute_key(name, true), attributes::attribute_key(name, false));
        let role = match name {
            b":method" => Role::Method,
            b":scheme" => Role::Scheme,
            b":authority" => Role::Authority,
            b":path" => Role::Path,
            b"host" => Role::Host,
            b":status" => Role::Status,
            b"content-type" => Role::ContentType,
            b"grpc-status" => Role::GrpcStatus,
            b"grpc-message" => Role::GrpcMessage,
            _ if of_request.is_some() || of_response.is_some() => Role::Attribute,
            _ => Role::Other,
        };
        Self { role, of_request, of_response, length }
    }
}

/// The field with this index of the static table (RFC 7541 appendix A), counted from 1.
pub(super) fn static_field(index: usize) -> Option<(Name, &'static [u8])> {
    static NAMES: LazyLock<Vec<Name>> = LazyLock::new(|| {
        STATIC_TABLE.iter().map(|(name, _)| Name::of(name.as_bytes(), name.len())).collect()
    });
    let index = index.checked_sub(1)?;
    Some((*NAMES.get(index)?, STATIC_TABLE.get(index)?.1.as_bytes()))
}

/// Fields of the static table.
pub(super) const STATIC_FIELDS: usize = STATIC_TABLE.len();

const STATIC_TABLE: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];
