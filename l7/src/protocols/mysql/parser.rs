//! The parser of MySQL: state of a connection, and the order of its messages.

use wire::{Direction, PerDirection};

use super::broken::Broken;
use super::commands::fits;
use super::compression::{FrameHead, Frames, HEAD};
use super::handshake::{Greeting, LogIn};
use super::requests::Requests;
use super::response::Responses;
use super::session::{Phase, Session};
use super::values::{FULL, packet};
use crate::contract::{Clue, Parser, Progress, Reason};
use crate::correlate::{Messages, StartMark};

/// So much of a command is looked at.
const COMMAND: usize = 4096 + 64;

/// A command is as much work as so many rows.
const COMMAND_COST: usize = 64;
/// Shortest compressed packet of a client: that of a command of one byte. Some send its head, that
/// of the packet in it and the rest one by one.
const LEAST_FRAME: usize = HEAD + 5;

/// Where a direction stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Somewhere: where a packet begins has to be found.
    #[default]
    Unknown,
    /// Before a packet.
    Packet,
    /// So many bytes before a packet.
    Before(u64),
}

/// Where a compressed packet lies; messages in it begin and end with it.
#[derive(Debug)]
struct Within {
    start: StartMark,
    end: u64,
    /// Packets that may still be in it.
    packets: usize,
}

#[derive(Debug)]
pub(super) struct MysqlParser {
    session: Session,
    requests: Requests,
    responses: Responses,
    places: PerDirection<Place>,
    frames: PerDirection<Option<Box<Frames>>>,
    begun: bool,
}

impl MysqlParser {
    pub(super) fn new(clue: &Clue) -> Self {
        Self {
            session: Session::new(clue),
            requests: Requests::default(),
            responses: Responses::default(),
            places: PerDirection::default(),
            frames: PerDirection::default(),
            begun: false,
        }
    }

    /// What was recognised, and from which side.
    fn begin(&mut self, direction: Direction, bytes: &[u8]) {
        if direction == Direction::ToClient && bytes.get(3) != Some(&0) {
            // An answer to what was asked before: the client's side was recognised, and comes next.
            return;
        }
        self.begun = true;
        if direction == Direction::ToClient {
            if bytes.get(3) != Some(&0) {
                // No greeting: an answer to what was not seen.
                return;
            }
            self.session.phase = Phase::Greeting;
            self.places = PerDirection { to_server: Place::Packet, to_client: Place::Packet };
            return;
        }
        if bytes.get(3) == Some(&1) {
            self.session.phase = Phase::LogIn;
            self.places = PerDirection { to_server: Place::Packet, to_client: Place::Packet };
        }
    }

    /// Whether a packet begins here, after bytes that are not known.
    fn begins(&mut self, direction: Direction, rest: &[u8]) -> bool {
        let Some(first) = rest.first_chunk() else { return false };
        let (length, sequence) = packet(first);
        let frame = rest.split_first_chunk().map(|(head, body)| (FrameHead::read(head), body));
        if direction == Direction::ToClient {
            let fits = |sequence| Responses::fits(&self.session, sequence);
            return match frame {
                _ if !self.session.compressed => fits(sequence),
                Some((head, body)) => head.may_answer(body, fits),
                None => false,
            };
        }
        if frame.is_some_and(|(head, body)| head.is_likely(body, fits)) {
            self.session.compressed = true;
            return true;
        }
        !self.session.compressed && sequence == 0 && rest.get(4).is_some_and(|code| fits(*code, length))
    }

    /// What belongs to the packets before `at` ends there, if it is over.
    fn conclude(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        match direction {
            Direction::ToServer => self.requests.conclude(at, out),
            Direction::ToClient => self.responses.conclude(at, out),
        }
    }

    fn looked_at(&self, direction: Direction, sequence: u8) -> usize {
        match (direction, self.session.phase) {
            (Direction::ToServer, Phase::Commands) if sequence == 0 || self.session.compressed => COMMAND,
            (Direction::ToServer, Phase::LogIn | Phase::Greeting) => 1024,
            (Direction::ToServer, _) => 0,
            (Direction::ToClient, Phase::Greeting) => 512,
            (Direction::ToClient, Phase::Commands) => 24,
            (Direction::ToClient, _) => 64,
        }
    }

    fn packet(
        &mut self,
        direction: Direction,
        about: (u8, usize, bool),
        shown: &[u8],
        start: StartMark,
        out: &mut Messages,
    ) -> bool {
        match direction {
            Direction::ToServer => self.requests.packet(&mut self.session, about, shown, start, out),
            Direction::ToClient => self.responses.packet(&mut self.session, about, shown, start, out),
        }
    }

    /// Reads packets that are not compressed, or those within a compressed one.
    fn packets(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        mut within: Option<&mut Within>,
        out: &mut Messages,
    ) -> Progress {
        let mut at = 0;
        loop {
            if within.is_none() {
                self.conclude(direction, at, out);
            }
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() || within.is_none() && self.session.compressed {
                return Progress::Consumed(at);
            }
            let Some((first, payload)) = rest.split_first_chunk() else {
                return Progress::Need { consumed: at, more: 4 - rest.len() };
            };
            let (length, sequence) = packet(first);
            let wanted = length.min(self.looked_at(direction, sequence));
            let Some(shown) = payload.get(..wanted) else {
                return Progress::Need { consumed: at, more: wanted - payload.len() };
            };
            if let Some(within) = &mut within {
                let cost = if direction == Direction::ToServer { COMMAND_COST } else { 1 };
                let Some(left) = within.packets.checked_sub(cost) else {
                    return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
                };
                within.packets = left;
                let end = within.end.saturating_sub(out.offset());
                self.conclude(direction, usize::try_from(end).unwrap_or(usize::MAX), out);
            }
            if direction == Direction::ToServer
                && self.session.phase == Phase::LogIn
                && LogIn::read(shown, length).is_some_and(|login| login.asks_for_tls(length))
            {
                return Progress::GiveUp { consumed: at + 4 + length, reason: Reason::Switched };
            }
            let start = within.as_ref().map_or_else(|| out.start_mark(at), |within| within.start);
            if !self.packet(direction, (sequence, length, length == FULL), shown, start, out) {
                return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
            }
            if payload.len() < length {
                return Progress::Skip { consumed: at + 4 + wanted, body: (length - wanted) as u64 };
            }
            at += 4 + length;
        }
    }

    /// Reads compressed packets.
    fn compressed(
        &mut self,
        frames: &mut Frames,
        direction: Direction,
        bytes: &[u8],
        out: &mut Messages,
    ) -> Progress {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Progress::Consumed(at);
            }
            if frames.left == 0 {
                let Some((head, [first, ..])) = rest.split_first_chunk::<HEAD>() else {
                    return Progress::Need { consumed: at, more: HEAD + 1 - rest.len() };
                };
                let head = FrameHead::read(head);
                if head.length == 0 {
                    return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
                }
                frames.begin(head, *first, out.start_mark(at));
                at += HEAD;
                continue;
            }
            let input = rest.get(..frames.left).unwrap_or(rest);
            let taken = frames.take(input, |frames, piece| self.plain(frames, direction, piece, out));
            if let Err(reason) = taken {
                return Progress::GiveUp { consumed: at, reason };
            }
            at += input.len();
            if frames.left == 0 && frames.pending.is_empty() && frames.skip == 0 {
                self.conclude(direction, at, out);
            }
        }
    }

    /// Takes bytes that were decompressed.
    fn plain(
        &mut self,
        frames: &mut Frames,
        direction: Direction,
        piece: &[u8],
        out: &mut Messages,
    ) -> Result<(), Reason> {
        let Some(start) = frames.start else { return Err(Reason::Malformed) };
        let mut within = Within { start, end: frames.end, packets: frames.packets };
        let mut pending = std::mem::take(&mut frames.pending);
        let skipped = frames.skip.min(piece.len() as u64) as usize;
        frames.skip -= skipped as u64;
        pending.extend_from_slice(piece.get(skipped..).unwrap_or_default());
        let mut used = 0;
        while pending.len() - used >= frames.wanted.max(1) {
            let rest = pending.get(used..).unwrap_or_default();
            frames.wanted = 0;
            match self.packets(direction, rest, Some(&mut within), out) {
                Progress::Consumed(n) => used += n.min(rest.len()),
                Progress::Need { consumed, more } => {
                    used += consumed;
                    frames.wanted = rest.len() - consumed + more;
                }
                Progress::Skip { consumed, body } => {
                    let here = body.min((rest.len() - consumed) as u64);
                    used += consumed + here as usize;
                    frames.skip = body - here;
                }
                Progress::GiveUp { reason, .. } => return Err(reason),
            }
        }
        frames.packets = within.packets;
        pending.drain(..used);
        frames.pending = pending;
        Ok(())
    }
}

impl From<Broken> for Reason {
    fn from(_: Broken) -> Self {
        Self::Malformed
    }
}

impl Parser for MysqlParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        if !self.begun {
            self.begin(direction, bytes);
        }
        match self.places[direction] {
            Place::Packet => {}
            Place::Before(body) => {
                self.places[direction] = Place::Packet;
                return Progress::Skip { consumed: 0, body };
            }
            Place::Unknown if bytes.is_empty() => return Progress::Consumed(0),
            Place::Unknown if bytes.len() < 5 => {
                return Progress::Need { consumed: 0, more: 5 - bytes.len() };
            }
            Place::Unknown
                if direction == Direction::ToServer
                    && self.session.compressed
                    && bytes.len() < LEAST_FRAME
                    && bytes[3] == 0 =>
            {
                return Progress::Need { consumed: 0, more: LEAST_FRAME - bytes.len() };
            }
            Place::Unknown => {
                let early = direction == Direction::ToClient && out.precedes_request(out.start_mark(0));
                if early || !self.begins(direction, bytes) {
                    if direction == Direction::ToClient && !early {
                        // It may have been the answer.
                        out.mark_loss_keep_open();
                    }
                    return Progress::Consumed(bytes.len());
                }
                self.places[direction] = Place::Packet;
            }
        }
        if !self.session.compressed {
            return self.packets(direction, bytes, None, out);
        }
        let mut frames = self.frames[direction].take().unwrap_or_default();
        let progress = self.compressed(&mut frames, direction, bytes, out);
        self.frames[direction] = Some(frames);
        progress
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if self.places[direction] != Place::Packet || self.session.compressed {
            return;
        }
        let Some((first, payload)) = bytes.split_first_chunk() else { return };
        let (length, sequence) = packet(first);
        let shown = payload.get(..length).unwrap_or(payload);
        let start = out.start_mark(0);
        if self.packet(direction, (sequence, length, length == FULL), shown, start, out) {
            self.places[direction] = Place::Before((length - shown.len()) as u64);
        }
    }

    fn gap(&mut self, direction: Direction, len: u64, out: &mut Messages) -> Result<(), Reason> {
        if let Place::Before(left) = self.places[direction]
            && len > 0
            && left >= len
        {
            // The rest of a packet is missing, and no other.
            self.places[direction] = Place::Before(left - len);
            return Ok(());
        }
        self.places[direction] = Place::Unknown;
        out.mark_loss();
        if let Some(frames) = &mut self.frames[direction] {
            frames.reset();
        }
        match direction {
            Direction::ToServer => self.requests.lost(),
            Direction::ToClient => self.responses.lost(&mut self.session),
        }
        if self.session.phase != Phase::Commands {
            // Whether packets are compressed from here on, and what is spoken at all, was said in
            // what is missing.
            self.session.phase = Phase::Commands;
            self.session.compressed = self.session.will_compress;
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let frames = Direction::BOTH.iter().filter_map(|d| self.frames[*d].as_deref()).map(Frames::bytes);
        size_of_val(self) + self.session.bytes() + frames.sum::<usize>()
    }
}

/// Whether a server's first packet is a greeting.
pub(super) fn is_greeting(payload: &[u8]) -> bool {
    Greeting::read(payload).is_some() && Greeting::is_likely(payload)
}
