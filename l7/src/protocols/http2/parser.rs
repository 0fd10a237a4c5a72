use wire::{Direction, PerDirection};

use super::block::{self, NoBlock};
use super::frame::{CONTINUATION, DATA, Frame, GOAWAY, HEADER, HEADERS, PREFACE, PUSH_PROMISE, RST_STREAM};
use super::head::Head;
use super::hpack::{self, Scratch, Table};
use super::probe::frame_at;
use super::streams::{State, Streams};
use crate::contract::{Parser, Probe, Progress, Reason};
use crate::correlate::Messages;

/// Bytes passed over in search of a frame before it counts as a failure.
const SEEK_LIMIT: u64 = 256 * 1024;

/// Where one direction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before the preface, or before anything that can be a frame.
    Start,
    /// Out of step: looking for a frame; so many bytes were passed over.
    Seek(u64),
    /// Before a frame header.
    Frame,
    /// Inside DATA.
    Data { stream: u32, left: u64, padding: u64, ends: bool },
    /// Behind DATA.
    DataEnd { stream: u32, ends: bool },
    /// In a header block that is too long: its frames up to the last are passed over.
    BlockRest,
}

#[derive(Debug)]
struct Side {
    phase: Phase,
    table: Table,
    /// Bytes of the block at hand, which is not whole, that are whole frames.
    walked: usize,
    /// Stream whose last block was cut off: the loss that is told next ends its message.
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
    /// Direction in which requests travel, once something said it.
    asks: Option<Direction>,
    pub(super) head: Head,
    scratch: Scratch,
}

/// What to do next.
pub(super) enum Step {
    Go(usize),
    Stop(Progress),
}

/// Passes over `body` bytes from `at` on, inside the `len` bytes shown as far as they reach.
fn skip(at: usize, body: u64, len: usize) -> Step {
    if body <= (len - at) as u64 {
        return Step::Go(at + body as usize);
    }
    Step::Stop(Progress::Skip { consumed: at, body })
}

fn need(consumed: usize, more: usize) -> Step {
    Step::Stop(Progress::Need { consumed, more: more.max(1) })
}

fn malformed(consumed: usize) -> Step {
    Step::Stop(Progress::GiveUp { consumed, reason: Reason::Malformed })
}

impl Http2Parser {
    /// Whether the client sends in this direction, as far as is known.
    pub(super) fn is_asking(&self, direction: Direction) -> bool {
        self.asks.unwrap_or(Direction::ToServer) == direction
    }

    fn step(&mut self, direction: Direction, bytes: &[u8], at: usize, out: &mut Messages) -> Step {
        let rest = &bytes[at..];
        match self.sides[direction].phase {
            Phase::Start => {
                let same = rest.iter().zip(PREFACE).take_while(|(a, b)| a == b).count();
                if same == PREFACE.len() {
                    self.asks = Some(direction);
                    self.sides[direction].phase = Phase::Frame;
                    return Step::Go(at + same);
                }
                if same == rest.len() {
                    return need(at, PREFACE.len() - same);
                }
                self.seek(direction, rest, at, 0)
            }
            Phase::Seek(passed) => self.seek(direction, rest, at, passed),
            Phase::Frame => self.frame(direction, rest, at, out),
            Phase::Data { stream, left, padding, ends } => {
                self.data(direction, (stream, left, padding, ends), bytes, at, out)
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

    fn seek(&mut self, direction: Direction, rest: &[u8], at: usize, passed: u64) -> Step {
        // The blocks in what is there can be decoded, and not at every place all that follows.
        let (mut from, mut work) = (0, 4 * rest.len());
        while let Some(zero) = memchr::memchr(0, &rest[from..]) {
            from += zero;
            let open = |stream| self.streams.has(stream);
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

    fn frame(&mut self, direction: Direction, rest: &[u8], at: usize, out: &mut Messages) -> Step {
        let Some(frame) = Frame::read(rest) else { return need(at, HEADER - rest.len()) };
        if !frame.is_lawful() {
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
                self.content(direction, frame.stream, left, [at, at + HEADER + frame.length], out);
                let (stream, ends) = (frame.stream, frame.ends_stream());
                self.sides[direction].phase = Phase::Data { stream, left, padding, ends };
                Step::Go(at + used)
            }
            HEADERS | PUSH_PROMISE => self.block(direction, &frame, rest, at, out),
            CONTINUATION => malformed(at),
            RST_STREAM => {
                let Some(code) = word(0) else { return need(at, HEADER + 4 - rest.len()) };
                self.reset(direction, frame.stream, code, out);
                Step::Go(at + HEADER + 4)
            }
            GOAWAY => {
                let (Some(last), Some(code)) = (word(0), word(4)) else {
                    return need(at, HEADER + 8 - rest.len());
                };
                if !self.is_asking(direction) {
                    self.go_away(last & 0x7fff_ffff, code, out);
                }
                skip(at + HEADER + 8, frame.length as u64 - 8, at + rest.len())
            }
            // The sizes of tables that SETTINGS allow are said again by the encoder when it uses them (RFC 7541 section 4.2).
            _ => skip(at + HEADER, frame.length as u64, at + rest.len()),
        }
    }

    fn block(
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
        if let Some((_, goes_on)) = block.rest {
            self.sides[direction].table.lose();
            self.head.unknown += 1;
            self.sides[direction].phase = if goes_on { Phase::BlockRest } else { Phase::Frame };
        } else if read.is_err() {
            self.sides[direction].table.lose();
            return malformed(end);
        }
        self.tell(direction, frame, block.promised, [at, end], out);
        if frame.ends_stream() {
            self.end_message(direction, frame.stream, end, out);
        }
        skip(end, block.rest.map_or(0, |(more, _)| more), at + rest.len())
    }

    fn decode(&mut self, direction: Direction, kind: u8, fragments: &[u8]) -> Result<(), hpack::Malformed> {
        self.head.clear();
        let of_request = kind == PUSH_PROMISE || self.is_asking(direction);
        let (head, table) = (&mut self.head, &mut self.sides[direction].table);
        let read = hpack::decode(fragments, table, &mut self.scratch, |field| head.take(field, of_request));
        // A promise is a request that the server sends.
        if (kind == PUSH_PROMISE && read.is_ok()) || self.head.status.is_some() {
            self.asks = Some(direction.reverse());
        } else if self.head.is_request() {
            self.asks = Some(direction);
        }
        read
    }

    /// Looks at content as far as it is needed, and passes over the rest.
    fn data(
        &mut self,
        direction: Direction,
        (id, mut left, padding, ends): (u32, u64, u64, bool),
        bytes: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let from_client = self.is_asking(direction);
        let stream = self.streams.get(id);
        let message = stream.as_deref().map(|stream| stream.id);
        let mut messages = stream.and_then(|stream| {
            let half = if from_client { &mut stream.request } else { &mut stream.response };
            half.messages.as_mut()
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
            let owes =
                matches!(self.sides[direction].phase, Phase::DataEnd { .. } | Phase::Data { left: 0, .. });
            if at == bytes.len() && !owes {
                return Progress::Consumed(at);
            }
            match self.step(direction, bytes, at, out) {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    // A block of which the end is missing tells what it began with.
    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        let Some(frame) = Frame::read(bytes).filter(Frame::is_lawful) else { return };
        if self.sides[direction].phase != Phase::Frame || !matches!(frame.kind, HEADERS | PUSH_PROMISE) {
            return;
        }
        if let Ok(block) = block::read(bytes, 0, true) {
            // Not whole, or it would have been told.
            let _ = self.decode(direction, frame.kind, &block.fragments);
            self.head.unknown += 1;
            self.tell(direction, &frame, block.promised, [0, bytes.len()], out);
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
        let from_client = self.is_asking(direction);
        let side = &mut self.sides[direction];
        (side.phase, side.walked) = (Phase::Seek(0), 0);
        side.table.lose();
        out.mark_loss_keep_open();
        for stream in self.streams.all() {
            let half = if from_client { &mut stream.request } else { &mut stream.response };
            if half.state != State::Ended {
                half.missed = true;
                half.messages = None;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let tables: usize = Direction::BOTH.iter().map(|&d| self.sides[d].table.bytes()).sum();
        size_of_val(self) + tables + self.streams.bytes() + self.head.bytes() + self.scratch.bytes()
    }
}
