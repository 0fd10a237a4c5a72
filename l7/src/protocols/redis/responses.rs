//! What the server sends: replies to commands, pushes and attributes (RESP2 and RESP3, type by
//! type). What a command means to its reply is in the request's tag (`attributes`).

use super::attributes::{self, ALL, EXEC, MONITOR, PARTS, PLAIN, REPLICATE, RESET};
use super::commands::{PushKind, SubscriptionSet, is_name, push_kind};
use super::header::{Number, number};
use super::session::Session;
use crate::contract::{Progress, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::step::{Step, malformed, need};

/// Longest part of a line that is inspected.
const INSPECT_LIMIT: usize = 4096;
/// Deepest nesting of streamed values.
const DEEPEST: usize = 32;
/// Longest error code or kind of a push that is inspected.
const LONGEST_WORD: usize = 64;
/// Value of `left` while the number of values that follow is unknown (streamed aggregates).
const STREAMED: u64 = u64::MAX;

/// What the value that is being read belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Open {
    /// Nothing: the next value begins.
    #[default]
    Nothing,
    /// An attribute before a value (`|`).
    Attributes,
    Push,
    Reply,
}

/// What is still to come of a reply that consists of several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parts {
    Count(u16),
    /// Until no subscription of the set is left.
    All(SubscriptionSet),
}

/// The state of the server's direction.
#[derive(Debug, Default)]
pub(super) struct Responses {
    open: Open,
    /// Values that follow until the open one ends.
    left: u64,
    /// Values that follow each enclosing aggregate, from the outermost on.
    behind: Vec<u64>,
    /// In the rest of a line longer than `INSPECT_LIMIT`.
    in_line: bool,
    /// In a streamed string (`$?`).
    in_string: bool,
    tag: u16,
    parts: Option<Parts>,
    /// The last integer (`:`) that was read.
    last: i64,
    /// The subscription change that the value confirms.
    counts: Option<(SubscriptionSet, bool)>,
    /// Subscriptions of each set.
    subscriptions: [u32; 3],
    /// Totals as the server counts them: channels and patterns together, and shard channels.
    totals: [i64; 2],
    text: String,
}

impl Responses {
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity() + self.behind.capacity() * size_of::<u64>()
    }

    /// Bytes are missing: the next value may begin anywhere.
    pub(super) fn on_gap(&mut self) {
        let Self { subscriptions, totals, .. } = *self;
        *self =
            Self { text: std::mem::take(&mut self.text), subscriptions, totals, ..Self::default() };
    }

    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        session: &mut Session,
        out: &mut Messages,
    ) -> Progress {
        let mut at = 0;
        loop {
            let done =
                self.open != Open::Nothing && self.left == 0 && !self.in_line && !self.in_string;
            if done && let Some(left) = self.behind.pop() {
                self.left = left;
                continue;
            }
            let step = match self.open {
                _ if done => self.finish(at, session, out),
                _ if at >= bytes.len() => return Progress::Consumed(at),
                Open::Nothing => self.begin_value(bytes, at, session, out),
                _ => self.read_value(bytes, at, out),
            };
            match step {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    /// Begins a value: finds out what it belongs to, and opens its message.
    fn begin_value(
        &mut self,
        bytes: &[u8],
        at: usize,
        session: &mut Session,
        out: &mut Messages,
    ) -> Step {
        let rest = &bytes[at..];
        let Some(&kind) = rest.first() else { return need(at, 1) };
        if session.responses_lost {
            let is_push = rest.starts_with(b">")
                || rest.starts_with(b"*3\r\n$7\r\nmessage\r\n")
                || rest.starts_with(b"*4\r\n$8\r\npmessage\r\n");
            if !is_push {
                return Step::Go(bytes.len());
            }
            session.responses_lost = false;
        }
        self.left = 1;
        match kind {
            b'|' => {
                // Only the attribute's values. The value that they belong to follows.
                self.open = Open::Attributes;
                self.left = 0;
                return self.read_value(bytes, at, out);
            }
            b'+' if session.monitoring && rest.get(1).is_none_or(u8::is_ascii_digit) => {
                if rest.len() < 2 {
                    return need(at, 1);
                }
                self.open = Open::Push;
                attributes::open_push("MONITOR", at, out);
                return self.read_value(bytes, at, out);
            }
            b'+' if rest.starts_with(b"+OK\r\n") && self.parts.is_none() => {
                // The most frequent reply takes a short way.
                self.open_reply(at, out);
                return if matches!(self.tag, PLAIN | EXEC) && self.parts.is_none() {
                    self.open = Open::Nothing;
                    out.close(Kind::Response, 0, at + 5);
                    Step::Go(at + 5)
                } else {
                    self.left = 0;
                    Step::Go(at + 5)
                };
            }
            b'>' | b'*' => {
                if let Err(more) = self.begin_array(rest, at, session, out) {
                    return need(at, more);
                }
            }
            b'-' => match line(rest) {
                Line::Whole(text, _) | Line::Long(text) => self.open_error(text, at, out),
                Line::More => return need(at, 1),
            },
            b'!' => match number(rest) {
                Number::Is(length @ 0.., used) => {
                    let inspected = usize::try_from(length).unwrap_or(usize::MAX).min(LONGEST_WORD);
                    let text = &rest[used..];
                    let Some(text) = text.get(..inspected) else {
                        return need(at, inspected - text.len());
                    };
                    self.open_error(text, at, out);
                }
                Number::More => return need(at, 1),
                _ => return malformed(at),
            },
            b'+' if out.next_tag() == Some(REPLICATE) => {
                let text = match line(rest) {
                    Line::Whole(text, _) | Line::Long(text) => text,
                    Line::More => return need(at, 1),
                };
                self.open_reply(at, out);
                if !text.starts_with(b"FULLRESYNC") && !text.starts_with(b"CONTINUE") {
                    self.tag = PLAIN;
                }
            }
            // Keep-alives while the server prepares the database that it will send.
            b'\n' if out.next_tag() == Some(REPLICATE) => {
                return Step::Go(at + rest.iter().take_while(|b| **b == b'\n').count());
            }
            b'$' if out.next_tag() == Some(REPLICATE) => self.open_reply(at, out),
            b'+' | b':' | b'$' | b'_' | b'#' | b',' | b'(' | b'=' | b'%' | b'~' => {
                if !header_is_there(rest) {
                    return need(at, 1);
                }
                self.open_reply(at, out);
            }
            _ => return malformed(at),
        }
        self.read_value(bytes, at, out)
    }

    /// Opens the reply to the next request, or continues the one of which some values came.
    fn open_reply(&mut self, at: usize, out: &mut Messages) {
        self.open = Open::Reply;
        if self.parts.is_some() {
            return;
        }
        self.tag = out.next_tag().unwrap_or(PLAIN);
        self.parts = match self.tag {
            PARTS.. => Some(Parts::Count(self.tag - PARTS)),
            tag => ALL.iter().find(|(all, _)| *all == tag).map(|(_, set)| Parts::All(*set)),
        };
        let entry = out.open(Kind::Response, 0, at);
        if entry.exchange.request.is_none() {
            entry.exchange.attributes.push_text("db.system.name", "redis");
        }
    }

    /// Begins an array or a push.
    ///
    /// # Errors
    /// The number of missing bytes.
    fn begin_array(
        &mut self,
        rest: &[u8],
        at: usize,
        session: &Session,
        out: &mut Messages,
    ) -> Result<(), usize> {
        use SubscriptionSet::{Channels, Patterns};
        if !self.is_unrequested(rest, rest.first() == Some(&b'>'), session, out)? {
            self.open_reply(at, out);
        } else if matches!(self.counts, Some((Channels | Patterns, false))) {
            // The end of a reply to UNSUBSCRIBE without arguments: how long it would be was
            // unknown, since what was subscribed to was not seen.
            self.open = Open::Attributes;
        } else {
            self.open = Open::Push;
            attributes::open_push(&self.text, at, out);
        }
        Ok(())
    }

    /// Opens a reply that is the error `text`.
    fn open_error(&mut self, text: &[u8], at: usize, out: &mut Messages) {
        self.open_reply(at, out);
        // An error is the whole reply.
        self.parts = None;
        if let Some(entry) = out.current(Kind::Response, 0) {
            attributes::push_error(entry, text);
        }
    }

    /// Whether the array (or push) belongs to no request. Its kind, in upper case, is put into
    /// `text`.
    ///
    /// # Errors
    ///
    /// The number of missing bytes.
    fn is_unrequested(
        &mut self,
        rest: &[u8],
        push: bool,
        session: &Session,
        out: &Messages,
    ) -> Result<bool, usize> {
        let (length, used) = match number(rest) {
            Number::Is(length, used) => (length, used),
            Number::More => return Err(1),
            _ => return Ok(push),
        };
        let tag = if self.parts.is_some() { None } else { out.next_tag() };
        let unrequested = self.parts.is_none() && tag.is_none();
        if !push && (!(3..=4).contains(&length) || !(session.subscribed || unrequested)) {
            return Ok(false);
        }
        let kind = match rest.get(used) {
            Some(b'$' | b'+') => word(&rest[used..])?,
            None => return Err(1),
            Some(_) => return Ok(push),
        };
        self.text.clear();
        self.text
            .push_str(std::str::from_utf8(kind).ok().filter(|_| is_name(kind)).unwrap_or("push"));
        self.text.make_ascii_uppercase();
        match push_kind(kind) {
            Some(PushKind::Message) => Ok(true),
            Some(PushKind::Count(set, more)) => {
                self.counts = Some((set, more));
                let requested = self.parts.is_some()
                    || tag
                        .is_some_and(|tag| tag >= PARTS || ALL.iter().any(|(all, _)| *all == tag));
                Ok(!requested)
            }
            None => Ok(push),
        }
    }

    /// The open value is whole before `at`.
    fn finish(&mut self, at: usize, session: &mut Session, out: &mut Messages) -> Step {
        let counted = self.counts.take().map(|change| self.count_subscription(change));
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
            // Another value is the whole reply (`+QUEUED`).
            _ => None,
        };
        if self.parts.is_some() {
            return Step::Go(at);
        }
        out.close(Kind::Response, 0, at);
        match self.tag {
            MONITOR => session.monitoring = true,
            RESET => (session.monitoring, session.subscribed) = (false, false),
            REPLICATE => {
                return Step::Stop(Progress::GiveUp { consumed: at, reason: Reason::Opaque });
            }
            _ => {}
        }
        Step::Go(at)
    }

    /// Keeps the number of subscriptions, from the totals that the server sends.
    fn count_subscription(&mut self, (set, more): (SubscriptionSet, bool)) {
        let total = &mut self.totals[usize::from(set == SubscriptionSet::Shards)];
        let count = &mut self.subscriptions[set as usize];
        if more && self.last > *total {
            *count = count.saturating_add(1);
        } else if !more && self.last < *total {
            *count = count.saturating_sub(1);
        }
        *total = self.last;
    }

    /// Reads a value, or the header of one that holds others.
    fn read_value(&mut self, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
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
                            self.last = std::str::from_utf8(text)
                                .ok()
                                .and_then(|t| t.parse().ok())
                                .unwrap_or(0);
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
                    self.on_nested_error(rest.get(1..used).unwrap_or_default(), out);
                }
                self.on_value_end();
                Step::Go(at + used)
            }
            b'$' | b'=' | b'!' | b';' => self.read_string(rest, at, kind),
            b'*' | b'~' | b'>' | b'%' | b'|' => self.read_aggregate(rest, at, kind, out),
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

    /// One of the values that follow ended.
    fn on_value_end(&mut self) {
        if self.left != STREAMED {
            self.left = self.left.saturating_sub(1);
        }
    }

    /// An error inside the reply to EXEC. The first one becomes the transaction's.
    fn on_nested_error(&mut self, text: &[u8], out: &mut Messages) {
        if let Some(entry) = out.current(Kind::Response, 0)
            && entry.exchange.attributes.get("error.type").is_none()
        {
            attributes::push_error(entry, text.trim_ascii_end());
        }
    }

    /// Reads the header of a string (`$`, `=`, `!`, `;`) and passes over its bytes.
    fn read_string(&mut self, rest: &[u8], at: usize, kind: u8) -> Step {
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
            self.on_value_end();
        }
        // The database that a replica is sent (`$length`) has no line end behind it.
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

    /// Reads the header of an aggregate (`*`, `~`, `>`, `%`, `|`).
    fn read_aggregate(&mut self, rest: &[u8], at: usize, kind: u8, out: &mut Messages) -> Step {
        let (length, used) = match number(rest) {
            Number::Is(length, used) => (length, used),
            Number::Streamed(used) if self.behind.len() < DEEPEST && kind != b'|' => {
                self.on_value_end();
                self.behind.push(self.left);
                self.left = STREAMED;
                return Step::Go(at + used);
            }
            Number::More => return need(at, 1),
            _ => return malformed(at),
        };
        let is_whole_reply = self.open == Open::Reply && self.left == 1 && self.behind.is_empty();
        if self.tag == EXEC
            && is_whole_reply
            && length >= 0
            && let Some(entry) = out.current(Kind::Response, 0)
        {
            entry.exchange.attributes.add_int("db.operation.batch.size", length);
        }
        let values = length.max(0).unsigned_abs().saturating_mul(if matches!(kind, b'%' | b'|') {
            2
        } else {
            1
        });
        if kind != b'|' {
            self.on_value_end();
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

/// A line, or the part of it that is inspected.
enum Line<'a> {
    /// The line without type and end, and its length with them.
    Whole(&'a [u8], usize),
    /// The end is further away than `INSPECT_LIMIT`.
    Long(&'a [u8]),
    More,
}

fn line(rest: &[u8]) -> Line<'_> {
    match memchr::memchr(b'\n', rest) {
        Some(end) => {
            let text = rest.get(1..end).unwrap_or_default();
            Line::Whole(text.strip_suffix(b"\r").unwrap_or(text), end + 1)
        }
        None if rest.len() > INSPECT_LIMIT => {
            Line::Long(rest.get(1..INSPECT_LIMIT).unwrap_or_default())
        }
        None => Line::More,
    }
}

/// Whether the first line is whole or long enough. A reply is not opened before.
fn header_is_there(rest: &[u8]) -> bool {
    !matches!(line(rest), Line::More)
}

/// The first word of an array.
///
/// # Errors
///
/// The number of missing bytes.
fn word(rest: &[u8]) -> Result<&[u8], usize> {
    if rest.first() == Some(&b'+') {
        return match line(rest) {
            Line::Whole(text, _) | Line::Long(text) => Ok(text),
            Line::More => Err(1),
        };
    }
    match number(rest) {
        Number::Is(length @ 0.., used) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(LONGEST_WORD);
            let text = &rest[used..];
            text.get(..length).ok_or(length.saturating_sub(text.len()))
        }
        Number::More => Err(1),
        _ => Ok(&[]),
    }
}
