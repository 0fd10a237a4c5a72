//! Messages and the top level of BSON documents.

use wire::{Direction, PerDirection};

use super::body::Body;
use super::compressed::{INPUT, decompress};
use super::head::{
    COMPRESSED, DELETE, HEAD, Head, INSERT, KILL_CURSORS, MORE_TO_COME, MSG, UPDATE, is_message, length,
    u32_at,
};
use super::told::Told;
use crate::contract::{Clue, Probe, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::framed::{Format, Step};

/// Bytes of the head of a compressed message: what it was before, how long, and how it was
/// compressed.
const COMPRESSED_HEAD: usize = HEAD + 9;

/// The message that is read in one direction.
#[derive(Debug)]
struct Open {
    message: Option<(Kind, u64)>,
    begun: bool,
    body: Body,
    told: Told,
    /// The response goes on in a message with the response id that is named here.
    more: bool,
}

#[derive(Debug)]
pub(super) struct MongoFormat {
    open: PerDirection<Open>,
    /// The next message that nobody asks for answers this id, which stands for the request with the
    /// second.
    exhaust: Option<(u32, u64)>,
    plain: Vec<u8>,
}

impl MongoFormat {
    pub(super) fn new(clue: &Clue) -> Self {
        let told = || Told::new(clue.literals);
        let open = || Open { message: None, begun: false, body: Body::NONE, told: told(), more: false };
        Self { open: PerDirection { to_server: open(), to_client: open() }, exhaust: None, plain: Vec::new() }
    }

    /// Opens the message. What it was compressed to is read at once.
    fn begin(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        left: u64,
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let Some(head) = Head::read(bytes) else { return Step::Need(HEAD) };
        let compressed = head.opcode == COMPRESSED;
        let wanted = match head.opcode {
            COMPRESSED => usize::try_from(left).unwrap_or(INPUT).min(INPUT),
            MSG => HEAD + 4,
            _ => HEAD,
        };
        let Some(shown) = bytes.get(..wanted) else { return Step::Need(wanted) };
        self.plain.clear();
        let opcode = match shown.get(HEAD..COMPRESSED_HEAD) {
            Some(&[a, b, c, d, _, _, _, _, compressor]) if compressed => {
                decompress(compressor, shown.get(COMPRESSED_HEAD..).unwrap_or_default(), &mut self.plain);
                i32::from_le_bytes([a, b, c, d])
            }
            _ => head.opcode,
        };
        let body = if compressed { self.plain.as_slice() } else { shown.get(HEAD..).unwrap_or_default() };
        let flags = if opcode == MSG { u32_at(body, 0).unwrap_or(0) } else { 0 };
        let asked = direction == Direction::ToServer;
        let one_way = flags & MORE_TO_COME != 0 || matches!(opcode, INSERT | UPDATE | DELETE | KILL_CURSORS);
        let open = &mut self.open[direction];
        open.told.clear();
        open.more = !asked && flags & MORE_TO_COME != 0;
        let (kind, id) = match asked {
            true => (if one_way { Kind::OneWay } else { Kind::Request }, u64::from(head.id)),
            false => (Kind::Response, u64::from(head.response_to)),
        };
        let (id, goes_on) = match self.exhaust.take_if(|(next, _)| !asked && *next == head.response_to) {
            Some((_, first)) => (first, true),
            None => (id, false),
        };
        let goes_on = goes_on && out.current(kind, id).is_some();
        if !goes_on {
            let entry = out.open(kind, id, at);
            if !asked {
                entry.clear_loss();
            }
            let attributes = &mut entry.exchange.attributes;
            if attributes.get("db.system.name").is_none() {
                attributes.push_text("db.system.name", "mongodb");
            }
        }
        if open.more {
            self.exhaust = Some((head.id, id));
        }
        open.message = Some((kind, id));
        open.body = Body::new(opcode, asked);
        if !compressed {
            return Step::Take(HEAD as u64);
        }
        let mut plain = self.plain.as_slice();
        while let Step::Take(n) = open.body.step(plain, u64::MAX, &mut open.told) {
            match usize::try_from(n).ok().and_then(|n| plain.get(n..)) {
                Some(rest) if n > 0 => plain = rest,
                _ => break,
            }
        }
        if asked && open.told.command.is_empty() {
            open.told.command.push_str("OP_COMPRESSED");
        }
        open.body = Body::NONE;
        Step::Done
    }

    fn write(&mut self, direction: Direction, out: &mut Messages) -> Option<(Kind, u64)> {
        let open = &mut self.open[direction];
        open.begun = false;
        let (kind, id) = open.message.take()?;
        if let Some(entry) = out.current(kind, id) {
            match kind {
                Kind::Response => open.told.write_response(entry),
                Kind::Request | Kind::OneWay => open.told.write_request(entry),
            }
        }
        Some((kind, id))
    }
}

impl Format for MongoFormat {
    const HEAD: usize = HEAD;

    fn length(&self, _: Direction, head: &[u8]) -> Option<u64> {
        length(head)
    }

    fn begins(&self, direction: Direction, bytes: &[u8], _: &Messages) -> Probe {
        // The request with id 0 has an answer to 0.
        match is_message(bytes, direction) {
            Probe::No if direction == Direction::ToClient => match Head::read(bytes) {
                Some(Head { response_to: 0, .. }) => is_message(bytes, Direction::ToServer),
                _ => Probe::No,
            },
            found => found,
        }
    }

    fn step(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        left: u64,
        at: usize,
        out: &mut Messages,
    ) -> Result<Step, Reason> {
        let open = &mut self.open[direction];
        if open.begun {
            return Ok(open.body.step(bytes, left, &mut open.told));
        }
        let step = self.begin(direction, bytes, left, at, out);
        self.open[direction].begun = !matches!(step, Step::Need(_));
        Ok(step)
    }

    fn close(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        let more = self.open[direction].more;
        match self.write(direction, out) {
            Some((kind, id)) if more => out.pause(kind, id, at),
            Some((kind, id)) => out.close(kind, id, at),
            None => {}
        }
    }

    fn lost(&mut self, direction: Direction, out: &mut Messages) {
        self.write(direction, out);
        self.exhaust = None;
    }

    fn bytes(&self) -> usize {
        Direction::BOTH.iter().map(|&d| self.open[d].told.bytes()).sum::<usize>() + self.plain.capacity()
    }
}
