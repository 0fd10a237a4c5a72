use std::fmt::Write as _;

use wire::{Direction, PerDirection, Transport};

use super::codes::{opcode_name, outcome, rcode_name, type_name};
use super::message::{HEADER, Header, Question, answers, question};
use crate::fact::Protocol;
use crate::l7::messages::{Kind, Messages};
use crate::l7::protocol::{Clue, Parser, Progress, Reason};

/// So much of a message over TCP is looked at: header, questions and the first answers.
const LOOKED_AT: usize = 4096;

#[derive(Debug)]
pub(super) struct DnsParser {
    transport: Transport,
    protocol: Protocol,
    /// TCP: kind and id of the message of which the end is skipped.
    open: PerDirection<Option<(Kind, u64)>>,
    /// Reused texts.
    name: String,
    found: String,
}

impl DnsParser {
    pub(super) fn new(clue: &Clue) -> Self {
        let protocol = match (clue.client_port, clue.server_port) {
            (5353, _) | (_, 5353) => Protocol::Mdns,
            (_, 5355) | (5355, _) => Protocol::Llmnr,
            _ => Protocol::Dns,
        };
        Self {
            transport: clue.transport,
            protocol,
            open: PerDirection::default(),
            name: String::new(),
            found: String::new(),
        }
    }

    /// Opens the message whose header is at the beginning of `message`; it begins at `at` of the bytes shown.
    fn tell(&mut self, message: &[u8], at: usize, out: &mut Messages) -> Option<(Kind, u64)> {
        let header = Header::read(message)?;
        self.name.clear();
        let first = if header.questions > 0 { question(message, HEADER, &mut self.name) } else { None };
        if first.is_none() {
            self.name.clear();
        }
        let mut id = key(header.id, first.as_ref(), &self.name);
        let kind = if header.is_response() { Kind::Response } else { Kind::Request };
        if kind == Kind::Response && first.is_none() && header.id != 0 {
            id = out.waiting(|waiting| waiting as u16 == header.id).unwrap_or(id);
        }
        let exchange = &mut out.open(self.protocol, kind, id, at).exchange;
        let into = &mut exchange.attributes;
        if exchange.operation.is_empty() {
            match (opcode_name(header.opcode()), first) {
                (Some(name), _) => exchange.operation.push_str(name),
                (None, Some(first)) => push_type(first.kind, &mut exchange.operation),
                (None, None) => {}
            }
            if let Some(first) = first {
                into.push_text("dns.question.name", &self.name);
                match type_name(first.kind) {
                    Some(name) => into.push_text("dns.question.type", name),
                    None => into.push_text("dns.question.type", &format!("TYPE{}", first.kind)),
                }
            }
        }
        if kind == Kind::Response {
            exchange.outcome = outcome(header.rcode());
            match rcode_name(header.rcode()) {
                Some(name) => into.push_text("dns.response.code", name),
                None => into.push_int("dns.response.code", i64::from(header.rcode())),
            }
            into.push_int("dns.answers.count", i64::from(header.answers));
            if header.is_truncated() {
                into.push_bool("dns.response.truncated", true);
            }
            self.found.clear();
            if let Some(from) = first.map_or((header.questions == 0).then_some(HEADER), |q| Some(q.end)) {
                let _ = answers(message, from, header.answers, &mut self.found);
            }
            if !self.found.is_empty() {
                into.push_text("dns.answers", &self.found);
            }
        }
        Some((kind, id))
    }

    fn stream(&mut self, direction: Direction, bytes: &[u8], out: &mut Messages) -> Progress {
        let mut at = 0;
        loop {
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
            if Header::read(message).is_none_or(|h| h.opcode() > 6) {
                return Progress::GiveUp { consumed: at, reason: Reason::Malformed };
            }
            self.open[direction] = self.tell(&message[..looked_at], at, out);
            if message.len() < length {
                return Progress::Skip { consumed: at + 2 + looked_at, body: (length - looked_at) as u64 };
            }
            at += 2 + length;
        }
    }
}

fn push_type(kind: u16, into: &mut String) {
    match type_name(kind) {
        Some(name) => into.push_str(name),
        None => {
            let _ = write!(into, "TYPE{kind}");
        }
    }
}

/// What request and response have in common: id and question. The low 16 bits are the id.
fn key(id: u16, question: Option<&Question>, name: &str) -> u64 {
    let Some(question) = question else { return u64::from(id) };
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut mix = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    name.bytes().for_each(|b| mix(b.to_ascii_lowercase()));
    question.kind.to_be_bytes().into_iter().for_each(&mut mix);
    hash << 16 | u64::from(id)
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
        size_of::<Self>() + self.name.capacity() + self.found.capacity()
    }

    fn gap(&mut self, direction: Direction, len: u64, out: &mut Messages) -> Result<(), Reason> {
        out.lost();
        self.open[direction] = None;
        // Messages over TCP have no mark to find the next one by; a datagram is its own.
        if len > 0 || self.transport == Transport::Tcp { Err(Reason::Switched) } else { Ok(()) }
    }
}
