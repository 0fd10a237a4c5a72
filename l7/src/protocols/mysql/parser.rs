//! Packet boundaries of both directions, compressed or not, and resynchronisation. What a packet
//! means is `requests`' and `responses`'.

use wire::{Direction, PerDirection};

use super::commands::fits;
use super::compression::{COMPRESSED_HEADER, CompressedHeader, Decompressor};
use super::decompress_error::DecompressError;
use super::handshake::{Greeting, Login};
use super::requests::Requests;
use super::responses::Responses;
use super::session::{Phase, Session};
use super::values::{FULL, packet};
use crate::contract::{Clue, Parser, Progress, Reason};
use crate::correlate::{Messages, StartMark};

/// Most bytes of a command that are inspected.
const COMMAND: usize = 4096 + 64;

/// A command costs as much work as so many rows.
const COMMAND_COST: usize = 64;
/// Shortest compressed packet of a client: that of a command of one byte. Some clients send its
/// header, that of the packet in it and the rest separately.
const SHORTEST_COMPRESSED: usize = COMPRESSED_HEADER + 5;

/// What the next bytes of a direction are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Position {
    /// Unknown: the beginning of a packet has to be found.
    #[default]
    Unknown,
    /// A packet.
    Packet,
    /// So many bytes to pass over, then a packet.
    Before(u64),
}

/// Bounds of a compressed packet. Messages in it begin and end with it.
#[derive(Debug)]
struct CompressedBounds {
    start: StartMark,
    end: u64,
    /// Packets that may still be in it.
    packets: usize,
}

/// The parser of one connection.
#[derive(Debug)]
pub(super) struct MysqlParser {
    session: Session,
    requests: Requests,
    responses: Responses,
    positions: PerDirection<Position>,
    decompressors: PerDirection<Option<Box<Decompressor>>>,
    started: bool,
}

impl MysqlParser {
    pub(super) fn new(clue: &Clue) -> Self {
        Self {
            session: Session::new(clue),
            requests: Requests::default(),
            responses: Responses::default(),
            positions: PerDirection::default(),
            decompressors: PerDirection::default(),
            started: false,
        }
    }

    /// Finds out what the first bytes of the connection are.
    fn begin(&mut self, direction: Direction, bytes: &[u8]) {
        if direction == Direction::ToClient && bytes.get(3) != Some(&0) {
            // A response to an earlier request: the client's side was recognised, and comes next.
            return;
        }
        self.started = true;
        if direction == Direction::ToClient {
            if bytes.get(3) != Some(&0) {
                // Not a greeting: a response to a request that was not seen.
                return;
            }
            self.session.phase = Phase::Greeting;
            self.positions =
                PerDirection { to_server: Position::Packet, to_client: Position::Packet };
            return;
        }
        if bytes.get(3) == Some(&1) {
            self.session.phase = Phase::Login;
            self.positions =
                PerDirection { to_server: Position::Packet, to_client: Position::Packet };
        }
    }

    /// Whether a packet begins here, after unknown bytes.
    fn begins(&mut self, direction: Direction, rest: &[u8]) -> bool {
        let Some(first) = rest.first_chunk() else { return false };
        let (length, sequence) = packet(first);
        let frame =
            rest.split_first_chunk().map(|(head, body)| (CompressedHeader::read(head), body));
        if direction == Direction::ToClient {
            let fits = |sequence| Responses::fits(&self.session, sequence);
            return match frame {
                _ if !self.session.compressed => fits(sequence),
                Some((head, body)) => head.may_be_response(body, fits),
                None => false,
            };
        }
        if frame.is_some_and(|(head, body)| head.is_likely(body, fits)) {
            self.session.compressed = true;
            return true;
        }
        !self.session.compressed
            && sequence == 0
            && rest.get(4).is_some_and(|code| fits(*code, length))
    }

    /// The packets before `at` end there. So does their message, if it is over.
    fn on_packet_end(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        match direction {
            Direction::ToServer => self.requests.on_packet_end(at, out),
            Direction::ToClient => self.responses.on_packet_end(at, out),
        }
    }

    /// Bytes of a packet's payload that are inspected.
    fn inspected(&self, direction: Direction, sequence: u8) -> usize {
        match (direction, self.session.phase) {
            (Direction::ToServer, Phase::Commands) if sequence == 0 || self.session.compressed => {
                COMMAND
            }
            (Direction::ToServer, Phase::Login | Phase::Greeting) => 1024,
            (Direction::ToServer, _) => 0,
            (Direction::ToClient, Phase::Greeting) => 512,
            (Direction::ToClient, Phase::Commands) => 24,
            (Direction::ToClient, _) => 64,
        }
    }

    /// A packet of the client or the server. Returns false if the side cannot send it now.
    fn on_packet(
        &mut self,
        direction: Direction,
        header: (u8, usize, bool),
        shown: &[u8],
        start: StartMark,
        out: &mut Messages,
    ) -> bool {
        match direction {
            Direction::ToServer => {
                self.requests.on_packet(&mut self.session, header, shown, start, out)
            }
            Direction::ToClient => {
                self.responses.on_packet(&mut self.session, header, shown, start, out)
            }
        }
    }

    /// Reads packets that are not compressed, or those within a compressed one.
    fn read_packets(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        mut within: Option<&mut CompressedBounds>,
        out: &mut Messages,
    ) -> Progress {
        let mut at = 0;
        loop {
            if within.is_none() {
                self.on_packet_end(direction, at, out);
            }
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.is_empty() || within.is_none() && self.session.compressed {
                return Progress::Consumed(at);
            }
            let Some((first, payload)) = rest.split_first_chunk() else {
                return Progress::Need { consumed: at, more: 4 - rest.len() };
            };
            let (length, sequence) = packet(first);
            let wanted = length.min(self.inspected(direction, sequence));
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
                self.on_packet_end(direction, usize::try_from(end).unwrap_or(usize::MAX), out);
            }
            if direction == Direction::ToServer
                && self.session.phase == Phase::Login
                && Login::read(shown, length).is_some_and(|login| login.is_ssl_request(length))
            {
                return Progress::GiveUp { consumed: at + 4 + length, reason: Reason::Switched };
            }
            let start = within.as_ref().map_or_else(|| out.start_mark(at), |within| within.start);
            if !self.on_packet(direction, (sequence, length, length == FULL), shown, start, out) {
                return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
            }
            if payload.len() < length {
                return Progress::Skip {
                    consumed: at + 4 + wanted,
                    body: (length - wanted) as u64,
                };
            }
            at += 4 + length;
        }
    }

    /// Reads compressed packets.
    fn read_compressed(
        &mut self,
        decompressors: &mut Decompressor,
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
            if decompressors.left == 0 {
                let Some((head, [first, ..])) = rest.split_first_chunk::<COMPRESSED_HEADER>()
                else {
                    return Progress::Need {
                        consumed: at,
                        more: COMPRESSED_HEADER + 1 - rest.len(),
                    };
                };
                let head = CompressedHeader::read(head);
                if head.length == 0 {
                    return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
                }
                decompressors.begin(head, *first, out.start_mark(at));
                at += COMPRESSED_HEADER;
                continue;
            }
            let input = rest.get(..decompressors.left).unwrap_or(rest);
            let taken = decompressors.decompress(input, |decompressors, piece| {
                self.read_decompressed(decompressors, direction, piece, out)
            });
            if let Err(reason) = taken {
                return Progress::GiveUp { consumed: at, reason };
            }
            at += input.len();
            if decompressors.left == 0
                && decompressors.pending.is_empty()
                && decompressors.skip == 0
            {
                self.on_packet_end(direction, at, out);
            }
        }
    }

    /// Reads decompressed bytes.
    fn read_decompressed(
        &mut self,
        decompressors: &mut Decompressor,
        direction: Direction,
        piece: &[u8],
        out: &mut Messages,
    ) -> Result<(), Reason> {
        let Some(start) = decompressors.start else {
            wire::invariant!("a packet that is decompressed began");
            return Err(Reason::Malformed);
        };
        let mut within =
            CompressedBounds { start, end: decompressors.end, packets: decompressors.packets };
        let mut pending = std::mem::take(&mut decompressors.pending);
        let skipped = decompressors.skip.min(piece.len() as u64) as usize;
        decompressors.skip -= skipped as u64;
        pending.extend_from_slice(piece.get(skipped..).unwrap_or_default());
        let mut used = 0;
        while pending.len() - used >= decompressors.wanted.max(1) {
            let rest = pending.get(used..).unwrap_or_default();
            decompressors.wanted = 0;
            match self.read_packets(direction, rest, Some(&mut within), out) {
                Progress::Consumed(n) => used += n.min(rest.len()),
                Progress::Need { consumed, more } => {
                    used += consumed;
                    decompressors.wanted = rest.len() - consumed + more;
                }
                Progress::Skip { consumed, body } => {
                    let here = body.min((rest.len() - consumed) as u64);
                    used += consumed + here as usize;
                    decompressors.skip = body - here;
                }
                Progress::GiveUp { reason, .. } => return Err(reason),
            }
        }
        decompressors.packets = within.packets;
        pending.drain(..used);
        decompressors.pending = pending;
        Ok(())
    }
}

impl From<DecompressError> for Reason {
    fn from(_: DecompressError) -> Self {
        Self::Malformed
    }
}

impl Parser for MysqlParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        if !self.started {
            self.begin(direction, bytes);
        }
        match self.positions[direction] {
            Position::Packet => {}
            Position::Before(body) => {
                self.positions[direction] = Position::Packet;
                return Progress::Skip { consumed: 0, body };
            }
            Position::Unknown if bytes.is_empty() => return Progress::Consumed(0),
            Position::Unknown if bytes.len() < 5 => {
                return Progress::Need { consumed: 0, more: 5 - bytes.len() };
            }
            Position::Unknown
                if direction == Direction::ToServer
                    && self.session.compressed
                    && bytes.len() < SHORTEST_COMPRESSED
                    && bytes[3] == 0 =>
            {
                return Progress::Need { consumed: 0, more: SHORTEST_COMPRESSED - bytes.len() };
            }
            Position::Unknown => {
                let early =
                    direction == Direction::ToClient && out.precedes_request(out.start_mark(0));
                if early || !self.begins(direction, bytes) {
                    if direction == Direction::ToClient && !early {
                        // It may have been the response.
                        out.mark_loss_keep_open();
                    }
                    return Progress::Consumed(bytes.len());
                }
                self.positions[direction] = Position::Packet;
            }
        }
        if !self.session.compressed {
            return self.read_packets(direction, bytes, None, out);
        }
        let mut decompressors = self.decompressors[direction].take().unwrap_or_default();
        let progress = self.read_compressed(&mut decompressors, direction, bytes, out);
        self.decompressors[direction] = Some(decompressors);
        progress
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        if self.positions[direction] != Position::Packet || self.session.compressed {
            return;
        }
        let Some((first, payload)) = bytes.split_first_chunk() else { return };
        let (length, sequence) = packet(first);
        let shown = payload.get(..length).unwrap_or(payload);
        let start = out.start_mark(0);
        if self.on_packet(direction, (sequence, length, length == FULL), shown, start, out) {
            self.positions[direction] = Position::Before((length - shown.len()) as u64);
        }
    }

    fn gap(&mut self, direction: Direction, len: u64, out: &mut Messages) -> Result<(), Reason> {
        if let Position::Before(left) = self.positions[direction]
            && len > 0
            && left >= len
        {
            // Only the rest of a packet is missing.
            self.positions[direction] = Position::Before(left - len);
            return Ok(());
        }
        self.positions[direction] = Position::Unknown;
        out.mark_loss();
        if let Some(decompressors) = &mut self.decompressors[direction] {
            decompressors.reset();
        }
        match direction {
            Direction::ToServer => self.requests.on_gap(),
            Direction::ToClient => self.responses.on_gap(&mut self.session),
        }
        if self.session.phase != Phase::Commands {
            // The login, which tells whether packets are compressed from here on, is missing.
            self.session.phase = Phase::Commands;
            self.session.compressed = self.session.will_compress;
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let decompressors = Direction::BOTH
            .iter()
            .filter_map(|d| self.decompressors[*d].as_deref())
            .map(Decompressor::bytes);
        size_of_val(self) + self.session.bytes() + decompressors.sum::<usize>()
    }
}

/// Whether a server's first packet is a greeting.
pub(super) fn is_greeting(payload: &[u8]) -> bool {
    Greeting::read(payload).is_some() && Greeting::is_likely(payload)
}
