//! The answer section as text (RFC 1035 section 5.1 where that is short), and its chain of aliases.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::codes::{record_type as kind, type_name};
use super::message::Record;
use super::name;

/// Key of the parameter with application protocols (RFC 9460 section 14.3.2).
const ALPN: [u8; 2] = [0, 1];
/// Most answers in the text.
const SHOWN: usize = 16;
/// Longest text of answers.
const LONGEST: usize = 1000;
/// Most aliases that are followed.
const ALIASES: usize = 16;

/// Text, alias chain and lifetime of the answers of a message.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Separated by commas.
    pub(super) text: String,
    /// From the name in the question over its aliases to the last, separated by ` > `. Empty if
    /// there is no alias.
    pub(super) chain: String,
    /// The shortest time to live, in seconds.
    pub(super) ttl: Option<u32>,
    shown: usize,
    scratch: String,
    aliases: Vec<(String, String)>,
}

impl Answers {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.chain.clear();
        self.aliases.clear();
        (self.ttl, self.shown) = (None, 0);
    }

    /// Adds a record of the answer section of `message`.
    pub(super) fn add(&mut self, message: &[u8], record: &Record<'_>) {
        self.ttl = Some(self.ttl.map_or(record.ttl, |ttl| ttl.min(record.ttl)));
        if self.shown < SHOWN {
            let before = self.text.len();
            if before > 0 {
                self.text.push(',');
            }
            if push(message, record, &mut self.text).is_some() && self.text.len() <= LONGEST {
                self.shown += 1;
            } else {
                self.text.truncate(before);
            }
        }
        if matches!(record.kind, kind::CNAME | kind::DNAME) && self.aliases.len() < ALIASES {
            self.scratch.clear();
            let mut target = String::new();
            if name::read(message, record.name, &mut self.scratch).is_some()
                && name::read(message, record.data_at, &mut target).is_some()
            {
                self.aliases.push((self.scratch.clone(), target));
            }
        }
    }

    /// Builds the chain from the name in the question. The aliases may be in any order.
    pub(super) fn follow(&mut self, question: &str) {
        let mut here = question;
        for _ in 0..self.aliases.len() {
            let Some((_, next)) =
                self.aliases.iter().find(|(owner, _)| owner.eq_ignore_ascii_case(here))
            else {
                return;
            };
            if self.chain.is_empty() {
                self.chain.push_str(question);
            }
            if self.chain.len() + next.len() > LONGEST {
                return;
            }
            self.chain.push_str(" > ");
            self.chain.push_str(next);
            here = next;
        }
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let aliases: usize = self.aliases.iter().map(|(a, b)| a.capacity() + b.capacity()).sum();
        let slots = self.aliases.capacity() * size_of::<(String, String)>();
        self.text.capacity() + self.chain.capacity() + self.scratch.capacity() + slots + aliases
    }
}

/// Writes a record's data as in zone files if that is short; for texts, keys and the like only the
/// type.
fn push(message: &[u8], record: &Record<'_>, into: &mut String) -> Option<()> {
    let data = record.data;
    let word = |n: usize| Some(u16::from_be_bytes([*data.get(n)?, *data.get(n + 1)?]));
    match record.kind {
        kind::A => write!(into, "{}", Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?)).ok()?,
        kind::AAAA => write!(into, "{}", Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?)).ok()?,
        kind::NS | kind::CNAME | kind::PTR | kind::DNAME => {
            name::read(message, record.data_at, into)?;
        }
        kind::SOA => {
            into.push_str("SOA ");
            let next = name::read(message, record.data_at, into)?;
            into.push(' ');
            let next = name::read(message, next, into)?;
            let serial: [u8; 4] = *message.get(next..)?.first_chunk()?;
            write!(into, " {}", u32::from_be_bytes(serial)).ok()?;
        }
        kind::MX => {
            write!(into, "MX {} ", word(0)?).ok()?;
            name::read(message, record.data_at + 2, into)?;
        }
        kind::SRV => {
            write!(into, "SRV {} {} {} ", word(0)?, word(2)?, word(4)?).ok()?;
            name::read(message, record.data_at + 6, into)?;
        }
        kind::SVCB | kind::HTTPS => {
            write!(into, "{} {} ", type_name(record.kind)?, word(0)?).ok()?;
            let after = name::read(message, record.data_at + 2, into)?;
            push_alpn(message.get(after..record.data_at + data.len())?, into);
        }
        kind::CAA => {
            let (&[flags, length], rest) = data.split_first_chunk()?;
            let (tag, value) = rest.split_at_checked(usize::from(length))?;
            let (tag, value) = (std::str::from_utf8(tag).ok()?, std::str::from_utf8(value).ok()?);
            if value.chars().chain(tag.chars()).any(char::is_control) {
                return None;
            }
            write!(into, "CAA {flags} {tag} {value}").ok()?;
        }
        kind::DS | kind::CDS => write!(
            into,
            "{} {} {} {}",
            type_name(record.kind)?,
            word(0)?,
            data.get(2)?,
            data.get(3)?
        )
        .ok()?,
        other => match type_name(other) {
            Some(name) => into.push_str(name),
            None => write!(into, "TYPE{other}").ok()?,
        },
    }
    Some(())
}

/// Application protocols of a service binding (RFC 9460 section 7.1).
fn push_alpn(mut parameters: &[u8], into: &mut String) {
    while let Some((&[k1, k2, l1, l2], rest)) = parameters.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([l1, l2]));
        let Some((mut value, rest)) = rest.split_at_checked(length) else { return };
        parameters = rest;
        if [k1, k2] != ALPN {
            continue;
        }
        let mut separator = " alpn=";
        while let Some((&length, rest)) = value.split_first() {
            let Some((protocol, rest)) = rest.split_at_checked(usize::from(length)) else { return };
            value = rest;
            if protocol.iter().all(u8::is_ascii_graphic) {
                into.push_str(separator);
                into.push_str(std::str::from_utf8(protocol).unwrap_or_default());
                separator = "+";
            }
        }
    }
}
