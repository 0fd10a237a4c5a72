//! Records and what they add to the exchanges, and resynchronisation after lost bytes.

use wire::{Direction, PerDirection};

use super::attributes;
use super::probe;
use super::record::{
    ABORT_REQUEST, BEGIN_REQUEST, DATA, END_REQUEST, END_REQUEST_BODY, GET_VALUES,
    GET_VALUES_RESULT, HEADER, PARAMS, PROTOCOL_STATUS, Record, STDERR, STDIN, STDOUT,
    UNKNOWN_TYPE, VERSION, status,
};
use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::{Entry, Kind, Messages};
use crate::kit::step::{Step, malformed, need, skip};
use fact::{Exchange, Outcome};

/// Bytes of a record's parameters that are inspected.
const LONGEST_PARAMETERS: usize = 16 * 1024;
/// Bytes of a response's head that are inspected.
const LONGEST_HEAD: usize = 2048;
/// Flag in the tag of an exchange: the head of its response was read.
const HEAD_READ: u16 = 1;
/// Request id of management records (FastCGI Specification section 4).
const MANAGEMENT: u64 = 0;

#[derive(Debug, Default)]
struct Side {
    /// The message that ends behind the current record.
    ends: Option<(Kind, u64)>,
    /// The parser looks for a record after a loss.
    resynchronising: bool,
}

#[derive(Debug, Default)]
pub(super) struct FastcgiParser {
    sides: PerDirection<Side>,
    /// Request id, and the bytes at the beginning of its next PARAMS record that belong to the pair
    /// before (none if that is unknown).
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
            let step = if self.sides[direction].resynchronising {
                self.seek(direction, bytes, at)
            } else {
                self.read_record(direction, bytes, at, out)
            };
            match step {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        self.sides[direction] = Side { ends: None, resynchronising: true };
        if direction == Direction::ToServer {
            self.beyond = None;
        }
        Ok(())
    }
}

impl FastcgiParser {
    fn read_record(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let rest = &bytes[at..];
        if rest.len() < HEADER {
            return if rest[0] == VERSION { need(at, HEADER - rest.len()) } else { malformed(at) };
        }
        let Some(record) =
            Record::read(rest).filter(|r| r.is_to_server() == (direction == Direction::ToServer))
        else {
            return malformed(at);
        };
        let id = u64::from(record.id);
        let inspected = record.content.min(match record.kind {
            PARAMS => LONGEST_PARAMETERS,
            STDOUT if !is_head_read(id, out) => LONGEST_HEAD,
            END_REQUEST => END_REQUEST_BODY,
            _ => 0,
        });
        let Some(content) = rest.get(HEADER..HEADER + inspected) else {
            return need(at, HEADER + inspected - rest.len());
        };
        match record.kind {
            BEGIN_REQUEST => {
                out.open(Kind::Request, id, at);
            }
            PARAMS => self.on_params(record, content, out),
            STDIN if record.content == 0 => self.sides[direction].ends = Some((Kind::Request, id)),
            STDIN | DATA => {
                add_size(out.current(Kind::Request, id), "http.request.body.size", record.content)
            }
            ABORT_REQUEST => {
                if let Some(entry) = out.current(Kind::Request, id) {
                    entry.exchange.attributes.push_text("error.type", "aborted");
                }
                self.sides[direction].ends = Some((Kind::Request, id));
            }
            GET_VALUES => {
                let entry = out.open(Kind::Request, MANAGEMENT, at);
                entry.exchange.operation.push_str("GET_VALUES");
                self.sides[direction].ends = Some((Kind::Request, MANAGEMENT));
            }
            GET_VALUES_RESULT | UNKNOWN_TYPE => {
                let entry = out.open(Kind::Response, MANAGEMENT, at);
                if record.kind == UNKNOWN_TYPE {
                    push_error(&mut entry.exchange, "UNKNOWN_TYPE");
                }
                self.sides[direction].ends = Some((Kind::Response, MANAGEMENT));
            }
            STDOUT | STDERR if record.content > 0 => on_output(record, content, at, out),
            END_REQUEST => {
                let entry = open_response(id, at, out);
                match content.get(PROTOCOL_STATUS).copied() {
                    Some(status::REQUEST_COMPLETE) | None => {}
                    Some(status::CANT_MPX_CONN) => push_error(&mut entry.exchange, "CANT_MPX_CONN"),
                    Some(status::OVERLOADED) => push_error(&mut entry.exchange, "OVERLOADED"),
                    Some(status::UNKNOWN_ROLE) => push_error(&mut entry.exchange, "UNKNOWN_ROLE"),
                    Some(_) => push_error(&mut entry.exchange, "_OTHER"),
                }
                self.sides[direction].ends = Some((Kind::Response, id));
            }
            _ => {}
        }
        skip(at + HEADER, record.body(), bytes.len())
    }

    /// A PARAMS record. The request is not open if it began before the capture.
    fn on_params(&mut self, record: Record, content: &[u8], out: &mut Messages) {
        let beyond = self.beyond.take().filter(|(id, _)| *id == record.id).map(|(_, bytes)| bytes);
        let skipped = match beyond {
            None => 0,
            Some(Some(bytes)) => bytes,
            // The lengths were cut: where the next pair begins is unknown.
            Some(None) => return self.beyond = Some((record.id, None)),
        };
        if skipped >= record.content as u64 {
            let left = skipped - record.content as u64;
            self.beyond = (left > 0).then_some((record.id, Some(left)));
            return;
        }
        let content = content.get(skipped as usize..).unwrap_or_default();
        let Some(entry) = out.current(Kind::Request, u64::from(record.id)) else { return };
        let beyond = attributes::push_parameters(&mut entry.exchange, content);
        if record.content > LONGEST_PARAMETERS {
            self.beyond = Some((record.id, None));
        } else if beyond != Some(0) {
            self.beyond = Some((record.id, beyond));
        }
    }

    fn seek(&mut self, direction: Direction, bytes: &[u8], at: usize) -> Step {
        let mut from = at;
        while let Some(one) = memchr::memchr(VERSION, &bytes[from..]).map(|found| found + from) {
            let rest = &bytes[one..];
            let wanted = match direction {
                Direction::ToServer => BEGIN_REQUEST,
                Direction::ToClient => END_REQUEST,
            };
            if rest.get(1).is_none_or(|kind| *kind == wanted) {
                // END_REQUEST ends with three reserved bytes.
                let ends = |rest: &[u8]| match rest.get(13..16) {
                    Some([0, 0, 0]) => Probe::Yes,
                    Some(_) => Probe::No,
                    None => Probe::More,
                };
                let open_response = match probe::probe(rest, direction, true) {
                    Probe::Yes if wanted == END_REQUEST => ends(rest),
                    open_response => open_response,
                };
                match open_response {
                    Probe::Yes => {
                        self.sides[direction].resynchronising = false;
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

/// Whether the head of the response to request `id` was read.
fn is_head_read(id: u64, out: &mut Messages) -> bool {
    out.current(Kind::Response, id).is_some_and(|entry| entry.notes.tag & HEAD_READ != 0)
}

/// The response to request `id`. It is opened if this is its first record.
fn open_response<'m>(id: u64, at: usize, out: &'m mut Messages<'_>) -> &'m mut Entry {
    out.current_or_open(Kind::Response, id, at)
}

/// An STDOUT or STDERR record.
fn on_output(record: Record, content: &[u8], at: usize, out: &mut Messages) {
    let entry = open_response(u64::from(record.id), at, out);
    if record.kind == STDERR {
        entry.exchange.attributes.add_int("fastcgi.stderr.size", record.content as i64);
        return;
    }
    let mut size = record.content;
    if entry.notes.tag & HEAD_READ == 0 {
        entry.notes.tag |= HEAD_READ;
        attributes::push_response_head(&mut entry.exchange, content);
        let head = memchr::memmem::find(content, b"\r\n\r\n").map(|at| at + 4);
        size -= head.or(memchr::memmem::find(content, b"\n\n").map(|at| at + 2)).unwrap_or(0);
    }
    add_size(Some(entry), "http.response.body.size", size);
}

/// Adds to a size, if there is something to add.
fn add_size(entry: Option<&mut Entry>, key: &'static str, size: usize) {
    if let Some(entry) = entry
        && size > 0
    {
        entry.exchange.attributes.add_int(key, size as i64);
    }
}

fn push_error(exchange: &mut Exchange, error: &str) {
    exchange.outcome = Outcome::ServerError;
    exchange.attributes.push_text("error.type", error);
}
