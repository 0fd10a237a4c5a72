//! Recognises control lines, and messages that end where their line says.

use wire::Direction;

use super::line::Line;
use crate::contract::Probe;

/// Bytes of a line in which its end is waited for.
const LONGEST: usize = 1024;

/// Longest payload whose end is waited for.
const LONGEST_PROOF: u64 = 4096;

/// Whether bytes begin with a control line. INFO and CONNECT with their objects are distinctive,
/// and so are messages that end where their line says. The other lines are recognised on the usual
/// port only.
pub(super) fn probe(bytes: &[u8], direction: Direction, usual: bool) -> Probe {
    let greeting: &[u8] = match direction {
        Direction::ToServer => b"CONNECT {\"",
        Direction::ToClient => b"INFO {\"",
    };
    let fits = bytes.iter().zip(greeting).all(|(a, b)| a.eq_ignore_ascii_case(b));
    if fits {
        return if bytes.len() >= greeting.len() { Probe::Yes } else { Probe::More };
    }
    if !usual {
        return message(bytes, direction);
    }
    // The protocol allows names in lower case, but no client uses them; other protocols have
    // "ping".
    if bytes.first().is_some_and(u8::is_ascii_lowercase) {
        return Probe::No;
    }
    match memchr::memchr(b'\n', &bytes[..bytes.len().min(LONGEST)]) {
        Some(end) => {
            let line = &bytes[..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if Line::read(line, direction).is_some() { Probe::Yes } else { Probe::No }
        }
        None if bytes.len() < LONGEST && may_begin(bytes, direction) => Probe::More,
        None => Probe::No,
    }
}

/// Whether bytes are a message whose payload ends where its line says.
fn message(bytes: &[u8], direction: Direction) -> Probe {
    let names: [&[u8]; 2] = match direction {
        Direction::ToServer => [b"PUB ", b"HPUB "],
        Direction::ToClient => [b"MSG ", b"HMSG "],
    };
    if !names.iter().any(|name| bytes.iter().zip(*name).all(|(a, b)| a == b)) {
        return Probe::No;
    }
    let Some(end) = memchr::memchr(b'\n', &bytes[..bytes.len().min(LONGEST)]) else {
        return if bytes.len() < LONGEST { Probe::More } else { Probe::No };
    };
    let line = bytes[..end].strip_suffix(b"\r").and_then(|line| Line::read(line, direction));
    let Some(Line::Message { total: total @ 0..=LONGEST_PROOF, .. }) = line else {
        return Probe::No;
    };
    match bytes.get(end + 1 + total as usize..) {
        None | Some([] | [b'\r']) => Probe::More,
        Some([b'\r', b'\n', ..]) => Probe::Yes,
        Some(_) => Probe::No,
    }
}

/// Whether a line that is not whole begins with a command's name.
pub(super) fn may_begin(bytes: &[u8], direction: Direction) -> bool {
    let names: &[&str] = match direction {
        Direction::ToServer => &["CONNECT", "PING", "PONG", "SUB", "UNSUB", "PUB", "HPUB"],
        Direction::ToClient => &["INFO", "PING", "PONG", "MSG", "HMSG", "+OK", "-ERR"],
    };
    names.iter().any(|name| {
        let (begin, rest) = bytes.split_at(bytes.len().min(name.len()));
        name.as_bytes()[..begin.len()].eq_ignore_ascii_case(begin)
            && rest.first().is_none_or(u8::is_ascii_whitespace)
    })
}
