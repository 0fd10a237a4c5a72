//! The parser of CQL: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use super::compressed::{Compression, lz4};
use super::envelope::{COMPRESSED, Envelope, HEADER, frame};
use super::opcodes::{EVENT, name};
use super::segment::{Framing, LONGEST_HEADER, Segment, TRAILER};
use super::session::CqlSession;
use super::{request, response};
use crate::correlate::{Kind, Messages};
use crate::kit::frames::Frame;
use crate::kit::resync::{FrameFormat, FrameRead};

/// Bytes of a body that are read.
const INSPECTED: usize = 4096;
/// Bytes of a compressed segment that are read.
const PACKED: usize = 32 * 1024;
/// Most bytes of the buffer for unpacked bytes that are kept allocated.
const KEPT_CAPACITY: usize = 16 * 1024;
/// Envelopes that a compressed segment may have: some, and one for so many of its bytes.
const ENVELOPES: (usize, usize) = (64, 8);
/// The id of events, which answer no request.
const EVENTS: u64 = 1 << 32;

#[derive(Debug, Default)]
struct CqlSide {
    framing: Option<Framing>,
    /// Bytes of the payload of the segment that are left; its checksum follows.
    segment: Option<usize>,
    /// Bytes of the body of the envelope that are left.
    body: usize,
    /// The message that the envelope is.
    open: Option<(Kind, u64)>,
    /// Segments with a part of an envelope are passed over: its beginning is not known.
    whole_only: bool,
}

/// One connection.
#[derive(Debug)]
pub(super) struct CqlFrames {
    session: CqlSession,
    compression: Compression,
    sides: PerDirection<CqlSide>,
    unpacked: Vec<u8>,
}

impl CqlFrames {
    pub(super) fn new(literals: bool) -> Self {
        Self {
            session: CqlSession::new(literals),
            compression: Compression::None,
            sides: PerDirection::default(),
            unpacked: Vec::new(),
        }
    }

    /// Opens the message of an envelope of which the beginning of the body is there.
    fn on_envelope(
        &mut self,
        direction: Direction,
        envelope: Envelope,
        body: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> (Kind, u64) {
        let mut unpacked = std::mem::take(&mut self.unpacked);
        let body = if envelope.flags & COMPRESSED != 0 && envelope.version < 5 {
            self.compression.unpack(body, INSPECTED, &mut unpacked);
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
            let _ =
                request::push_request(envelope, body, &mut self.session, &mut exchange.attributes);
        } else {
            let _ = response::push_response(envelope, body, &mut self.session, exchange);
        }
        unpacked.shrink_to(KEPT_CAPACITY);
        self.unpacked = unpacked;
        (kind, id)
    }

    /// Reads the beginning of an envelope.
    fn read_envelope(
        &mut self,
        direction: Direction,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> FrameRead {
        let room = self.sides[direction].segment.unwrap_or(usize::MAX);
        if room < HEADER {
            return FrameRead::MALFORMED;
        }
        if rest.len() < HEADER {
            return FrameRead::Need(HEADER);
        }
        let Some(envelope) = Envelope::read(rest, direction) else { return FrameRead::MALFORMED };
        let inspected = envelope.body.min(INSPECTED).min(room - HEADER);
        let Some(body) = rest.get(HEADER..HEADER + inspected) else {
            return FrameRead::Need(HEADER + inspected);
        };
        let open = self.on_envelope(direction, envelope, body, at, out);
        let side = &mut self.sides[direction];
        side.open = Some(open);
        side.body = envelope.body - inspected;
        if let Some(left) = &mut side.segment {
            *left -= HEADER + inspected;
        }
        FrameRead::take(HEADER + inspected)
    }

    /// Reads the beginning of a segment, or all of one that is compressed.
    fn read_segment(
        &mut self,
        direction: Direction,
        framing: Framing,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> FrameRead {
        let header = if framing == Framing::Plain { 6 } else { LONGEST_HEADER };
        if rest.len() < header {
            return FrameRead::Need(header);
        }
        let Some(segment) = Segment::read(rest, framing) else { return FrameRead::MALFORMED };
        let side = &mut self.sides[direction];
        if side.whole_only && !segment.self_contained {
            return FrameRead::take(segment.len());
        }
        side.whole_only = false;
        let Some(unpacked) = segment.unpacked else {
            side.segment = Some(segment.payload);
            return FrameRead::take(segment.header);
        };
        if side.body >= unpacked {
            side.body -= unpacked;
            return FrameRead::take(segment.len());
        }
        let inspected = segment.header + segment.payload.min(PACKED);
        let Some(packed) = rest.get(segment.header..inspected) else {
            return FrameRead::Need(inspected);
        };
        let mut bytes = std::mem::take(&mut self.unpacked);
        bytes.clear();
        let _ = lz4(packed, unpacked, &mut bytes);
        let end = at + segment.len();
        let most = ENVELOPES.0 + segment.payload / ENVELOPES.1;
        let are_few = self.read_packed_envelopes(direction, &bytes, (unpacked, most), at..end, out);
        bytes.clear();
        bytes.shrink_to(KEPT_CAPACITY);
        self.unpacked = bytes;
        if are_few { FrameRead::take(segment.len()) } else { FrameRead::MALFORMED }
    }

    /// Reads envelopes of an unpacked segment of `len` bytes, of which the first are there. False
    /// if there are more than `most`.
    fn read_packed_envelopes(
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
            let body = body.get(..envelope.body.min(INSPECTED)).unwrap_or(body);
            let (kind, id) = self.on_envelope(direction, envelope, body, place.start, out);
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

    /// Skips the rest of the body, as far as it is in this segment.
    fn skip_body(side: &mut CqlSide) -> FrameRead {
        let len = side.segment.unwrap_or(usize::MAX).min(side.body);
        side.body -= len;
        if let Some(left) = &mut side.segment {
            *left -= len;
        }
        FrameRead::take(len)
    }

    fn step(
        &mut self,
        direction: Direction,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> FrameRead {
        let side = &mut self.sides[direction];
        match (side.framing, side.segment) {
            (_, Some(0)) => {
                side.segment = None;
                FrameRead::take(TRAILER)
            }
            (Some(framing), None) => self.read_segment(direction, framing, rest, at, out),
            _ if side.body > 0 => Self::skip_body(side),
            (None, _) => {
                // The first segment follows what began the connection, and soon.
                let by_itself = Envelope::read(rest, direction).is_some_and(|e| e.version < 5);
                if !by_itself && let Some((framing, _)) = Segment::detect(rest) {
                    side.framing = Some(framing);
                    return FrameRead::take(0);
                }
                self.read_envelope(direction, rest, at, out)
            }
            (Some(_), Some(_)) => self.read_envelope(direction, rest, at, out),
        }
    }
}

impl FrameFormat for CqlFrames {
    fn frame(&self, direction: Direction, bytes: &[u8]) -> Frame {
        match self.sides[direction].framing {
            None if Segment::detect(bytes).is_some() => Frame::Part,
            None => frame(bytes, direction),
            Some(framing) => match Segment::read(bytes, framing) {
                Some(segment) => Frame::Whole(segment.len()),
                None => Frame::No,
            },
        }
    }

    fn read_frame(
        &mut self,
        direction: Direction,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> FrameRead {
        let read = self.step(direction, rest, at, out);
        let side = &mut self.sides[direction];
        match read {
            FrameRead::Take { len, ends: None } if side.body == 0 => {
                FrameRead::Take { len, ends: side.open.take() }
            }
            read => read,
        }
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        let side = &self.sides[direction];
        let at_envelope = side.body == 0 && (side.framing.is_none() || side.segment.is_some());
        if let Some(envelope) = Envelope::read(bytes, direction).filter(|_| at_envelope) {
            self.on_envelope(direction, envelope, bytes.get(HEADER..).unwrap_or_default(), 0, out);
        }
    }

    fn on_loss(&mut self, direction: Direction) {
        let framing = self.sides[direction].framing;
        self.sides[direction] = CqlSide { framing, whole_only: true, ..CqlSide::default() };
        self.session.on_loss();
    }

    fn heap_bytes(&self) -> usize {
        self.session.bytes() + self.unpacked.capacity()
    }
}
