//! The forms of a call's content: gRPC, and gRPC-Web in binary and in Base64.

/// How a call's messages are laid out in the content of its request and response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// gRPC: each behind a prefix of 5 bytes. The status is in the trailers.
    Native,
    /// gRPC-Web: the status is in a last message of its own.
    Web,
    /// gRPC-Web in Base64.
    WebText,
}

impl Form {
    /// Returns the form that a content type names.
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
