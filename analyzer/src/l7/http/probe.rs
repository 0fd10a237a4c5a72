use super::lines::{is_token, leading_ends, line};
use crate::l7::protocol::Probe;

const LONGEST_METHOD: usize = 32;
/// Methods so common that a target behind them is proof enough, even if the line is not whole.
const COMMON: [&[u8]; 9] =
    [b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"PATCH", b"OPTIONS", b"CONNECT", b"TRACE"];

/// Whether bytes begin with a request line.
pub(super) fn request(bytes: &[u8]) -> Probe {
    let bytes = &bytes[leading_ends(bytes)..];
    let Some(space) = bytes.iter().take(LONGEST_METHOD + 1).position(|&b| b == b' ') else {
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
    let Some(&first) = bytes.get(space + 1) else { return Probe::More };
    if !(0x21..0x7f).contains(&first) {
        return Probe::No;
    }
    if let Some((line, _)) = line(bytes) {
        return if version_at_end(line).is_some() { Probe::Yes } else { Probe::No };
    }
    if bytes.iter().any(|&b| b < b' ' && b != b'\t' && b != b'\r') {
        return Probe::No;
    }
    if first == b'/' && COMMON.contains(&method) { Probe::Yes } else { Probe::More }
}

/// Whether bytes begin with a status line.
pub(super) fn response(bytes: &[u8]) -> Probe {
    const FORM: &[u8] = b"HTTP/1.d ddd";
    let fits = bytes.iter().zip(FORM).all(|(&b, &f)| if f == b'd' { b.is_ascii_digit() } else { b == f });
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
        [rest @ .., b' ' | b'\t', b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ b'0'..=b'9'] => {
            Some((rest, minor - b'0'))
        }
        _ => None,
    }
}
