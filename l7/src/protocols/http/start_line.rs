//! The first line of a message: request line and status line (RFC 9112 sections 3 and 4).

use super::lines::{has_control, is_token, trim};
use super::probe::{is_known, other_version, version_at_end};

/// First line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartLine<'a> {
    /// `minor` is the minor version; the line may lack it.
    Request {
        method: &'a [u8],
        target: &'a [u8],
        minor: Option<u8>,
    },
    Status {
        code: u16,
        minor: u8,
    },
}

impl<'a> StartLine<'a> {
    pub(super) fn request(line: &'a [u8]) -> Option<Self> {
        if has_control(line) {
            return None;
        }
        let (rest, minor) = match version_at_end(line) {
            Some((rest, minor)) if rest.contains(&b' ') => (rest, Some(minor)),
            _ => (line, None),
        };
        let space = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        let (method, target) = (&rest[..space], trim(&rest[space..]));
        let whole = minor.is_some() && !target.is_empty();
        let good = whole || (is_known(method) && !other_version(line));
        (good && !method.is_empty() && method.iter().all(|&b| is_token(b)))
            .then_some(Self::Request { method, target, minor })
    }

    pub(super) fn status(line: &'a [u8]) -> Option<Self> {
        let [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ b'0'..=b'9', b' ', rest @ ..] = line
        else {
            return None;
        };
        let [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = trim(rest) else {
            return None;
        };
        if !matches!(rest.first(), None | Some(b' ' | b'\t')) {
            return None;
        }
        let digit = |d: &u8| u16::from(d - b'0');
        Some(Self::Status { code: digit(a) * 100 + digit(b) * 10 + digit(c), minor: minor - b'0' })
    }
}
