//! Message boundaries over UDP and TCP (RFC 1035 section 4.2), and zone transfers of many messages.
//! What a message says is in `attributes`.

use wire::{Direction, PerDirection, Transport};

use super::answers::Answers;
use super::message::{HEADER, Header, question};
use super::transfer::{Transfer, WalkResult};
use crate::contract::{Clue, Parser, Progress, Reason};
use crate::correlate::{Kind, Messages};
use fact::Protocol;

/// Bytes of a message over TCP that are inspected: header, questions and the first answers.
const INSPECT_LIMIT: usize = 4096;

/// Multicast DNS (RFC 6762).
const MDNS: Protocol = Protocol::new("mdns");
/// Link-local multicast name resolution (RFC 4795).
const LLMNR: Protocol = Protocol::new("llmnr");

#[derive(Debug)]
pub(super) struct DnsParser {
    transport: Transport,
    /// Multicast DNS or LLMNR. None for DNS itself.
    pub(super) link_protocol: Option<Protocol>,
    /// TCP: kind and id of the message whose end is being skipped.
    open: PerDirection<Option<(Kind, u64)>>,
    /// TCP: the zone transfer under way.
    transfers: PerDirection<Option<Transfer>>,
    /// TCP: the records of one of its messages are being read.
    reading_records: PerDirection<bool>,
    /// Reused texts.
    pub(super) name: String,
    pub(super) texts: String,
    pub(super) answers: Answers,
}

impl DnsParser {
    pub(super) fn new(clue: &Clue) -> Self {
        let link_protocol = match (clue.client_port, clue.server_port) {
            (5353, _) | (_, 5353) => Some(MDNS),
            (_, 5355) | (5355, _) => Some(LLMNR),
            _ => None,
        };
        Self {
            transport: clue.transport,
            link_protocol,
            open: PerDirection::default(),
            transfers: PerDirection::default(),
            reading_records: PerDirection::default(),
            name: String::new(),
            texts: String::new(),
            answers: Answers::default(),
        }
    }

    fn read_stream(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            if self.reading_records[direction] {
                match self.read_records(direction, bytes, at, out) {
                    Ok(next) if next <= bytes.len() => at = next,
                    Ok(next) => return Progress::Skip { consumed: at, body: (next - at) as u64 },
                    Err(more) => return Progress::Need { consumed: at, more },
                }
                continue;
            }
            if let Some((kind, id)) = self.open[direction].take() {
                out.close(kind, id, at);
            }
            let rest = &bytes[at..];
            let &[high, low, ref message @ ..] = rest else {
                return if rest.is_empty() {
                    Progress::Consumed(at)
                } else {
                    Progress::Need { consumed: at, more: 1 }
                };
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let inspected = length.min(INSPECT_LIMIT);
            if length < HEADER {
                return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
            }
            if message.len() < inspected {
                return Progress::Need { consumed: at, more: inspected - message.len() };
            }
            let Some(header) = Header::read(message).filter(|h| h.opcode() <= 6) else {
                return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
            };
            let shown = &message[..inspected];
            if let Some(done) = self.continue_transfer(direction, &header, shown, length, out) {
                at += 2 + done;
                continue;
            }
            let message_id = self.open_message(shown, at, out);
            if let Some(done) = message_id.and_then(|message_id| {
                self.begin_transfer(direction, message_id, &header, shown, length, out)
            }) {
                at += 2 + done;
                continue;
            }
            self.open[direction] = message_id;
            if message.len() < length {
                return Progress::Skip {
                    consumed: at + 2 + inspected,
                    body: (length - inspected) as u64,
                };
            }
            at += 2 + length;
        }
    }

    /// Another message of a zone transfer. Returns how much of it was processed.
    fn continue_transfer(
        &mut self,
        direction: Direction,
        header: &Header,
        message: &[u8],
        length: usize,
        out: &mut Messages,
    ) -> Option<usize> {
        let transfer = self.transfers[direction].as_mut()?;
        if !header.is_response() || header.id != transfer.id {
            return None;
        }
        let entry = out.current(Kind::Response, transfer.key)?;
        let attributes = &mut entry.exchange.attributes;
        attributes.add_int("dns.answers.count", i64::from(header.answers));
        attributes.add_int("dns.transfer.messages", 1);
        self.name.clear();
        let first =
            (header.questions > 0).then(|| question(message, HEADER, &mut self.name)).flatten();
        let done = first.map_or(HEADER, |question| question.end);
        transfer.begin(header, length, done);
        self.reading_records[direction] = true;
        Some(done)
    }

    /// Begins a zone transfer if the response is one. Returns how much of it was processed.
    fn begin_transfer(
        &mut self,
        direction: Direction,
        (kind, id): (Kind, u64),
        header: &Header,
        message: &[u8],
        length: usize,
        out: &mut Messages,
    ) -> Option<usize> {
        use super::codes::record_type::{AXFR, IXFR};
        if kind != Kind::Response
            || header.rcode() != 0
            || header.answers == 0
            || header.questions != 1
        {
            return None;
        }
        self.name.clear();
        let first = question(message, HEADER, &mut self.name)?;
        if !matches!(first.kind, IXFR | AXFR) {
            return None;
        }
        out.current(kind, id)?.exchange.attributes.add_int("dns.transfer.messages", 1);
        let mut transfer = Transfer::new(header.id, id, first.kind == IXFR);
        transfer.begin(header, length, first.end);
        self.transfers[direction] = Some(transfer);
        self.reading_records[direction] = true;
        Some(first.end)
    }

    /// Reads the records of a transfer. Returns where to continue.
    ///
    /// # Errors
    ///
    /// The number of missing bytes.
    fn read_records(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Result<usize, usize> {
        let Some(transfer) = &mut self.transfers[direction] else {
            wire::invariant!("records are read of a transfer under way");
            self.reading_records[direction] = false;
            return Ok(at);
        };
        let key = transfer.key;
        match transfer.walk(bytes.get(at..).unwrap_or_default()) {
            WalkResult::Over(bytes) => return Ok(at + bytes),
            WalkResult::More(more) => return Err(more),
            WalkResult::End(false) => {}
            WalkResult::End(true) => {
                self.transfers[direction] = None;
                out.close(Kind::Response, key, at);
            }
            WalkResult::Malformed => {
                let rest = transfer.rest();
                self.transfers[direction] = None;
                self.open[direction] = Some((Kind::Response, key));
                self.reading_records[direction] = false;
                return Ok(at + rest);
            }
        }
        self.reading_records[direction] = false;
        Ok(at)
    }
}

impl Parser for DnsParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        if self.transport == Transport::Tcp {
            return self.read_stream(direction, bytes, out);
        }
        match Header::read(bytes)
            .filter(|h| h.opcode() <= 6)
            .and_then(|_| self.open_message(bytes, 0, out))
        {
            Some((kind, id)) => {
                out.close(kind, id, bytes.len());
                Progress::Consumed(bytes.len())
            }
            None => Progress::GiveUp { consumed: bytes.len(), reason: Reason::Malformed },
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.name.capacity() + self.texts.capacity() + self.answers.bytes()
    }

    fn gap(&mut self, direction: Direction, len: u64, out: &mut Messages) -> Result<(), Reason> {
        out.mark_loss();
        self.open[direction] = None;
        self.transfers[direction] = None;
        self.reading_records[direction] = false;
        // Messages over TCP cannot be found again after lost bytes. A datagram is complete by
        // itself.
        if len > 0 || self.transport == Transport::Tcp { Err(Reason::Switched) } else { Ok(()) }
    }
}
