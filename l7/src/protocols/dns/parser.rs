use wire::{Direction, PerDirection, Transport};

use super::answers::Answers;
use super::message::{HEADER, Header, question};
use super::transfer::{Transfer, Walked};
use crate::contract::{Clue, Parser, Progress, Reason};
use crate::correlate::{Kind, Messages};
use fact::Protocol;

/// So much of a message over TCP is looked at: header, questions and the first answers.
const LOOKED_AT: usize = 4096;

/// Multicast DNS (RFC 6762).
const MDNS: Protocol = Protocol::new("mdns");
/// Link-local multicast name resolution (RFC 4795).
const LLMNR: Protocol = Protocol::new("llmnr");

#[derive(Debug)]
pub(super) struct DnsParser {
    transport: Transport,
    /// The protocol on one link whose messages these are; none for DNS itself.
    pub(super) on_link: Option<Protocol>,
    /// TCP: kind and id of the message of which the end is skipped.
    open: PerDirection<Option<(Kind, u64)>>,
    /// TCP: the zone transfer that goes on.
    transfers: PerDirection<Option<Transfer>>,
    /// TCP: a message of the transfer is being walked over.
    walking: PerDirection<bool>,
    /// Reused texts.
    pub(super) name: String,
    pub(super) texts: String,
    pub(super) answers: Answers,
}

impl DnsParser {
    pub(super) fn new(clue: &Clue) -> Self {
        let on_link = match (clue.client_port, clue.server_port) {
            (5353, _) | (_, 5353) => Some(MDNS),
            (_, 5355) | (5355, _) => Some(LLMNR),
            _ => None,
        };
        Self {
            transport: clue.transport,
            on_link,
            open: PerDirection::default(),
            transfers: PerDirection::default(),
            walking: PerDirection::default(),
            name: String::new(),
            texts: String::new(),
            answers: Answers::default(),
        }
    }

    fn stream(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
            if self.walking[direction] {
                match self.walk(direction, bytes, at, out) {
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
            let looked_at = length.min(LOOKED_AT);
            if length < HEADER {
                return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
            }
            if message.len() < looked_at {
                return Progress::Need { consumed: at, more: looked_at - message.len() };
            }
            let Some(header) = Header::read(message).filter(|h| h.opcode() <= 6) else {
                return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
            };
            let shown = &message[..looked_at];
            if let Some(done) = self.goes_on(direction, &header, shown, length, out) {
                at += 2 + done;
                continue;
            }
            let told = self.tell(shown, at, out);
            if let Some(done) =
                told.and_then(|told| self.begins(direction, told, &header, shown, length, out))
            {
                at += 2 + done;
                continue;
            }
            self.open[direction] = told;
            if message.len() < length {
                return Progress::Skip { consumed: at + 2 + looked_at, body: (length - looked_at) as u64 };
            }
            at += 2 + length;
        }
    }

    /// Another message of a zone transfer: says how much of it is dealt with.
    fn goes_on(
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
        let first = (header.questions > 0).then(|| question(message, HEADER, &mut self.name)).flatten();
        let done = first.map_or(HEADER, |question| question.end);
        transfer.begin(header, length, done);
        self.walking[direction] = true;
        Some(done)
    }

    /// Whether a zone transfer begins with a response: says how much of it is dealt with.
    fn begins(
        &mut self,
        direction: Direction,
        (kind, id): (Kind, u64),
        header: &Header,
        message: &[u8],
        length: usize,
        out: &mut Messages,
    ) -> Option<usize> {
        const IXFR: u16 = 251;
        const AXFR: u16 = 252;
        if kind != Kind::Response || header.rcode() != 0 || header.answers == 0 || header.questions != 1 {
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
        self.walking[direction] = true;
        Some(first.end)
    }

    /// On over the records of a transfer: where to go on, or how many bytes more are needed.
    fn walk(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Result<usize, usize> {
        let Some(transfer) = &mut self.transfers[direction] else {
            self.walking[direction] = false;
            return Ok(at);
        };
        let key = transfer.key;
        match transfer.walk(bytes.get(at..).unwrap_or_default()) {
            Walked::Over(bytes) => return Ok(at + bytes),
            Walked::More(more) => return Err(more),
            Walked::End(false) => {}
            Walked::End(true) => {
                self.transfers[direction] = None;
                out.close(Kind::Response, key, at);
            }
            Walked::Broken => {
                let rest = transfer.rest();
                self.transfers[direction] = None;
                self.open[direction] = Some((Kind::Response, key));
                self.walking[direction] = false;
                return Ok(at + rest);
            }
        }
        self.walking[direction] = false;
        Ok(at)
    }
}

impl Parser for DnsParser {
    fn read(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        if self.transport == Transport::Tcp {
            return self.stream(direction, bytes, out);
        }
        match Header::read(bytes).filter(|h| h.opcode() <= 6).and_then(|_| self.tell(bytes, 0, out)) {
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
        self.walking[direction] = false;
        // Messages over TCP have no mark to find the next one by; a datagram is its own.
        if len > 0 || self.transport == Transport::Tcp { Err(Reason::Switched) } else { Ok(()) }
    }
}
