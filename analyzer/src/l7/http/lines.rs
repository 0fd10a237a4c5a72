/// A line without its end (CRLF, or a bare LF as RFC 9112 section 2.2 allows), and where the next one begins.
pub(super) fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let lf = memchr::memchr(b'\n', bytes)?;
    let line = &bytes[..lf];
    Some((line.strip_suffix(b"\r").unwrap_or(line), lf + 1))
}

/// Where the head (start line, fields, empty line) ends, looking from `from`, which is the beginning of a line;
/// else the beginning of the first line that is not whole.
pub(super) fn head_end(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let mut at = from;
    while let Some(lf) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\n', rest)) {
        let empty = lf == 0 || (lf == 1 && bytes.get(at) == Some(&b'\r'));
        at += lf + 1;
        if empty {
            return Ok(at);
        }
    }
    Err(at)
}

/// Length of the line ends (a few at most) that RFC 9112 section 2.2 tells servers to ignore before a request.
pub(super) fn leading_ends(bytes: &[u8]) -> usize {
    bytes.iter().take(8).take_while(|b| matches!(b, b'\r' | b'\n')).count()
}

/// Whether control characters stand in a start line, where RFC 9112 sections 2.2 and 3 have no place for them; a tab and a bare CR
/// may be taken for spaces.
pub(super) fn has_control(line: &[u8]) -> bool {
    line.iter().any(|&b| b.is_ascii_control() && b != b'\t' && b != b'\r')
}

/// Without spaces and tabs at both ends.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r', rest @ ..] | [rest @ .., b' ' | b'\t' | b'\r'] = bytes {
        bytes = rest;
    }
    bytes
}

/// A character of a token (RFC 9110 section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
