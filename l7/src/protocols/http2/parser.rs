//! The state machine of one HTTP/2 connection: frames, header blocks and resynchronisation. What
//! they mean to streams is in `exchanges`.

use wire::{Direction, PerDirection};

use super::block::{self, NoBlock};
use super::frame::{
    CONTINUATION, DATA, Frame, GOAWAY, GOAWAY_LEN, HEADER, HEADERS, PREFACE, PUSH_PROMISE,
    RST_STREAM, RST_STREAM_LEN, STREAM_ID,
};
use super::head::Head;
use super::hpack::{self, Scratch, Table};
use super::probe::frame_at;
use super::streams::{State, Streams};
use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::Messages;
use crate::kit::step::{Step, malformed, need, skip};

/// Bytes passed over in search of a frame until the parser gives up.
const SEEK_LIMIT: u64 = 256 * 1024;

/// What the next bytes of one direction are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before the preface, or before anything that can be a frame.
    Start,
    /// The parser looks for a frame after a loss. So many bytes were passed over.
    Seek(u64),
    /// Before a frame header.
    Frame,
    /// Inside DATA.
    Data { stream: u32, left: u64, padding: u64, ends: bool },
    /// Behind DATA.
    DataEnd { stream: u32, ends: bool },
    /// In a header block that is too long: its remaining frames are passed over.
    BlockRest,
}

#[derive(Debug)]
struct Side {
    phase: Phase,
    table: Table,
    /// Bytes of an incomplete header block that are whole frames.
    walked: usize,
    /// Stream whose last block was cut off: the call of `gap` that follows ends its message.
    cut_end: Option<u32>,
}

impl Default for Side {
    fn default() -> Self {
        Self { phase: Phase::Start, table: Table::default(), walked: 0, cut_end: None }
    }
}

#[derive(Debug, Default)]
pub(super) struct Http2Parser {
    sides: PerDirection<Side>,
    pub(super) streams: Streams,
    /// Direction in which requests travel, once a block or the preface showed it.
    client_sends: Option<Direction>,
    pub(super) head: Head,
    scratch: Scratch,
}

impl Http2Parser {
    /// Whether the client sends in this direction. `ToServer` is assumed until it is known.
    pub(super) fn is_client(&self, direction: Direction) -> bool {
        self.client_sends.unwrap_or(Direction::ToServer) == direction
    }

    fn step(&mut self, direction: Direction, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        match self.sides[direction].phase {
            Phase::Start => {
                let same = rest.iter().zip(PREFACE).take_while(|(a, b)| a == b).count();
                if same == PREFACE.len() {
                    self.client_sends = Some(direction);
                    self.sides[direction].phase = Phase::Frame;
                    return Step::Go(at + same);
                }
                if same == rest.len() {
                    return need(at, PREFACE.len() - same);
                }
                self.seek(direction, rest, at, 0)
            }
            Phase::Seek(passed) => self.seek(direction, rest, at, passed),
            Phase::Frame => self.read_frame(direction, rest, at, out),
            Phase::Data { stream, left, padding, ends } => {
                self.read_data(direction, (stream, left, padding, ends), bytes, at, out)
            }
            Phase::DataEnd { stream, ends } => {
                self.sides[direction].phase = Phase::Frame;
                if ends {
                    self.end_message(direction, stream, at, out);
                }
                Step::Go(at)
            }
            Phase::BlockRest => {
                let Some(frame) = Frame::read(rest) else { return need(at, HEADER - rest.len()) };
                if frame.kind != CONTINUATION {
                    return malformed(at);
                }
                if frame.ends_headers() {
                    self.sides[direction].phase = Phase::Frame;
                }
                skip(at + HEADER, frame.length as u64, bytes.len())
            }
        }
    }

    /// Passes over bytes until a frame can begin.
    fn seek(&mut self, direction: Direction, rest: &[u8], at: usize, passed: u64) -> Step {
        // Bounds the work: each block can be decoded, but not all that follows at every place.
        let (mut from, mut work) = (0, 4 * rest.len());
        while let Some(zero) = memchr::memchr(0, &rest[from..]) {
            from += zero;
            let open = |stream| self.streams.contains(stream);
            match frame_at(&rest[from..], true, &mut work, open) {
                Probe::Yes => {
                    self.sides[direction].phase = Phase::Frame;
                    return Step::Go(at + from);
                }
                Probe::More => {
                    self.sides[direction].phase = Phase::Seek(passed + from as u64);
                    return need(at + from, 1);
                }
                Probe::No => from += 1,
            }
        }
        let passed = passed + rest.len() as u64;
        self.sides[direction].phase = Phase::Seek(passed);
        if passed > SEEK_LIMIT {
            self.sides[direction].phase = Phase::Seek(0);
            return malformed(at + rest.len());
        }
        Step::Go(at + rest.len())
    }

    /// Reads a frame, or the header of one whose payload is read in pieces.
    fn read_frame(
        &mut self,
        direction: Direction,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let Some(frame) = Frame::read(rest) else { return need(at, HEADER - rest.len()) };
        if !frame.is_valid() {
            return malformed(at);
        }
        let word = |from: usize| {
            let four = rest.get(HEADER + from..HEADER + from + 4)?;
            Some(u32::from_be_bytes(four.try_into().ok()?))
        };
        match frame.kind {
            DATA => {
                let (mut used, mut left, mut padding) = (HEADER, frame.length as u64, 0);
                if frame.is_padded() {
                    let Some(&length) = rest.get(HEADER) else { return need(at, 1) };
                    (used, padding) = (HEADER + 1, u64::from(length));
                    let Some(content) = left.checked_sub(1 + padding) else { return malformed(at) };
                    left = content;
                }
                self.on_data(direction, frame.stream, left, [at, at + HEADER + frame.length], out);
                let (stream, ends) = (frame.stream, frame.ends_stream());
                self.sides[direction].phase = Phase::Data { stream, left, padding, ends };
                Step::Go(at + used)
            }
            HEADERS | PUSH_PROMISE => self.read_block(direction, &frame, rest, at, out),
            CONTINUATION => malformed(at),
            RST_STREAM => {
                let end = HEADER + RST_STREAM_LEN;
                let Some(code) = word(0) else { return need(at, end - rest.len()) };
                self.on_rst_stream(direction, frame.stream, code, out);
                Step::Go(at + end)
            }
            GOAWAY => {
                let end = HEADER + GOAWAY_LEN;
                let (Some(last), Some(code)) = (word(0), word(4)) else {
                    return need(at, end - rest.len());
                };
                if !self.is_client(direction) {
                    self.on_goaway(last & STREAM_ID, code, out);
                }
                skip(at + end, (frame.length - GOAWAY_LEN) as u64, at + rest.len())
            }
            // The encoder repeats the table sizes of SETTINGS when it applies them (RFC 7541
            // section 4.2).
            _ => skip(at + HEADER, frame.length as u64, at + rest.len()),
        }
    }

    /// Reads the header block that `frame` begins.
    fn read_block(
        &mut self,
        direction: Direction,
        frame: &Frame,
        rest: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let walked = std::mem::take(&mut self.sides[direction].walked);
        let block = match block::read(rest, walked, false) {
            Ok(block) => block,
            Err(NoBlock::Need { more, walked }) => {
                self.sides[direction].walked = walked;
                return need(at, more);
            }
            Err(NoBlock::Malformed) => return malformed(at),
        };
        let read = self.decode(direction, frame.kind, &block.fragments);
        let end = at + block.used;
        if let Some((_, continued)) = block.rest {
            self.sides[direction].table.on_gap();
            self.head.unknown += 1;
            self.sides[direction].phase = if continued { Phase::BlockRest } else { Phase::Frame };
        } else if read.is_err() {
            self.sides[direction].table.on_gap();
            return malformed(end);
        }
        self.on_block(direction, frame, block.promised, [at, end], out);
        if frame.ends_stream() {
            self.end_message(direction, frame.stream, end, out);
        }
        skip(end, block.rest.map_or(0, |(more, _)| more), at + rest.len())
    }

    fn decode(
        &mut self,
        direction: Direction,
        kind: u8,
        fragments: &[u8],
    ) -> Result<(), hpack::Malformed> {
        self.head.clear();
        let of_request = kind == PUSH_PROMISE || self.is_client(direction);
        let (head, table) = (&mut self.head, &mut self.sides[direction].table);
        let read = hpack::decode(fragments, table, &mut self.scratch, |field| {
            head.on_field(field, of_request)
        });
        // The server sends PUSH_PROMISE, with the fields of a request.
        if (kind == PUSH_PROMISE && read.is_ok()) || self.head.status.is_some() {
            self.client_sends = Some(direction.reverse());
        } else if self.head.is_request() {
            self.client_sends = Some(direction);
        }
        read
    }

    /// Reads content if the messages of a call are counted, and passes over it otherwise.
    fn read_data(
        &mut self,
        direction: Direction,
        (id, mut left, padding, ends): (u32, u64, u64, bool),
        bytes: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let from_client = self.is_client(direction);
        let stream = self.streams.get(id);
        let message = stream.as_deref().map(|stream| stream.id);
        let mut messages = stream.and_then(|stream| {
            let side = if from_client { &mut stream.request } else { &mut stream.response };
            side.messages.as_mut()
        });
        let read = messages.as_mut().map_or(left, |messages| messages.read(&bytes[at..], left));
        left -= read;
        let (phase, behind) = match left {
            0 => (Phase::DataEnd { stream: id, ends }, padding),
            _ => (Phase::Data { stream: id, left, padding, ends }, 0),
        };
        self.sides[direction].phase = phase;
        let step = skip(at, read + behind, bytes.len());
        if let (Step::Stop(_), Some(id)) = (&step, message) {
            out.skip_belongs_to(id);
        }
        step
    }
}

impl Parser for Http2Parser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            // These two phases have work to do without bytes.
            let steps_without_bytes = matches!(
                self.sides[direction].phase,
                Phase::DataEnd { .. } | Phase::Data { left: 0, .. }
            );
            if at == bytes.len() && !steps_without_bytes {
                return Progress::Consumed(at);
            }
            match self.step(direction, bytes, at, out) {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    // A block whose end is missing gives the fields that it began with.
    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        let Some(frame) = Frame::read(bytes).filter(Frame::is_valid) else { return };
        if self.sides[direction].phase != Phase::Frame
            || !matches!(frame.kind, HEADERS | PUSH_PROMISE)
        {
            return;
        }
        if let Ok(block) = block::read(bytes, 0, true) {
            // The block is not whole, or `read` would have consumed it.
            let _ = self.decode(direction, frame.kind, &block.fragments);
            self.head.unknown += 1;
            self.on_block(direction, &frame, block.promised, [0, bytes.len()], out);
            self.sides[direction].cut_end = frame.ends_stream().then_some(frame.stream);
        }
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        if let Some(id) = self.sides[direction].cut_end.take() {
            if !out.is_snapped() {
                out.mark_open_incomplete();
            }
            self.end_message(direction, id, 0, out);
        }
        let from_client = self.is_client(direction);
        let side = &mut self.sides[direction];
        (side.phase, side.walked) = (Phase::Seek(0), 0);
        side.table.on_gap();
        out.mark_loss_keep_open();
        for stream in self.streams.all() {
            let message = if from_client { &mut stream.request } else { &mut stream.response };
            if message.state != State::Ended {
                message.may_have_gap = true;
                message.messages = None;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let tables: usize = Direction::BOTH.iter().map(|&d| self.sides[d].table.bytes()).sum();
        size_of_val(self) + tables + self.streams.bytes() + self.head.bytes() + self.scratch.bytes()
    }
}
