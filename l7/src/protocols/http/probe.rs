//! Recognises the first bytes of a message: request and status line (RFC 9112 sections 3 and 4).

use super::lines::{has_control, is_token, leading_ends, line};
use crate::contract::Probe;

const LONGEST_METHOD: usize = 32;
/// Methods of HTTP and its extensions (WebDAV, BITS). One of them is enough to recognise a request
/// before its whole line is there.
const KNOWN: [&[u8]; 30] = [
    b"GET",
    b"POST",
    b"PUT",
    b"HEAD",
    b"DELETE",
    b"PATCH",
    b"OPTIONS",
    b"CONNECT",
    b"TRACE",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"SEARCH",
    b"MKCALENDAR",
    b"ACL",
    b"CHECKIN",
    b"CHECKOUT",
    b"UNCHECKOUT",
    b"MERGE",
    b"MKACTIVITY",
    b"VERSION-CONTROL",
    b"PURGE",
    b"NOTIFY",
    b"CCM_POST",
    b"BITS_POST",
];

/// Whether bytes begin with a request line. With a known method the line may lack its version, if a
/// field line follows.
pub(super) fn request(bytes: &[u8]) -> Probe {
    let bytes = &bytes[leading_ends(bytes)..];
    let Some(space) = bytes.iter().take(LONGEST_METHOD + 1).position(|b| b" \r\n".contains(b))
    else {
        return if bytes.len() <= LONGEST_METHOD && bytes.iter().all(|&b| is_token(b)) {
            Probe::More
        } else {
            Probe::No
        };
    };
    let method = &bytes[..space];
    if method.is_empty() || !method.iter().all(|&b| is_token(b)) {
        return Probe::No;
    }
    let known = is_known(method);
    if bytes[space] != b' ' && !known {
        return Probe::No;
    }
    let Some(&first) = bytes.get(space + 1) else { return Probe::More };
    if !(0x21..0x7f).contains(&first) && !known {
        return Probe::No;
    }
    if let Some((line, used)) = line(bytes) {
        if has_control(line) {
            return Probe::No;
        }
        if version_at_end(line).is_some() {
            return Probe::Yes;
        }
        return if known && !other_version(line) { field(&bytes[used..]) } else { Probe::No };
    }
    if has_control(bytes) {
        return Probe::No;
    }
    if first == b'/' && known { Probe::Yes } else { Probe::More }
}

/// Whether bytes begin with a field line (RFC 9112 section 5).
fn field(bytes: &[u8]) -> Probe {
    match bytes.iter().position(|&b| !is_token(b)) {
        None if bytes.len() < 64 => Probe::More,
        Some(1..) if bytes.iter().find(|&&b| !is_token(b)) == Some(&b':') => Probe::Yes,
        _ => Probe::No,
    }
}

/// Whether a request with this method is recognised without a version.
pub(super) fn is_known(method: &[u8]) -> bool {
    KNOWN.contains(&method)
}

/// Whether a line ends with the version of a related protocol (`RTSP/1.0`, `SIP/2.0`).
pub(super) fn other_version(line: &[u8]) -> bool {
    let word = line.rsplit(|&b| b == b' ').next().unwrap_or_default();
    match memchr::memchr(b'/', word) {
        Some(at @ 2..) => {
            let digits = &word[at + 1..];
            word[..at].iter().all(u8::is_ascii_uppercase)
                && &word[..at] != b"HTTP"
                && digits.first().is_some_and(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// Whether bytes begin with a status line.
pub(super) fn response(bytes: &[u8]) -> Probe {
    const FORM: &[u8] = b"HTTP/1.d ddd";
    let fits =
        bytes.iter().zip(FORM).all(|(&b, &f)| if f == b'd' { b.is_ascii_digit() } else { b == f });
    match (fits, bytes.len() >= FORM.len()) {
        (false, _) => Probe::No,
        (true, false) => Probe::More,
        (true, true) => match bytes.get(FORM.len()) {
            None | Some(b' ' | b'\r' | b'\n') => Probe::Yes,
            Some(_) => Probe::No,
        },
    }
}

/// The request line without ` HTTP/1.x`, and the minor version.
pub(super) fn version_at_end(line: &[u8]) -> Option<(&[u8], u8)> {
    match super::lines::trim(line) {
        [
            rest @ ..,
            b' ' | b'\t',
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            minor @ b'0'..=b'9',
        ] => Some((rest, minor - b'0')),
        _ => None,
    }
}
