//! Request targets (RFC 9112 section 3.2), their authority, and queries without secrets.

/// Query keys whose values are secrets (OpenTelemetry's guidance on `url.query`, and the usual
/// names of credentials).
const SECRET: [&str; 21] = [
    "token",
    "access_token",
    "id_token",
    "refresh_token",
    "auth",
    "auth_token",
    "authorization",
    "password",
    "passwd",
    "pwd",
    "secret",
    "client_secret",
    "api_key",
    "apikey",
    "api-key",
    "key",
    "sig",
    "signature",
    "x-amz-signature",
    "x-goog-signature",
    "awsaccesskeyid",
];
const MORE_SECRET: [&str; 4] =
    ["x-amz-security-token", "x-amz-credential", "sessionid", "session_token"];

/// The parts of a request target (RFC 9112 section 3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    pub(crate) https: bool,
    /// Host and port, without user information.
    pub(crate) authority: Option<&'a [u8]>,
    pub(crate) path: &'a [u8],
    pub(crate) query: Option<&'a [u8]>,
}

impl<'a> Target<'a> {
    pub(crate) fn of(target: &'a [u8], connect: bool) -> Self {
        if connect {
            return Self { authority: Some(without_user(target)), ..Self::default() };
        }
        let mut rest = target;
        let mut found = Self::default();
        if !target.starts_with(b"/")
            && let Some(scheme) = memchr::memmem::find(&target[..target.len().min(16)], b"://")
        {
            found.https = target[..scheme].eq_ignore_ascii_case(b"https");
            rest = &target[scheme + 3..];
            let end =
                rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(rest.len());
            found.authority = Some(without_user(&rest[..end]));
            rest = &rest[end..];
        }
        let path = memchr::memchr2(b'?', b'#', rest).unwrap_or(rest.len());
        found.path = &rest[..path];
        found.query = rest[path..]
            .strip_prefix(b"?")
            .map(|query| &query[..memchr::memchr(b'#', query).unwrap_or(query.len())]);
        if found.path.is_empty() {
            found.path = b"/";
        }
        found
    }
}

fn without_user(authority: &[u8]) -> &[u8] {
    authority.iter().rposition(|&b| b == b'@').map_or(authority, |at| &authority[at + 1..])
}

/// Host and port of an authority. The brackets of IPv6 addresses are removed.
pub(super) fn host_and_port(authority: &[u8]) -> (&[u8], Option<u16>) {
    let authority = without_user(authority);
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok());
    if let [b'[', rest @ ..] = authority {
        let Some(close) = memchr::memchr(b']', rest) else { return (authority, None) };
        let port = rest[close + 1..].strip_prefix(b":").and_then(number);
        return (&rest[..close], port);
    }
    match authority.iter().rposition(|&b| b == b':') {
        Some(at) => (&authority[..at], number(&authority[at + 1..])),
        None => (authority, None),
    }
}

/// The query with the values of secrets replaced. `None` if it has no secrets.
pub(super) fn redacted(query: &[u8]) -> Option<Vec<u8>> {
    if !pairs(query).any(|(key, value)| value.is_some() && is_secret(key)) {
        return None;
    }
    let mut out = Vec::with_capacity(query.len());
    for (n, (key, value)) in pairs(query).enumerate() {
        if n > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(key);
        if let Some(value) = value {
            out.push(b'=');
            out.extend_from_slice(if is_secret(key) { b"REDACTED" } else { value });
        }
    }
    Some(out)
}

fn pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    query.split(|&b| b == b'&').map(|pair| match memchr::memchr(b'=', pair) {
        Some(at) => (&pair[..at], Some(&pair[at + 1..])),
        None => (pair, None),
    })
}

fn is_secret(key: &[u8]) -> bool {
    SECRET.iter().chain(&MORE_SECRET).any(|s| key.eq_ignore_ascii_case(s.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_target_is_taken_apart() {
        let t = Target::of(b"https://u:p@h.example:8443/a/b?x=1#f", false);
        assert!(t.https);
        assert_eq!(t.authority, Some(&b"h.example:8443"[..]));
        assert_eq!((t.path, t.query), (&b"/a/b"[..], Some(&b"x=1"[..])));
        assert_eq!(Target::of(b"*", false).path, b"*");
        assert_eq!(Target::of(b"/go?to=http://x/", false).path, b"/go");
        assert_eq!(Target::of(b"h:443", true).authority, Some(&b"h:443"[..]));
        assert_eq!(host_and_port(b"[2001:db8::1]:80"), (&b"2001:db8::1"[..], Some(80)));
        assert_eq!(host_and_port(b"h"), (&b"h"[..], None));
    }

    #[test]
    fn values_of_secrets_go() {
        let out = redacted(b"a=1&X-Amz-Signature=abc&TOKEN=t&token&b=2").unwrap();
        assert_eq!(out, b"a=1&X-Amz-Signature=REDACTED&TOKEN=REDACTED&token&b=2");
        assert_eq!(redacted(b"a=1&tokens=3"), None);
    }
}
