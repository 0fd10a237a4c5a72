//! The parser of FastCGI: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use super::probe;
use super::record::{
    ABORT_REQUEST, BEGIN_REQUEST, DATA, END_REQUEST, GET_VALUES, GET_VALUES_RESULT, HEADER, PARAMS, Record,
    STDERR, STDIN, STDOUT, UNKNOWN_TYPE,
};
use super::tell;
use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::{Entry, Kind, Messages};
use crate::kit::step::{Step, malformed, need, skip};
use fact::{Exchange, Outcome};

/// So much of a record's parameters is looked at.
const PARAMETERS: usize = 16 * 1024;
/// So much of an answer's head.
const HEAD: usize = 2048;
/// Set in the tag of an exchange of which the answer's head was seen.
const HEAD_SEEN: u16 = 1;
/// Id of requests about the connection itself.
const CONNECTION: u64 = 0;

#[derive(Debug, Default)]
struct Side {
    /// The message that ends behind the record.
    ends: Option<(Kind, u64)>,
    /// Out of step: looking for a record that cannot be anything else.
    seeks: bool,
}

#[derive(Debug, Default)]
pub(super) struct FastcgiParser {
    sides: PerDirection<Side>,
    /// Bytes at the beginning of the next PARAMS record of a request that belong to the pair
    /// before; none where that is not known.
    beyond: Option<(u16, Option<u64>)>,
}

impl Parser for FastcgiParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            if let Some((kind, id)) = self.sides[direction].ends.take() {
                out.close(kind, id, at);
            }
            if at >= bytes.len() {
                return Progress::Consumed(at);
            }
            let step = if self.sides[direction].seeks {
                self.seek(direction, bytes, at)
            } else {
                self.record(direction, bytes, at, out)
            };
            match step {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        self.sides[direction] = Side { ends: None, seeks: true };
        if direction == Direction::ToServer {
            self.beyond = None;
        }
        Ok(())
    }
}

impl FastcgiParser {
    fn record(&mut self, direction: Direction, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        if rest.len() < HEADER {
            return if rest[0] == 1 { need(at, HEADER - rest.len()) } else { malformed(at) };
        }
        let Some(record) =
            Record::read(rest).filter(|r| r.is_to_server() == (direction == Direction::ToServer))
        else {
            return malformed(at);
        };
        let id = u64::from(record.id);
        let looked_at = record.content.min(match record.kind {
            PARAMS => PARAMETERS,
            STDOUT if !head_seen(id, out) => HEAD,
            END_REQUEST => 8,
            _ => 0,
        });
        let Some(content) = rest.get(HEADER..HEADER + looked_at) else {
            return need(at, HEADER + looked_at - rest.len());
        };
        match record.kind {
            BEGIN_REQUEST => {
                out.open(Kind::Request, id, at);
            }
            PARAMS => self.parameters(record, content, out),
            STDIN if record.content == 0 => self.sides[direction].ends = Some((Kind::Request, id)),
            STDIN | DATA => add(out.current(Kind::Request, id), "http.request.body.size", record.content),
            ABORT_REQUEST => {
                if let Some(entry) = out.current(Kind::Request, id) {
                    entry.exchange.attributes.push_text("error.type", "aborted");
                }
                self.sides[direction].ends = Some((Kind::Request, id));
            }
            GET_VALUES => {
                let entry = out.open(Kind::Request, CONNECTION, at);
                entry.exchange.operation.push_str("GET_VALUES");
                self.sides[direction].ends = Some((Kind::Request, CONNECTION));
            }
            GET_VALUES_RESULT | UNKNOWN_TYPE => {
                let entry = out.open(Kind::Response, CONNECTION, at);
                if record.kind == UNKNOWN_TYPE {
                    failed(&mut entry.exchange, "UNKNOWN_TYPE");
                }
                self.sides[direction].ends = Some((Kind::Response, CONNECTION));
            }
            STDOUT | STDERR if record.content > 0 => output(record, content, at, out),
            END_REQUEST => {
                let entry = answer(id, at, out);
                match content.get(4) {
                    Some(0) | None => {}
                    Some(1) => failed(&mut entry.exchange, "CANT_MPX_CONN"),
                    Some(2) => failed(&mut entry.exchange, "OVERLOADED"),
                    Some(3) => failed(&mut entry.exchange, "UNKNOWN_ROLE"),
                    Some(_) => failed(&mut entry.exchange, "_OTHER"),
                }
                self.sides[direction].ends = Some((Kind::Response, id));
            }
            _ => {}
        }
        skip(at + HEADER, record.body(), bytes.len())
    }

    fn parameters(&mut self, record: Record, content: &[u8], out: &mut Messages) {
        let beyond = self.beyond.take().filter(|(id, _)| *id == record.id).map(|(_, bytes)| bytes);
        let skipped = match beyond {
            None => 0,
            Some(Some(bytes)) => bytes,
            // The lengths were cut in two: where the next pair begins is not known.
            Some(None) => return self.beyond = Some((record.id, None)),
        };
        if skipped >= record.content as u64 {
            let left = skipped - record.content as u64;
            self.beyond = (left > 0).then_some((record.id, Some(left)));
            return;
        }
        let content = content.get(skipped as usize..).unwrap_or_default();
        let Some(entry) = out.current(Kind::Request, u64::from(record.id)) else { return };
        let beyond = tell::request(&mut entry.exchange, content);
        if record.content > PARAMETERS {
            self.beyond = Some((record.id, None));
        } else if beyond != Some(0) {
            self.beyond = Some((record.id, beyond));
        }
    }

    fn seek(&mut self, direction: Direction, bytes: &[u8], at: usize) -> Step {
        let mut from = at;
        while let Some(one) = memchr::memchr(1, &bytes[from..]).map(|found| found + from) {
            let rest = &bytes[one..];
            let wanted = match direction {
                Direction::ToServer => BEGIN_REQUEST,
                Direction::ToClient => END_REQUEST,
            };
            if rest.get(1).is_none_or(|kind| *kind == wanted) {
                // The end of a request has three bytes of nothing at its own end.
                let ends = |rest: &[u8]| match rest.get(13..16) {
                    Some([0, 0, 0]) => Probe::Yes,
                    Some(_) => Probe::No,
                    None => Probe::More,
                };
                let answer = match probe::probe(rest, direction, true) {
                    Probe::Yes if wanted == END_REQUEST => ends(rest),
                    answer => answer,
                };
                match answer {
                    Probe::Yes => {
                        self.sides[direction].seeks = false;
                        return Step::Go(one);
                    }
                    Probe::More => return need(one, 1),
                    Probe::No => {}
                }
            }
            from = one + 1;
        }
        Step::Go(bytes.len())
    }
}

/// Whether the head of the answer to request `id` was seen.
fn head_seen(id: u64, out: &mut Messages) -> bool {
    out.current(Kind::Response, id).is_some_and(|entry| entry.notes.tag & HEAD_SEEN != 0)
}

/// The answer to request `id`, which begins here if it has not begun before.
fn answer<'m>(id: u64, at: usize, out: &'m mut Messages<'_>) -> &'m mut Entry {
    out.current_or_open(Kind::Response, id, at)
}

fn output(record: Record, content: &[u8], at: usize, out: &mut Messages) {
    let entry = answer(u64::from(record.id), at, out);
    if record.kind == STDERR {
        entry.exchange.attributes.add_int("fastcgi.stderr.size", record.content as i64);
        return;
    }
    let mut size = record.content;
    if entry.notes.tag & HEAD_SEEN == 0 {
        entry.notes.tag |= HEAD_SEEN;
        tell::response(&mut entry.exchange, content);
        let head = memchr::memmem::find(content, b"\r\n\r\n").map(|at| at + 4);
        size -= head.or(memchr::memmem::find(content, b"\n\n").map(|at| at + 2)).unwrap_or(0);
    }
    add(Some(entry), "http.response.body.size", size);
}

fn add(entry: Option<&mut Entry>, key: &'static str, size: usize) {
    if let Some(entry) = entry
        && size > 0
    {
        entry.exchange.attributes.add_int(key, size as i64);
    }
}

fn failed(exchange: &mut Exchange, error: &str) {
    exchange.outcome = Outcome::ServerError;
    exchange.attributes.push_text("error.type", error);
}
