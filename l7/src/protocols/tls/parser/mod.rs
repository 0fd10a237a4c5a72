//! Records of both directions, and the handshake messages in them, which may be cut into records anywhere.

mod alert;
mod message;
mod sealed;

use wire::{Direction, PerDirection};

use super::record::{ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, HEADER, Head, Record, head, old_hello};
use super::tell::{self, Choice, Offer};
use crate::contract::{Parser, Progress, Reason};
use crate::correlate::{EndMark, Kind, Messages};

/// Records that are passed over before it is given up to see the end of a handshake.
const PATIENCE: u32 = 256;
/// Handshakes of a connection are not paired by an id.
const ID: u64 = 0;

#[derive(Debug, Default)]
pub(super) struct TlsParser {
    sides: PerDirection<Side>,
    offer: Offer,
    /// What the server chose, from its hello on.
    choice: Option<Choice>,
    /// The server sent a certificate, or otherwise all that a full handshake of TLS 1.2 has.
    full: bool,
    /// Description of a warning before the server's hello.
    warned: Option<u8>,
    /// Where the server's part of the handshake ended so far.
    mark: Option<EndMark>,
    passed: u32,
    scratch: Vec<u8>,
}

/// Where a direction stands.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    /// Bytes of the record at hand that belong to messages not read so far.
    left: usize,
    /// Bytes of a message that nobody has to look at.
    body: usize,
    /// What is to be done behind the message or record at hand.
    end: Option<End>,
    /// Messages in the clear were read, so what comes next is known.
    known: bool,
    /// ChangeCipherSpec was seen: handshake messages are encrypted.
    changed: bool,
    /// Bytes are missing; the next record has to be found.
    lost: bool,
    /// Encrypted records seen.
    sealed: u32,
}

/// What is behind a message or record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Request,
    /// Of a response after which the client asks again.
    Retry,
    /// Of a part of the server's answer.
    Part,
    Finished,
    Failed,
}

enum Step {
    On(usize),
    Stop(Progress),
}

impl TlsParser {
    fn step(&mut self, direction: Direction, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let side = &mut self.sides[direction];
        let skipped = side.body.min(side.left);
        if skipped > 0 {
            side.body -= skipped;
            side.left -= skipped;
            return skip(at, skipped, bytes.len());
        }
        if side.body == 0
            && let Some(end) = side.end.take()
        {
            return if self.ended(end, at, out) { opaque(at) } else { Step::On(at) };
        }
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Step::Stop(Progress::Consumed(at));
        }
        let left = side.left;
        if left > 0 {
            return self.message(direction, bytes, [at, at], left, out);
        }
        match head(rest) {
            Head::Record(record) => self.record(direction, record, bytes, at, out),
            Head::Short(more) => Step::Stop(Progress::Need { consumed: at, more }),
            Head::Not if side.lost => Step::Stop(Progress::Consumed(bytes.len())),
            Head::Not if direction == Direction::ToServer && !side.known => self.old(rest, at, out),
            Head::Not => malformed(at),
        }
    }

    fn record(
        &mut self,
        direction: Direction,
        record: Record,
        bytes: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let side = &mut self.sides[direction];
        if side.lost {
            *side = Side { changed: side.changed, ..Side::default() };
        }
        match record.kind {
            HANDSHAKE if side.body > 0 => {
                side.left = record.length;
                Step::On(at + HEADER)
            }
            HANDSHAKE if !side.changed => {
                self.message(direction, bytes, [at, at + HEADER], record.length, out)
            }
            _ if side.body > 0 => malformed(at),
            CHANGE_CIPHER_SPEC => self.change(direction, record, bytes.len(), at, out),
            ALERT if record.length == 2 => self.alert(direction, bytes, at, out),
            _ => self.sealed(direction, record, bytes.len(), at, out),
        }
    }

    /// A ClientHello in the form of SSL 2.0.
    fn old(&mut self, rest: &[u8], at: usize, out: &mut Messages) -> Step {
        let Some(hello) = old_hello(rest) else { return malformed(at) };
        if hello.length == 0 {
            return Step::Stop(Progress::Need { consumed: at, more: 1 });
        }
        self.restart();
        let exchange = &mut out.open(Kind::Request, ID, at).exchange;
        exchange.operation.push_str("handshake");
        tell::old_hello(hello.version, &mut exchange.attributes);
        let side = &mut self.sides[Direction::ToServer];
        (side.known, side.end) = (true, Some(End::Request));
        skip(at, hello.length, rest.len() + at)
    }

    fn change(
        &mut self,
        direction: Direction,
        record: Record,
        len: usize,
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let side = &mut self.sides[direction];
        // In TLS 1.3 it means nothing (RFC 8446 appendix D.4).
        let means_it = self.choice.map_or(!side.known, |choice| !choice.hidden);
        side.changed |= means_it;
        if direction == Direction::ToClient {
            side.end = Some(End::Part);
            if means_it && let Some(entry) = out.current(Kind::Response, ID) {
                entry.exchange.attributes.push_bool("tls.resumed", !self.full);
            }
        }
        skip(at, HEADER + record.length, len)
    }

    /// Deals with what just ended before `at`; says whether nothing more can be seen.
    fn ended(&mut self, end: End, at: usize, out: &mut Messages) -> bool {
        match end {
            End::Request => out.close(Kind::Request, ID, at),
            End::Retry => out.close(Kind::Response, ID, at),
            End::Part => self.mark = Some(out.end_mark(at)),
            End::Finished => {
                if let Some(entry) = out.current(Kind::Response, ID) {
                    entry.exchange.attributes.push_bool("tls.established", true);
                }
                out.close(Kind::Response, ID, at);
            }
            End::Failed => out.close(Kind::Response, ID, at),
        }
        matches!(end, End::Finished | End::Failed)
    }

    /// Another handshake begins.
    fn restart(&mut self) {
        let scratch = std::mem::take(&mut self.scratch);
        *self = Self { scratch, sides: self.sides, passed: self.passed, ..Self::default() };
    }
}

impl Parser for TlsParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            match self.step(direction, bytes, at, out) {
                Step::On(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        self.message_cut(direction, bytes, out);
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        if !out.is_snapped() {
            out.mark_loss();
        }
        self.passed += 1;
        if self.passed > PATIENCE {
            return Err(Reason::Opaque);
        }
        let changed = self.sides[direction].changed;
        self.sides[direction] = Side { changed, lost: true, ..Side::default() };
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.scratch.capacity()
    }

    fn end(&mut self, direction: Direction, out: &mut Messages) {
        self.closed(direction, out);
    }
}

/// On behind the next `length` bytes.
fn skip(at: usize, length: usize, len: usize) -> Step {
    match at.checked_add(length) {
        Some(end) if end <= len => Step::On(end),
        _ => Step::Stop(Progress::Skip { consumed: at, body: length as u64 }),
    }
}

fn malformed(consumed: usize) -> Step {
    Step::Stop(Progress::GiveUp { consumed, reason: Reason::Malformed })
}

fn opaque(consumed: usize) -> Step {
    Step::Stop(Progress::GiveUp { consumed, reason: Reason::Opaque })
}
