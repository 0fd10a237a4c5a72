//! The parser of CQL: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use super::compressed::{Compression, lz4};
use super::envelope::{COMPRESSED, Envelope, HEADER, frame};
use super::opcodes::{EVENT, name};
use super::segment::{Framing, LONGEST_HEADER, Segment, TRAILER};
use super::session::Session;
use super::{request, response};
use crate::contract::{Parser, Progress, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::frames::{Frame, next_message};

/// Bytes of a body that are looked at.
const LOOKED_AT: usize = 4096;
/// Bytes of a compressed segment that are looked at.
const PACKED: usize = 32 * 1024;
/// Room for unpacked bytes that is kept.
const KEPT: usize = 16 * 1024;
/// Envelopes that a compressed segment may have: some, and one for so many of its bytes.
const ENVELOPES: (usize, usize) = (64, 8);
/// What events are called by, which answer nothing.
const EVENTS: u64 = 1 << 32;

#[derive(Debug, Default)]
struct Side {
    framing: Option<Framing>,
    /// Bytes of the payload of the segment that are to come; its checksum follows.
    segment: Option<usize>,
    /// Bytes of the body of the envelope that are to come.
    body: usize,
    /// The message that the envelope is.
    open: Option<(Kind, u64)>,
    /// The next envelope or segment has to be looked for.
    lost: bool,
    /// Segments with a part of an envelope are passed over: its beginning is not known.
    whole_only: bool,
}

/// One connection.
#[derive(Debug)]
pub(super) struct CqlParser {
    session: Session,
    compression: Compression,
    sides: PerDirection<Side>,
    unpacked: Vec<u8>,
}

/// How it goes on.
enum Step {
    /// So many bytes are dealt with, of those there or beyond.
    Take(usize),
    /// So many bytes have to be there.
    Need(usize),
    Malformed,
}

impl CqlParser {
    pub(super) fn new(literals: bool) -> Self {
        Self {
            session: Session::new(literals),
            compression: Compression::None,
            sides: PerDirection::default(),
            unpacked: Vec::new(),
        }
    }

    /// Tells an envelope of which the beginning of the body is there.
    fn tell(
        &mut self,
        direction: Direction,
        envelope: Envelope,
        body: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> (Kind, u64) {
        let mut unpacked = std::mem::take(&mut self.unpacked);
        let body = if envelope.flags & COMPRESSED != 0 && envelope.version < 5 {
            self.compression.unpack(body, LOOKED_AT, &mut unpacked);
            &unpacked
        } else {
            body
        };
        let stream = u64::from(envelope.stream);
        let (kind, id) = match direction {
            Direction::ToServer => (Kind::Request, stream),
            Direction::ToClient if envelope.opcode == EVENT => (Kind::OneWay, EVENTS),
            Direction::ToClient => (Kind::Response, stream),
        };
        let exchange = &mut out.open(kind, id, at).exchange;
        if exchange.operation.is_empty() {
            exchange.attributes.push_text("db.system.name", "cassandra");
        }
        if kind != Kind::Response {
            exchange.operation.push_str(name(envelope.opcode, direction).unwrap_or_default());
        }
        if direction == Direction::ToServer {
            if let Some(compression) = request::compression(envelope, body) {
                self.compression = compression;
            }
            let _ = request::tell(envelope, body, &mut self.session, &mut exchange.attributes);
        } else {
            let _ = response::tell(envelope, body, &mut self.session, exchange);
        }
        unpacked.shrink_to(KEPT);
        self.unpacked = unpacked;
        (kind, id)
    }

    /// At the beginning of an envelope.
    fn envelope(&mut self, direction: Direction, rest: &[u8], at: usize, out: &mut Messages) -> Step {
        let room = self.sides[direction].segment.unwrap_or(usize::MAX);
        if room < HEADER {
            return Step::Malformed;
        }
        if rest.len() < HEADER {
            return Step::Need(HEADER);
        }
        let Some(envelope) = Envelope::read(rest, direction) else { return Step::Malformed };
        let looked_at = envelope.body.min(LOOKED_AT).min(room - HEADER);
        let Some(body) = rest.get(HEADER..HEADER + looked_at) else { return Step::Need(HEADER + looked_at) };
        let open = self.tell(direction, envelope, body, at, out);
        let side = &mut self.sides[direction];
        side.open = Some(open);
        side.body = envelope.body - looked_at;
        if let Some(left) = &mut side.segment {
            *left -= HEADER + looked_at;
        }
        Step::Take(HEADER + looked_at)
    }

    /// At the beginning of a segment.
    fn segment(
        &mut self,
        direction: Direction,
        framing: Framing,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let header = if framing == Framing::Plain { 6 } else { LONGEST_HEADER };
        if rest.len() < header {
            return Step::Need(header);
        }
        let Some(segment) = Segment::read(rest, framing) else { return Step::Malformed };
        let side = &mut self.sides[direction];
        if side.whole_only && !segment.self_contained {
            return Step::Take(segment.len());
        }
        side.whole_only = false;
        let Some(unpacked) = segment.unpacked else {
            side.segment = Some(segment.payload);
            return Step::Take(segment.header);
        };
        if side.body >= unpacked {
            side.body -= unpacked;
            return Step::Take(segment.len());
        }
        let looked_at = segment.header + segment.payload.min(PACKED);
        let Some(packed) = rest.get(segment.header..looked_at) else { return Step::Need(looked_at) };
        let mut bytes = std::mem::take(&mut self.unpacked);
        bytes.clear();
        let _ = lz4(packed, unpacked, &mut bytes);
        let end = at + segment.len();
        let most = ENVELOPES.0 + segment.payload / ENVELOPES.1;
        let told = self.envelopes(direction, &bytes, (unpacked, most), at..end, out);
        bytes.clear();
        bytes.shrink_to(KEPT);
        self.unpacked = bytes;
        if told { Step::Take(segment.len()) } else { Step::Malformed }
    }

    /// Envelopes of an unpacked segment of `len` bytes, of which the first are there. False if
    /// there are more than `most`.
    fn envelopes(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        (len, mut most): (usize, usize),
        place: std::ops::Range<usize>,
        out: &mut Messages,
    ) -> bool {
        let mut from = std::mem::take(&mut self.sides[direction].body);
        if let Some((kind, id)) = self.sides[direction].open.take() {
            out.close(kind, id, place.end);
        }
        while let Some(rest) = bytes.get(from..)
            && let Some(envelope) = Envelope::read(rest, direction)
        {
            let Some(left) = most.checked_sub(1) else { return false };
            most = left;
            let body = rest.get(HEADER..).unwrap_or_default();
            let body = body.get(..envelope.body.min(LOOKED_AT)).unwrap_or(body);
            let (kind, id) = self.tell(direction, envelope, body, place.start, out);
            from += HEADER + envelope.body;
            let side = &mut self.sides[direction];
            if from > len {
                (side.body, side.open) = (from - len, Some((kind, id)));
                return true;
            }
            out.close(kind, id, place.end);
        }
        true
    }

    /// The bytes of the body that come next, as far as they are in this segment.
    fn pass_over(side: &mut Side) -> Step {
        let len = side.segment.unwrap_or(usize::MAX).min(side.body);
        side.body -= len;
        if let Some(left) = &mut side.segment {
            *left -= len;
        }
        Step::Take(len)
    }

    fn step(&mut self, direction: Direction, rest: &[u8], at: usize, out: &mut Messages) -> Step {
        let side = &mut self.sides[direction];
        match (side.framing, side.segment) {
            (_, Some(0)) => {
                side.segment = None;
                Step::Take(TRAILER)
            }
            (Some(framing), None) => self.segment(direction, framing, rest, at, out),
            _ if side.body > 0 => Self::pass_over(side),
            (None, _) => {
                // The first segment follows what began the connection, and soon.
                let by_itself = Envelope::read(rest, direction).is_some_and(|e| e.version < 5);
                if !by_itself && let Some((framing, _)) = Segment::detect(rest) {
                    side.framing = Some(framing);
                    return Step::Take(0);
                }
                self.envelope(direction, rest, at, out)
            }
            (Some(_), Some(_)) => self.envelope(direction, rest, at, out),
        }
    }
}

impl Parser for CqlParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        if self.sides[direction].lost && !bytes.is_empty() {
            let framing = self.sides[direction].framing;
            let found = next_message(bytes, |b| match framing {
                None if Segment::detect(b).is_some() => Frame::Part,
                None => frame(b, direction),
                Some(framing) => match Segment::read(b, framing) {
                    Some(segment) => Frame::Whole(segment.len()),
                    None => Frame::No,
                },
            });
            match found {
                Some(found) => at = found,
                None => return Progress::Consumed(bytes.len()),
            }
            self.sides[direction].lost = false;
        }
        loop {
            let side = &mut self.sides[direction];
            if side.body == 0
                && let Some((kind, id)) = side.open.take()
            {
                out.close(kind, id, at);
            }
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Progress::Consumed(at);
            }
            match self.step(direction, rest, at, out) {
                Step::Take(len) if len <= rest.len() => at += len,
                Step::Take(len) => {
                    return Progress::Skip { consumed: bytes.len(), body: (len - rest.len()) as u64 };
                }
                Step::Need(len) => return Progress::Need { consumed: at, more: len - rest.len() },
                Step::Malformed => return Progress::GiveUp { consumed: at, reason: Reason::Malformed },
            }
        }
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        let side = &self.sides[direction];
        let at_envelope = !side.lost && side.body == 0 && (side.framing.is_none() || side.segment.is_some());
        if let Some(envelope) = Envelope::read(bytes, direction).filter(|_| at_envelope) {
            self.tell(direction, envelope, bytes.get(HEADER..).unwrap_or_default(), 0, out);
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        let side = &mut self.sides[direction];
        let framing = side.framing;
        *side = Side { framing, lost: true, whole_only: true, ..Side::default() };
        self.session.lose();
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.session.bytes() + self.unpacked.capacity()
    }
}
