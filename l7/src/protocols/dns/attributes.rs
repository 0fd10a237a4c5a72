//! Opens messages and sets their attributes: questions, flags, answers and response codes.

use std::fmt::Write as _;

use super::codes::{class_name, opcode_name, outcome, rcode_name, record_type, type_name};
use super::edns;
use super::message::{HEADER, Header, Question, Records, Section, question};
use super::parser::DnsParser;
use crate::correlate::{Kind, Messages};
use fact::{Attributes, Exchange};

/// Most questions in the text.
const MOST_QUESTIONS: u16 = 16;
/// Longest text of questions.
const LONGEST: usize = 1000;
/// Bit of a question's class in multicast DNS: a unicast response is welcome (RFC 6762 section
/// 5.4).
const UNICAST: u16 = 0x8000;

impl DnsParser {
    /// Opens the message at the beginning of `message`, which is at `at` of the bytes shown.
    pub(super) fn open_message(
        &mut self,
        message: &[u8],
        at: usize,
        out: &mut Messages,
    ) -> Option<(Kind, u64)> {
        let header = Header::read(message)?;
        self.name.clear();
        let first =
            if header.questions > 0 { question(message, HEADER, &mut self.name) } else { None };
        if first.is_none() {
            self.name.clear();
        }
        let mut id = key(header.id, first.as_ref(), &self.name);
        let kind = if header.is_response() { Kind::Response } else { Kind::Request };
        if kind == Kind::Response && first.is_none() && header.id != 0 {
            id = out.pending_id(|waiting| waiting as u16 == header.id).unwrap_or(id);
        }
        let exchange = &mut out.open(kind, id, at).exchange;
        if let Some(link_protocol) = self.link_protocol {
            exchange.protocol = link_protocol;
        }
        let behind = self.write_questions(message, &header, first);
        if exchange.operation.is_empty() {
            self.push_question(&header, first, exchange);
        }
        let into = &mut exchange.attributes;
        self.push_flags(&header, into);
        let mut rcode = u16::from(header.rcode());
        let mut extended = None;
        if let Some(behind) = behind {
            self.answers.clear();
            for record in Records::new(message, &header, behind) {
                match record.section {
                    Section::Answer if kind == Kind::Response => self.answers.add(message, &record),
                    Section::Additional if record.kind == record_type::OPT => {
                        extended = Some(record)
                    }
                    _ => {}
                }
            }
        }
        if let Some(record) = &extended {
            match kind {
                Kind::Response => rcode |= edns::rcode(record) << 4,
                _ => edns::push_request(record, into),
            }
        }
        if kind == Kind::Response {
            push_response_code(&header, rcode, exchange);
            let into = &mut exchange.attributes;
            if behind.is_some() {
                self.push_answers(into);
            }
            if let Some(record) = &extended {
                edns::push_response(record, into);
            }
        }
        Some((kind, id))
    }

    /// Adds operation and questions, of which `first` is the first.
    fn push_question(&self, header: &Header, first: Option<Question>, exchange: &mut Exchange) {
        match (opcode_name(header.opcode()), first) {
            (Some(name), _) => exchange.operation.push_str(name),
            (None, Some(first)) => push_type(first.kind, &mut exchange.operation),
            (None, None) => {}
        }
        let into = &mut exchange.attributes;
        if let Some(first) = first {
            into.push_text("dns.question.name", &self.name);
            match type_name(first.kind) {
                Some(name) => into.push_text("dns.question.type", name),
                None => into.push_text("dns.question.type", &format!("TYPE{}", first.kind)),
            }
            push_class(first.class, into);
        }
        if header.questions > 1 {
            into.push_int("dns.questions.count", i64::from(header.questions));
            into.push_text("dns.questions", &self.texts);
        }
    }

    /// Writes all questions, if there are several, into `texts`. Returns where they end.
    fn write_questions(
        &mut self,
        message: &[u8],
        header: &Header,
        first: Option<Question>,
    ) -> Option<usize> {
        self.texts.clear();
        let mut end = match first {
            Some(first) => first.end,
            None => return (header.questions == 0).then_some(HEADER),
        };
        if header.questions < 2 {
            return Some(end);
        }
        self.texts.push_str(&self.name);
        self.texts.push(' ');
        push_type(first?.kind, &mut self.texts);
        for n in 1..header.questions {
            let before = self.texts.len();
            self.texts.push(',');
            let next = question(message, end, &mut self.texts)?;
            self.texts.push(' ');
            push_type(next.kind, &mut self.texts);
            if n >= MOST_QUESTIONS || self.texts.len() > LONGEST {
                self.texts.truncate(before);
            }
            end = next.end;
        }
        Some(end)
    }

    fn push_flags(&mut self, header: &Header, into: &mut Attributes) {
        let mut flags = header.flags().peekable();
        if flags.peek().is_none() {
            return;
        }
        let start = self.texts.len();
        for flag in flags {
            if self.texts.len() > start {
                self.texts.push(' ');
            }
            self.texts.push_str(flag);
        }
        let key = if header.is_response() { "dns.response.flags" } else { "dns.request.flags" };
        into.push_text(key, &self.texts[start..]);
    }

    fn push_answers(&mut self, into: &mut Attributes) {
        if !self.answers.text.is_empty() {
            into.push_text("dns.answers", &self.answers.text);
        }
        self.answers.follow(&self.name);
        if !self.answers.chain.is_empty() {
            into.push_text("dns.answers.cname_chain", &self.answers.chain);
        }
        if let Some(ttl) = self.answers.ttl {
            into.push_int("dns.answers.min_ttl", i64::from(ttl));
        }
    }
}

/// Adds the response code with its EDNS part, and what else the header of a response has.
fn push_response_code(header: &Header, rcode: u16, exchange: &mut Exchange) {
    exchange.outcome = outcome(rcode);
    let into = &mut exchange.attributes;
    match rcode_name(rcode) {
        Some(name) => into.push_text("dns.response.code", name),
        None => into.push_int("dns.response.code", i64::from(rcode)),
    }
    into.push_int("dns.answers.count", i64::from(header.answers));
    if header.is_truncated() {
        into.push_bool("dns.response.truncated", true);
    }
}

fn push_class(class: u16, into: &mut Attributes) {
    if class & UNICAST != 0 {
        into.push_bool("dns.question.unicast_response", true);
    }
    match class & !UNICAST {
        1 => {}
        other => match class_name(other) {
            Some(name) => into.push_text("dns.question.class", name),
            None => into.push_text("dns.question.class", &format!("CLASS{other}")),
        },
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

/// Hash of id and question, which request and response share. Its low 16 bits are the id.
fn key(id: u16, question: Option<&Question>, name: &str) -> u64 {
    let Some(question) = question else { return u64::from(id) };
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut mix = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    name.bytes().for_each(|b| mix(b.to_ascii_lowercase()));
    question.kind.to_be_bytes().into_iter().for_each(&mut mix);
    hash << 16 | u64::from(id)
}
