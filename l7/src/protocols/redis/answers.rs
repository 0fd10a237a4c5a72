use super::commands::{Pushed, Set, is_name, pushed};
use super::header::{Number, number};
use super::shared::Shared;
use super::tell::{self, ALL, EXEC, MONITOR, PARTS, PLAIN, REPLICATE, RESET};
use crate::contract::{Progress, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::step::{Step, malformed, need};
use fact::Protocol;

/// Longest part of a line that is looked at.
const LOOKED_AT: usize = 4096;
/// Streamed values inside each other.
const DEEPEST: usize = 32;
/// How many values follow where nobody says it.
const STREAMED: u64 = u64::MAX;

/// What the value that is read belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Open {
    /// Nothing: the next value begins.
    #[default]
    Nothing,
    /// Attributes before a value.
    Attributes,
    Push,
    Reply,
}

/// What is still to come of a reply in several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parts {
    Count(u16),
    /// Until nothing of the set is left.
    All(Set),
}

/// What the server says.
#[derive(Debug, Default)]
pub(super) struct Answers {
    open: Open,
    /// Values that follow until the open one is whole.
    left: u64,
    /// Values that follow behind a streamed one, from the outermost on.
    behind: Vec<u64>,
    /// In a line that is longer than what is looked at.
    in_line: bool,
    /// In a streamed string.
    in_string: bool,
    tag: u16,
    parts: Option<Parts>,
    /// The last whole number that was read.
    last: i64,
    /// What the value counts of subscriptions.
    counts: Option<(Set, bool)>,
    /// Subscriptions of each set, and of the two first together as the server counts them, and of the third.
    subscriptions: [u32; 3],
    totals: [i64; 2],
    text: String,
}

impl Answers {
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity() + self.behind.capacity() * size_of::<u64>()
    }

    /// Bytes are missing.
    pub(super) fn lost(&mut self) {
        let Self { subscriptions, totals, .. } = *self;
        *self = Self { text: std::mem::take(&mut self.text), subscriptions, totals, ..Self::default() };
    }

    pub(super) fn read(&mut self, bytes: &[u8], shared: &mut Shared, out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            let done = self.open != Open::Nothing && self.left == 0 && !self.in_line && !self.in_string;
            if done && let Some(left) = self.behind.pop() {
                self.left = left;
                continue;
            }
            let step = match self.open {
                _ if done => self.finish(at, shared, out),
                _ if at >= bytes.len() => return Progress::Consumed(at),
                Open::Nothing => self.start(bytes, at, shared, out),
                _ => self.value(bytes, at, out),
            };
            match step {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    fn start(&mut self, bytes: &[u8], at: usize, shared: &mut Shared, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        let Some(&kind) = rest.first() else { return need(at, 1) };
        if shared.deaf {
            let is_push = rest.starts_with(b">")
                || rest.starts_with(b"*3\r\n$7\r\nmessage\r\n")
                || rest.starts_with(b"*4\r\n$8\r\npmessage\r\n");
            if !is_push {
                return Step::Go(bytes.len());
            }
            shared.deaf = false;
        }
        self.left = 1;
        match kind {
            b'|' => {
                // The attributes' values; what they are about follows.
                self.open = Open::Attributes;
                self.left = 0;
                return self.value(bytes, at, out);
            }
            b'+' if shared.monitored && rest.get(1).is_none_or(u8::is_ascii_digit) => {
                if rest.len() < 2 {
                    return need(at, 1);
                }
                self.open = Open::Push;
                tell::push("MONITOR", at, out);
                return self.value(bytes, at, out);
            }
            b'+' if rest.starts_with(b"+OK\r\n") && self.parts.is_none() => {
                // Most of what is said; nothing about it has to be remembered.
                self.reply(at, out);
                return if matches!(self.tag, PLAIN | EXEC) && self.parts.is_none() {
                    self.open = Open::Nothing;
                    out.close(Kind::Response, 0, at + 5);
                    Step::Go(at + 5)
                } else {
                    self.left = 0;
                    Step::Go(at + 5)
                };
            }
            b'>' | b'*' => match self.pushed(rest, kind == b'>', shared, out) {
                // The rest of an answer of which nobody knew how long it would be: what was subscribed to was not seen.
                Ok(true) if matches!(self.counts, Some((Set::Channels | Set::Patterns, false))) => {
                    self.open = Open::Attributes;
                }
                Ok(true) => {
                    self.open = Open::Push;
                    tell::push(&self.text, at, out);
                }
                Ok(false) => self.reply(at, out),
                Err(more) => return need(at, more),
            },
            b'-' => {
                let text = match line(rest) {
                    Line::Whole(text, _) | Line::Long(text) => text,
                    Line::More => return need(at, 1),
                };
                self.reply(at, out);
                self.failed(text, out);
            }
            b'!' => match number(rest) {
                Number::Is(length @ 0.., used) => {
                    let looked_at = usize::try_from(length).unwrap_or(usize::MAX).min(64);
                    let text = &rest[used..];
                    let Some(text) = text.get(..looked_at) else { return need(at, looked_at - text.len()) };
                    self.reply(at, out);
                    self.failed(text, out);
                }
                Number::More => return need(at, 1),
                _ => return malformed(at),
            },
            b'+' if out.next_tag() == Some(REPLICATE) => {
                let text = match line(rest) {
                    Line::Whole(text, _) | Line::Long(text) => text,
                    Line::More => return need(at, 1),
                };
                self.reply(at, out);
                if !text.starts_with(b"FULLRESYNC") && !text.starts_with(b"CONTINUE") {
                    self.tag = PLAIN;
                }
            }
            // Signs of life while the server makes ready what it will send.
            b'\n' if out.next_tag() == Some(REPLICATE) => {
                return Step::Go(at + rest.iter().take_while(|b| **b == b'\n').count());
            }
            b'$' if out.next_tag() == Some(REPLICATE) => self.reply(at, out),
            b'+' | b':' | b'$' | b'_' | b'#' | b',' | b'(' | b'=' | b'%' | b'~' => {
                if !header_is_there(rest) {
                    return need(at, 1);
                }
                self.reply(at, out);
            }
            _ => return malformed(at),
        }
        self.value(bytes, at, out)
    }

    /// Begins the reply to the next request, or goes on with that of which some values came.
    fn reply(&mut self, at: usize, out: &mut Messages) {
        self.open = Open::Reply;
        if self.parts.is_some() {
            return;
        }
        self.tag = out.next_tag().unwrap_or(PLAIN);
        self.parts = match self.tag {
            PARTS.. => Some(Parts::Count(self.tag - PARTS)),
            tag => ALL.iter().find(|(all, _)| *all == tag).map(|(_, set)| Parts::All(*set)),
        };
        let entry = out.open(Protocol::Redis, Kind::Response, 0, at);
        if entry.exchange.request.is_none() {
            entry.exchange.attributes.push_text("db.system.name", "redis");
        }
    }

    fn failed(&mut self, text: &[u8], out: &mut Messages) {
        // An error is all that comes.
        self.parts = None;
        if let Some(entry) = out.current(Kind::Response, 0) {
            tell::failed(entry, text);
        }
    }

    /// Whether the array (or push) is one that nobody asked for; its kind, in upper case, is left in `text`. An error is how many bytes are missing.
    fn pushed(&mut self, rest: &[u8], push: bool, shared: &Shared, out: &Messages) -> Result<bool, usize> {
        let (length, used) = match number(rest) {
            Number::Is(length, used) => (length, used),
            Number::More => return Err(1),
            _ => return Ok(push),
        };
        let tag = if self.parts.is_some() { None } else { out.next_tag() };
        let unasked = self.parts.is_none() && tag.is_none();
        if !push && (!(3..=4).contains(&length) || !(shared.subscribed || unasked)) {
            return Ok(false);
        }
        let kind = match rest.get(used) {
            Some(b'$' | b'+') => word(&rest[used..])?,
            None => return Err(1),
            Some(_) => return Ok(push),
        };
        self.text.clear();
        self.text.push_str(std::str::from_utf8(kind).ok().filter(|_| is_name(kind)).unwrap_or("push"));
        self.text.make_ascii_uppercase();
        match pushed(kind) {
            Some(Pushed::Message) => Ok(true),
            Some(Pushed::Count(set, more)) => {
                self.counts = Some((set, more));
                let awaited = self.parts.is_some()
                    || tag.is_some_and(|tag| tag >= PARTS || ALL.iter().any(|(all, _)| *all == tag));
                Ok(!awaited)
            }
            None => Ok(push),
        }
    }

    /// The open value is whole before `at`.
    fn finish(&mut self, at: usize, shared: &mut Shared, out: &mut Messages) -> Step {
        let counted = self.counts.take().map(|counted| self.count(counted));
        match std::mem::take(&mut self.open) {
            Open::Nothing | Open::Attributes => return Step::Go(at),
            Open::Push => {
                out.close(Kind::OneWay, 0, at);
                return Step::Go(at);
            }
            Open::Reply => {}
        }
        self.parts = match (self.parts, counted) {
            (Some(Parts::Count(parts)), Some(())) => {
                parts.checked_sub(1).filter(|p| *p > 0).map(Parts::Count)
            }
            (Some(Parts::All(set)), Some(())) => {
                (self.subscriptions[set as usize] > 0).then_some(Parts::All(set))
            }
            // Something else is the whole answer (`+QUEUED`).
            _ => None,
        };
        if self.parts.is_some() {
            return Step::Go(at);
        }
        out.close(Kind::Response, 0, at);
        match self.tag {
            MONITOR => shared.monitored = true,
            RESET => (shared.monitored, shared.subscribed) = (false, false),
            REPLICATE => return Step::Stop(Progress::GiveUp { consumed: at, reason: Reason::Opaque }),
            _ => {}
        }
        Step::Go(at)
    }

    /// Follows how many subscriptions there are.
    fn count(&mut self, (set, more): (Set, bool)) {
        let total = &mut self.totals[usize::from(set == Set::Shards)];
        let count = &mut self.subscriptions[set as usize];
        if more && self.last > *total {
            *count = count.saturating_add(1);
        } else if !more && self.last < *total {
            *count = count.saturating_sub(1);
        }
        *total = self.last;
    }

    /// One value, or the beginning of one that holds others.
    fn value(&mut self, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        if self.in_line {
            let end = memchr::memchr(b'\n', rest);
            self.in_line = end.is_none();
            return Step::Go(end.map_or(bytes.len(), |end| at + end + 1));
        }
        let Some(&kind) = rest.first() else { return need(at, 1) };
        match kind {
            b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => {
                let used = match line(rest) {
                    Line::Whole(text, used) => {
                        if kind == b':' {
                            self.last =
                                std::str::from_utf8(text).ok().and_then(|t| t.parse().ok()).unwrap_or(0);
                        }
                        used
                    }
                    Line::Long(_) => {
                        self.in_line = true;
                        rest.len()
                    }
                    Line::More => return need(at, 1),
                };
                if kind == b'-' && self.tag == EXEC && self.open == Open::Reply {
                    self.nested(rest.get(1..used).unwrap_or_default(), out);
                }
                self.one();
                Step::Go(at + used)
            }
            b'$' | b'=' | b'!' | b';' => self.string(rest, at, kind),
            b'*' | b'~' | b'>' | b'%' | b'|' => self.aggregate(rest, at, kind, out),
            b'.' if self.left == STREAMED => match rest {
                [_, b'\r', b'\n', ..] => {
                    self.left = 0;
                    Step::Go(at + 3)
                }
                _ if rest.len() < 3 => need(at, 1),
                _ => malformed(at),
            },
            _ => malformed(at),
        }
    }

    /// One of the values that follow is there.
    fn one(&mut self) {
        if self.left != STREAMED {
            self.left = self.left.saturating_sub(1);
        }
    }

    /// An error inside the answer to a transaction: the first is the transaction's.
    fn nested(&mut self, text: &[u8], out: &mut Messages) {
        if let Some(entry) = out.current(Kind::Response, 0)
            && entry.exchange.attributes.get("error.type").is_none()
        {
            tell::failed(entry, text.trim_ascii_end());
        }
    }

    fn string(&mut self, rest: &[u8], at: usize, kind: u8) -> Step {
        let (length, used) = match number(rest) {
            Number::Is(length, used) => (length, used),
            Number::Streamed(used) if kind == b'$' => {
                self.in_string = true;
                return Step::Go(at + used);
            }
            Number::More => return need(at, 1),
            _ => return malformed(at),
        };
        if (kind == b';') != self.in_string {
            return malformed(at);
        }
        if kind == b';' && length == 0 {
            self.in_string = false;
        }
        if kind != b';' || length == 0 {
            self.one();
        }
        // The database that a replica is sent has no end of line behind it.
        let bare = kind == b'$' && self.open == Open::Reply && self.tag == REPLICATE;
        if length < 0 || bare || (kind == b';' && length == 0) {
            return Step::Go(at + used);
        }
        let body = length.unsigned_abs() + 2;
        let behind = body + used as u64;
        if behind > rest.len() as u64 {
            return Step::Stop(Progress::Skip { consumed: at + used, body });
        }
        let behind = behind as usize;
        if !rest[..behind].ends_with(b"\r\n") {
            return malformed(at);
        }
        Step::Go(at + behind)
    }

    fn aggregate(&mut self, rest: &[u8], at: usize, kind: u8, out: &mut Messages) -> Step {
        let (length, used) = match number(rest) {
            Number::Is(length, used) => (length, used),
            Number::Streamed(used) if self.behind.len() < DEEPEST && kind != b'|' => {
                self.one();
                self.behind.push(self.left);
                self.left = STREAMED;
                return Step::Go(at + used);
            }
            Number::More => return need(at, 1),
            _ => return malformed(at),
        };
        let is_whole_answer = self.open == Open::Reply && self.left == 1 && self.behind.is_empty();
        if self.tag == EXEC
            && is_whole_answer
            && length >= 0
            && let Some(entry) = out.current(Kind::Response, 0)
        {
            entry.exchange.attributes.add_int("db.operation.batch.size", length);
        }
        let values =
            length.max(0).unsigned_abs().saturating_mul(if matches!(kind, b'%' | b'|') { 2 } else { 1 });
        if kind != b'|' {
            self.one();
        }
        if self.left == STREAMED && values > 0 {
            if self.behind.len() >= DEEPEST {
                return malformed(at);
            }
            self.behind.push(STREAMED);
            self.left = values;
        } else if self.left != STREAMED {
            self.left = self.left.saturating_add(values).min(STREAMED - 1);
        }
        Step::Go(at + used)
    }
}

/// A line as far as it is looked at.
enum Line<'a> {
    /// Without type and end, and its length with them.
    Whole(&'a [u8], usize),
    /// The end is too far away.
    Long(&'a [u8]),
    More,
}

fn line(rest: &[u8]) -> Line<'_> {
    match memchr::memchr(b'\n', rest) {
        Some(end) => {
            let text = rest.get(1..end).unwrap_or_default();
            Line::Whole(text.strip_suffix(b"\r").unwrap_or(text), end + 1)
        }
        None if rest.len() > LOOKED_AT => Line::Long(rest.get(1..LOOKED_AT).unwrap_or_default()),
        None => Line::More,
    }
}

/// Whether the first line can be told; a reply is not begun before.
fn header_is_there(rest: &[u8]) -> bool {
    !matches!(line(rest), Line::More)
}

/// The first word of an array. An error is how many bytes are missing.
fn word(rest: &[u8]) -> Result<&[u8], usize> {
    if rest.first() == Some(&b'+') {
        return match line(rest) {
            Line::Whole(text, _) | Line::Long(text) => Ok(text),
            Line::More => Err(1),
        };
    }
    match number(rest) {
        Number::Is(length @ 0.., used) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(64);
            let text = &rest[used..];
            text.get(..length).ok_or(length.saturating_sub(text.len()))
        }
        Number::More => Err(1),
        _ => Ok(&[]),
    }
}
