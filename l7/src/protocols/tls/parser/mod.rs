//! Records of both directions, and the handshake messages in them, which may be cut into records
//! anywhere (RFC 8446 section 5.1).

mod alert;
mod encrypted;
mod message;

use wire::{Direction, PerDirection};

use super::attributes::{self, ClientOffer, ServerChoice};
use super::record::{
    ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, HEADER, Record, RecordHeader, head, sslv2_hello,
};
use crate::contract::{Parser, Progress, Reason};
use crate::correlate::{EndMark, Kind, Messages};
use crate::kit::step::{Step, malformed};

/// Records that are skipped until the parser gives up on the end of a handshake.
const MOST_SKIPPED: u32 = 256;
/// Handshakes of a connection are not paired by an id.
const ID: u64 = 0;

#[derive(Debug, Default)]
pub(super) struct TlsParser {
    sides: PerDirection<Side>,
    offer: ClientOffer,
    /// The server's choice, from its hello on.
    choice: Option<ServerChoice>,
    /// The server sent a certificate, or ServerHelloDone: a full handshake of TLS 1.2.
    full_handshake: bool,
    /// Description of a warning before the server's hello.
    early_warning: Option<u8>,
    /// End of the server's part of the handshake so far.
    mark: Option<EndMark>,
    records_skipped: u32,
    scratch: Vec<u8>,
}

/// State of a direction.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    /// Bytes of the current record that belong to messages not read so far.
    left: usize,
    /// Bytes of the current message to skip.
    body: usize,
    /// What to do behind the current message or record.
    end: Option<End>,
    /// Messages in the clear were read, so what comes next is known.
    synchronised: bool,
    /// ChangeCipherSpec was seen: handshake messages are encrypted.
    cipher_changed: bool,
    /// Bytes are missing: the next record has to be found.
    resynchronising: bool,
    /// Number of encrypted records.
    encrypted: u32,
}

/// What ends with a message or record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Request,
    /// A response after which the client sends another hello.
    Retry,
    /// A part of the server's response.
    Part,
    Finished,
    Failed,
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
            return if self.on_end_of_message(end, at, out) { opaque(at) } else { Step::Go(at) };
        }
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Step::Stop(Progress::Consumed(at));
        }
        let left = side.left;
        if left > 0 {
            return self.read_message(direction, bytes, [at, at], left, out);
        }
        match head(rest) {
            RecordHeader::Record(record) => self.on_record(direction, record, bytes, at, out),
            RecordHeader::Short(more) => Step::Stop(Progress::Need { consumed: at, more }),
            RecordHeader::Invalid if side.resynchronising => {
                Step::Stop(Progress::Consumed(bytes.len()))
            }
            RecordHeader::Invalid if direction == Direction::ToServer && !side.synchronised => {
                self.read_sslv2_hello(rest, at, out)
            }
            RecordHeader::Invalid => malformed(at),
        }
    }

    fn on_record(
        &mut self,
        direction: Direction,
        record: Record,
        bytes: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let side = &mut self.sides[direction];
        if side.resynchronising {
            *side = Side { cipher_changed: side.cipher_changed, ..Side::default() };
        }
        match record.kind {
            HANDSHAKE if side.body > 0 => {
                side.left = record.length;
                Step::Go(at + HEADER)
            }
            HANDSHAKE if !side.cipher_changed => {
                self.read_message(direction, bytes, [at, at + HEADER], record.length, out)
            }
            _ if side.body > 0 => malformed(at),
            CHANGE_CIPHER_SPEC => {
                self.on_change_cipher_spec(direction, record, bytes.len(), at, out)
            }
            ALERT if record.length == 2 => self.on_alert(direction, bytes, at, out),
            _ => self.on_encrypted(direction, record, bytes.len(), at, out),
        }
    }

    /// Reads a ClientHello in the form of SSL 2.0.
    fn read_sslv2_hello(&mut self, rest: &[u8], at: usize, out: &mut Messages) -> Step {
        let Some(hello) = sslv2_hello(rest) else { return malformed(at) };
        if hello.length == 0 {
            return Step::Stop(Progress::Need { consumed: at, more: 1 });
        }
        self.restart();
        let exchange = &mut out.open(Kind::Request, ID, at).exchange;
        exchange.operation.push_str("handshake");
        attributes::push_sslv2_hello(hello.version, &mut exchange.attributes);
        let side = &mut self.sides[Direction::ToServer];
        (side.synchronised, side.end) = (true, Some(End::Request));
        skip(at, hello.length, rest.len() + at)
    }

    fn on_change_cipher_spec(
        &mut self,
        direction: Direction,
        record: Record,
        len: usize,
        at: usize,
        out: &mut Messages,
    ) -> Step {
        let side = &mut self.sides[direction];
        // In TLS 1.3 it has no effect (RFC 8446 appendix D.4).
        let takes_effect =
            self.choice.map_or(!side.synchronised, |choice| !choice.encrypts_handshake);
        side.cipher_changed |= takes_effect;
        if direction == Direction::ToClient {
            side.end = Some(End::Part);
            if takes_effect && let Some(entry) = out.current(Kind::Response, ID) {
                entry.exchange.attributes.push_bool("tls.resumed", !self.full_handshake);
            }
        }
        skip(at, HEADER + record.length, len)
    }

    /// Processes what just ended before `at`. Returns whether nothing more can be read.
    fn on_end_of_message(&mut self, end: End, at: usize, out: &mut Messages) -> bool {
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
        *self = Self {
            scratch,
            sides: self.sides,
            records_skipped: self.records_skipped,
            ..Self::default()
        };
    }
}

impl Parser for TlsParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            match self.step(direction, bytes, at, out) {
                Step::Go(next) => at = next,
                Step::Stop(progress) => return progress,
            }
        }
    }

    fn read_truncated(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) {
        self.read_truncated_message(direction, bytes, out);
    }

    fn gap(&mut self, direction: Direction, _: u64, out: &mut Messages) -> Result<(), Reason> {
        if !out.is_snapped() {
            out.mark_loss();
        }
        self.records_skipped += 1;
        if self.records_skipped > MOST_SKIPPED {
            return Err(Reason::Opaque);
        }
        let cipher_changed = self.sides[direction].cipher_changed;
        self.sides[direction] = Side { cipher_changed, resynchronising: true, ..Side::default() };
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.scratch.capacity()
    }

    fn end(&mut self, direction: Direction, out: &mut Messages) {
        self.on_end(direction, out);
    }
}

/// Passes over the next `length` bytes.
fn skip(at: usize, length: usize, len: usize) -> Step {
    match at.checked_add(length) {
        Some(end) if end <= len => Step::Go(end),
        _ => Step::Stop(Progress::Skip { consumed: at, body: length as u64 }),
    }
}

fn opaque(consumed: usize) -> Step {
    Step::Stop(Progress::GiveUp { consumed, reason: Reason::Opaque })
}
