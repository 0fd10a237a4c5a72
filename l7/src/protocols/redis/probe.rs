//! Recognises the first bytes of commands and replies.

use super::commands::{is_known, is_name};
use super::header::{Number, number, oversized_number};
use super::inline::{self, Line};
use crate::contract::{Clue, Probe};

/// Longest name of a command.
pub(super) const LONGEST_NAME: usize = 64;
/// Most words of a command.
pub(super) const MOST_WORDS: i64 = i32::MAX as i64;

/// Line ends alone that may come before a command.
const MOST_LINE_ENDS: usize = 64;

/// Whether bytes begin with a command.
pub(super) fn command(bytes: &[u8], usual: bool) -> Probe {
    let blank = inline::leading_line_ends(bytes);
    let bytes = &bytes[blank..];
    match bytes.first() {
        None if blank > MOST_LINE_ENDS => Probe::No,
        None => Probe::More,
        Some(b'*') => array(bytes, usual),
        Some(_) if !usual => Probe::No,
        Some(_) => match inline::line(bytes, 0) {
            // The end of an argument, and the length of the next one.
            Line::Whole { used, .. } if bytes.get(used) == Some(&b'$') => Probe::No,
            Line::Whole { text, .. } => {
                let name = inline::name(text);
                let http = text.windows(5).any(|w| w == b"HTTP/");
                // A storage command of memcached: flags, expiry and length.
                let is_memcached = inline::words(text)
                    .skip(2)
                    .filter(|w| w.iter().all(u8::is_ascii_digit))
                    .count()
                    >= 3;
                if is_known(name)
                    && !http
                    && !is_memcached
                    && !text.iter().any(|b| *b < b' ' && *b != b'\t')
                {
                    Probe::Yes
                } else {
                    Probe::No
                }
            }
            Line::More if bytes.len() < LONGEST_NAME => {
                let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
                let name = inline::name(bytes);
                if bytes.iter().any(|b| !(b' '..0x7f).contains(b)) {
                    return Probe::No;
                }
                if name.len() < bytes.len() && !is_known(name) || !is_name(name) {
                    Probe::No
                } else {
                    Probe::More
                }
            }
            _ => Probe::No,
        },
    }
}

/// Whether bytes are an array that begins with a command's name. It has to be in `KNOWN` on other
/// than the usual ports.
fn array(bytes: &[u8], usual: bool) -> Probe {
    let first = match number(bytes) {
        Number::Is(words, used) if (1..=MOST_WORDS).contains(&words) => &bytes[used..],
        Number::More => return Probe::More,
        Number::Is(..=0, _) if usual => return Probe::Yes,
        _ if usual && oversized_number(bytes).is_some() => return Probe::Yes,
        _ => return Probe::No,
    };
    if first.first().is_some_and(|b| *b != b'$') {
        return Probe::No;
    }
    let (length, name) = match number(first) {
        Number::Is(length, used) => (length, &first[used..]),
        Number::More => return Probe::More,
        _ => return Probe::No,
    };
    let Some(length) = usize::try_from(length).ok().filter(|l| (1..=LONGEST_NAME).contains(l))
    else {
        return Probe::No;
    };
    let seen = &name[..length.min(name.len())];
    if !seen.is_empty() && !is_name(seen) {
        return Probe::No;
    }
    match name.get(length..) {
        _ if seen.len() < length => Probe::More,
        Some([b'\r', b'\n', ..] | [b'\r'] | []) if usual || is_known(seen) => Probe::Yes,
        _ => Probe::No,
    }
}

/// Whether bytes are a reply. Only on the usual port: many other protocols have such lines.
pub(super) fn reply(bytes: &[u8], clue: &Clue) -> Probe {
    if !clue.usual {
        return Probe::No;
    }
    match bytes.first() {
        None => Probe::More,
        // A server begins only to refuse a connection.
        Some(b'+' | b':' | b'$' | b'*' | b'%' | b'~' | b'>' | b'=') if clue.at_start => Probe::More,
        Some(b'+' | b'-') => match memchr::memchr(b'\n', &bytes[..bytes.len().min(512)]) {
            Some(end) => {
                let text = &bytes[1..end];
                let printable = text.iter().all(|b| *b == b'\r' || *b >= b' ');
                if text.ends_with(b"\r") && printable { Probe::Yes } else { Probe::No }
            }
            None if bytes.len() < 512 && bytes[1..].iter().all(|b| *b == b'\r' || *b >= b' ') => {
                Probe::More
            }
            None => Probe::No,
        },
        Some(b':' | b'$' | b'*' | b'%' | b'~' | b'>' | b'=') => match number(bytes) {
            Number::Is(n, _) if bytes[0] == b':' || (-1..=MOST_WORDS).contains(&n) => Probe::Yes,
            Number::More => Probe::More,
            _ => Probe::No,
        },
        Some(_) => Probe::No,
    }
}
