//! Inline commands: words on a line, as typed in a terminal.

/// Longest line (`PROTO_INLINE_MAX_SIZE` of the server).
pub(super) const LONGEST: usize = 64 * 1024;

/// A line, if it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// The line without its end, and its length with it.
    Whole {
        text: &'a [u8],
        used: usize,
    },
    More,
    TooLong,
}

/// Number of line-end characters at the beginning.
pub(super) fn leading_line_ends(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count()
}

/// The line at the beginning. Its first `searched` bytes hold no line end.
pub(super) fn line(bytes: &[u8], searched: usize) -> Line<'_> {
    let rest = bytes.get(searched..).unwrap_or_default();
    match memchr::memchr(b'\n', rest).map(|at| at + searched) {
        Some(end) => {
            let text = &bytes[..end];
            Line::Whole { text: text.strip_suffix(b"\r").unwrap_or(text), used: end + 1 }
        }
        None if bytes.len() >= LONGEST => Line::TooLong,
        None => Line::More,
    }
}

/// Words of a line, with their quotes. A quoted word may contain spaces.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let mut quote = None;
        let mut escaped = false;
        let ends = |byte: &u8| {
            match (quote, *byte) {
                _ if std::mem::take(&mut escaped) => {}
                (Some(_), b'\\') => escaped = true,
                (Some(open), byte) if open == byte => quote = None,
                (None, b'"' | b'\'') => quote = Some(*byte),
                (None, byte) => return byte.is_ascii_whitespace(),
                _ => {}
            }
            false
        };
        let end = rest.iter().position(ends).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind;
        (!word.is_empty()).then_some(word)
    })
}

/// The first word.
pub(super) fn name(text: &[u8]) -> &[u8] {
    words(text).next().unwrap_or_default()
}
