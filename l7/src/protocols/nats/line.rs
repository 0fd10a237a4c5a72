//! Control lines of both directions (docs.nats.io, "Client Protocol").

use wire::Direction;

/// Largest payload that is accepted.
const LARGEST: u64 = 1 << 30;
/// Longest subject, queue or subscription id that is accepted.
const LONGEST: usize = 1024;

/// A control line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Info,
    Connect(&'a [u8]),
    Ping,
    Pong,
    Ok,
    Error(&'a [u8]),
    Subscribe {
        subject: &'a [u8],
        queue: Option<&'a [u8]>,
    },
    Unsubscribe,
    /// PUB, HPUB, MSG or HMSG. Headers and payload follow.
    Message {
        subject: &'a [u8],
        reply: Option<&'a [u8]>,
        /// Bytes of headers; none for PUB and MSG.
        headers: Option<u64>,
        total: u64,
    },
}

/// Words between spaces and tabs.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|b| matches!(b, b' ' | b'\t')).filter(|word| !word.is_empty())
}

impl<'a> Line<'a> {
    /// Reads a line, without its end, that is sent in `direction`.
    pub(super) fn read(line: &'a [u8], direction: Direction) -> Option<Self> {
        let name = words(line).next()?;
        let rest = &line[name.len().min(line.len())..];
        let is = |text: &str| name.eq_ignore_ascii_case(text.as_bytes());
        let (to_server, alone) = (direction == Direction::ToServer, rest.trim_ascii().is_empty());
        if is("PING") && alone {
            return Some(Self::Ping);
        }
        if is("PONG") && alone {
            return Some(Self::Pong);
        }
        let mut list: [&[u8]; 6] = [&[]; 6];
        let mut count = 0;
        if to_server {
            if is("CONNECT") && rest.trim_ascii_start().starts_with(b"{") {
                return Some(Self::Connect(rest));
            }
        } else if is("INFO") && rest.trim_ascii_start().starts_with(b"{") {
            return Some(Self::Info);
        } else if is("+OK") {
            return Some(Self::Ok);
        } else if is("-ERR") {
            return Some(Self::Error(rest.trim_ascii()));
        }
        for word in words(rest) {
            if word.len() > LONGEST || word.iter().any(|b| *b <= b' ' || *b == 0x7f) {
                return None;
            }
            *list.get_mut(count)? = word;
            count += 1;
        }
        let words = &list[..count];
        match (to_server, words) {
            (true, [subject, _sid]) if is("SUB") => Some(Self::Subscribe { subject, queue: None }),
            (true, [subject, queue, _sid]) if is("SUB") => {
                Some(Self::Subscribe { subject, queue: Some(queue) })
            }
            (true, [_sid] | [_sid, _]) if is("UNSUB") => Some(Self::Unsubscribe),
            (true, [subject, total]) if is("PUB") => message(subject, None, None, total),
            (true, [subject, reply, total]) if is("PUB") => {
                message(subject, Some(reply), None, total)
            }
            (true, [subject, headers, total]) if is("HPUB") => {
                message(subject, None, Some(headers), total)
            }
            (true, [subject, reply, headers, total]) if is("HPUB") => {
                message(subject, Some(reply), Some(headers), total)
            }
            (false, [subject, _sid, total]) if is("MSG") => message(subject, None, None, total),
            (false, [subject, _sid, reply, total]) if is("MSG") => {
                message(subject, Some(reply), None, total)
            }
            (false, [subject, _sid, headers, total]) if is("HMSG") => {
                message(subject, None, Some(headers), total)
            }
            (false, [subject, _sid, reply, headers, total]) if is("HMSG") => {
                message(subject, Some(reply), Some(headers), total)
            }
            _ => None,
        }
    }
}

fn message<'a>(
    subject: &'a [u8],
    reply: Option<&'a [u8]>,
    headers: Option<&[u8]>,
    total: &[u8],
) -> Option<Line<'a>> {
    let total = number(total)?;
    let headers = match headers {
        Some(headers) => Some(number(headers).filter(|h| *h <= total)?),
        None => None,
    };
    Some(Line::Message { subject, reply, headers, total })
}

fn number(word: &[u8]) -> Option<u64> {
    let plain = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(word).ok().filter(|_| plain)?.parse().ok().filter(|n| *n <= LARGEST)
}
