//! Opens and closes the messages of a connection. Headers are in `header`, bodies in `body`.

use wire::{Direction, PerDirection};

use super::body::Body;
use super::compressed::{INPUT, decompress};
use super::header::{
    COMPRESSED, DELETE, HEADER, Header, INSERT, KILL_CURSORS, MORE_TO_COME, MSG, UPDATE,
    is_message, length, u32_at,
};
use super::message_fields::MessageFields;
use crate::contract::{Clue, Probe, Reason};
use crate::correlate::{Kind, Messages};
use crate::kit::framed::{Format, FormatStep};

/// Bytes of the header of a compressed message, with the original opcode, the original length and
/// the compressor.
const COMPRESSED_HEADER: usize = HEADER + 9;

/// The message that is being read in one direction.
#[derive(Debug)]
struct Open {
    message: Option<(Kind, u64)>,
    started: bool,
    body: Body,
    fields: MessageFields,
    /// The response continues in another message.
    more: bool,
}

#[derive(Debug)]
pub(super) struct MongoFormat {
    open: PerDirection<Open>,
    /// The id that the next message of an exhaust cursor responds to, and the request that it
    /// belongs to.
    exhaust: Option<(u32, u64)>,
    /// Decompressed bytes; reused.
    plain: Vec<u8>,
}

impl MongoFormat {
    pub(super) fn new(clue: &Clue) -> Self {
        let fields = || MessageFields::new(clue.literals);
        let open = || Open {
            message: None,
            started: false,
            body: Body::NONE,
            fields: fields(),
            more: false,
        };
        Self {
            open: PerDirection { to_server: open(), to_client: open() },
            exhaust: None,
            plain: Vec::new(),
        }
    }

    /// Opens a message. A compressed one is read at once.
    fn begin(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        left: u64,
        at: usize,
        out: &mut Messages,
    ) -> FormatStep {
        let Some(header) = Header::read(bytes) else { return FormatStep::Need(HEADER) };
        let compressed = header.opcode == COMPRESSED;
        let wanted = match header.opcode {
            COMPRESSED => usize::try_from(left).unwrap_or(INPUT).min(INPUT),
            MSG => HEADER + 4,
            _ => HEADER,
        };
        let Some(shown) = bytes.get(..wanted) else { return FormatStep::Need(wanted) };
        self.plain.clear();
        let opcode = match shown.get(HEADER..COMPRESSED_HEADER) {
            Some(&[a, b, c, d, _, _, _, _, compressor]) if compressed => {
                decompress(
                    compressor,
                    shown.get(COMPRESSED_HEADER..).unwrap_or_default(),
                    &mut self.plain,
                );
                i32::from_le_bytes([a, b, c, d])
            }
            _ => header.opcode,
        };
        let body = if compressed {
            self.plain.as_slice()
        } else {
            shown.get(HEADER..).unwrap_or_default()
        };
        let flags = if opcode == MSG { u32_at(body, 0).unwrap_or(0) } else { 0 };
        let is_request = direction == Direction::ToServer;
        let one_way =
            flags & MORE_TO_COME != 0 || matches!(opcode, INSERT | UPDATE | DELETE | KILL_CURSORS);
        let open = &mut self.open[direction];
        open.fields.clear();
        open.more = !is_request && flags & MORE_TO_COME != 0;
        let (kind, id) = match is_request {
            true => (if one_way { Kind::OneWay } else { Kind::Request }, u64::from(header.id)),
            false => (Kind::Response, u64::from(header.response_to)),
        };
        let (id, continues) =
            match self.exhaust.take_if(|(next, _)| !is_request && *next == header.response_to) {
                Some((_, first)) => (first, true),
                None => (id, false),
            };
        let continues = continues && out.current(kind, id).is_some();
        if !continues {
            let entry = out.open(kind, id, at);
            if !is_request {
                entry.clear_loss();
            }
            let attributes = &mut entry.exchange.attributes;
            if attributes.get("db.system.name").is_none() {
                attributes.push_text("db.system.name", "mongodb");
            }
        }
        if open.more {
            self.exhaust = Some((header.id, id));
        }
        open.message = Some((kind, id));
        open.body = Body::new(opcode, is_request);
        if !compressed {
            return FormatStep::Take(HEADER as u64);
        }
        let mut plain = self.plain.as_slice();
        while let FormatStep::Take(n) = open.body.step(plain, u64::MAX, &mut open.fields) {
            match usize::try_from(n).ok().and_then(|n| plain.get(n..)) {
                Some(rest) if n > 0 => plain = rest,
                _ => break,
            }
        }
        if is_request && open.fields.command.is_empty() {
            open.fields.command.push_str("OP_COMPRESSED");
        }
        open.body = Body::NONE;
        FormatStep::Done
    }

    /// Adds what was read to the open message, and returns its kind and id.
    fn push_fields(&mut self, direction: Direction, out: &mut Messages) -> Option<(Kind, u64)> {
        let open = &mut self.open[direction];
        open.started = false;
        let (kind, id) = open.message.take()?;
        if let Some(entry) = out.current(kind, id) {
            match kind {
                Kind::Response => open.fields.push_response(entry),
                Kind::Request | Kind::OneWay => open.fields.push_request(entry),
            }
        }
        Some((kind, id))
    }
}

impl Format for MongoFormat {
    const HEAD: usize = HEADER;

    fn length(&self, _: Direction, header: &[u8]) -> Option<u64> {
        length(header)
    }

    fn begins(&self, direction: Direction, bytes: &[u8], _: &Messages) -> Probe {
        // The request with id 0 gets a response to 0.
        match is_message(bytes, direction) {
            Probe::No if direction == Direction::ToClient => match Header::read(bytes) {
                Some(Header { response_to: 0, .. }) => is_message(bytes, Direction::ToServer),
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
    ) -> Result<FormatStep, Reason> {
        let open = &mut self.open[direction];
        if open.started {
            return Ok(open.body.step(bytes, left, &mut open.fields));
        }
        let step = self.begin(direction, bytes, left, at, out);
        self.open[direction].started = !matches!(step, FormatStep::Need(_));
        Ok(step)
    }

    fn close(&mut self, direction: Direction, at: usize, out: &mut Messages) {
        let more = self.open[direction].more;
        match self.push_fields(direction, out) {
            Some((kind, id)) if more => out.pause(kind, id, at),
            Some((kind, id)) => out.close(kind, id, at),
            None => {}
        }
    }

    fn on_loss(&mut self, direction: Direction, out: &mut Messages) {
        self.push_fields(direction, out);
        self.exhaust = None;
    }

    fn bytes(&self) -> usize {
        Direction::BOTH.iter().map(|&d| self.open[d].fields.bytes()).sum::<usize>()
            + self.plain.capacity()
    }
}
