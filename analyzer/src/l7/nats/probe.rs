use wire::Direction;

use super::line::Line;
use crate::l7::protocol::Probe;

/// Bytes of a line in which its end is waited for.
const LONGEST: usize = 1024;

/// Whether bytes begin with a control line. INFO and CONNECT with their objects are like nothing else; the others are believed on the
/// usual port.
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
        return Probe::No;
    }
    // The names may be in lower case, but no client writes them so; others do write "ping".
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

/// Whether a line that is not whole begins with a name.
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
