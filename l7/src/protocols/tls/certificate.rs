//! X.509 certificates (RFC 5280 section 4.1): subject, issuer and validity as attributes.

use std::fmt::Write as _;

use super::reader::Reader;
use fact::Attributes;

/// Attribute keys of a certificate.
#[derive(Debug)]
pub(super) struct Keys {
    subject: &'static str,
    issuer: &'static str,
    not_before: &'static str,
    not_after: &'static str,
}

pub(super) const SERVER: Keys = Keys {
    subject: "tls.server.subject",
    issuer: "tls.server.issuer",
    not_before: "tls.server.not_before",
    not_after: "tls.server.not_after",
};

pub(super) const CLIENT: Keys = Keys {
    subject: "tls.client.subject",
    issuer: "tls.client.issuer",
    not_before: "tls.client.not_before",
    not_after: "tls.client.not_after",
};

/// Tags of DER elements (X.680 section 8.4).
mod tag {
    pub(super) const UTC_TIME: u8 = 23;
    pub(super) const GENERALIZED_TIME: u8 = 24;
    /// The explicit version of a certificate.
    pub(super) const VERSION: u8 = 0xa0;
}

/// Longest name, in bytes.
const LONGEST: usize = 512;

/// Adds the attributes of the first certificate in a Certificate message of TLS 1.2 (RFC 5246
/// section 7.4.2). `body` is the message behind its header, possibly cut. None if it is no
/// certificate.
pub(super) fn push_certificate(body: &[u8], keys: &Keys, into: &mut Attributes) -> Option<()> {
    let mut message = Reader(body);
    message.u24()?;
    let length = message.u24()?;
    let (_, certificate) = element(&mut Reader(message.take(length)))?;
    let (_, fields) = element(&mut Reader(certificate))?;
    let mut fields = Reader(fields);
    if fields.0.first() == Some(&tag::VERSION) {
        element(&mut fields)?;
    }
    let (_serial, _algorithm) = (element(&mut fields)?, element(&mut fields)?);
    let issuer = element(&mut fields)?.1;
    let mut validity = Reader(element(&mut fields)?.1);
    let subject = element(&mut fields)?.1;
    into.push_text(keys.subject, &name(subject));
    into.push_text(keys.issuer, &name(issuer));
    for key in [keys.not_before, keys.not_after] {
        if let Some(time) = element(&mut validity).and_then(|(tag, text)| time(tag, text)) {
            into.push_text(key, &time);
        }
    }
    Some(())
}

/// Tag and contents of the next element (X.690 section 8.1). The contents may be cut.
fn element<'a>(reader: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let tag = reader.u8()?;
    let length = match reader.u8()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(reader.u8()?),
        0x82 => usize::from(reader.u16()?),
        0x83 => reader.u24()?,
        _ => return None,
    };
    Some((tag, reader.take(length)))
}

/// A distinguished name as RFC 4514 writes it: the last part first.
fn name(parts: &[u8]) -> String {
    let mut reader = Reader(parts);
    let mut text = String::new();
    while let Some((_, set)) = element(&mut reader) {
        let mut part = String::new();
        let mut set = Reader(set);
        while let Some((_, pair)) = element(&mut set) {
            let mut pair = Reader(pair);
            let (Some((_, kind)), Some((_, value))) = (element(&mut pair), element(&mut pair))
            else {
                break;
            };
            if !part.is_empty() {
                part.push('+');
            }
            push_kind(kind, &mut part);
            part.push('=');
            push_value(value, &mut part);
        }
        if part.len() + text.len() >= LONGEST {
            break;
        }
        if !text.is_empty() {
            part.push(',');
        }
        text.insert_str(0, &part);
    }
    text
}

fn push_kind(oid: &[u8], into: &mut String) {
    let synchronised = match oid {
        [0x55, 4, 3] => "CN",
        [0x55, 4, 5] => "serialNumber",
        [0x55, 4, 6] => "C",
        [0x55, 4, 7] => "L",
        [0x55, 4, 8] => "ST",
        [0x55, 4, 9] => "street",
        [0x55, 4, 10] => "O",
        [0x55, 4, 11] => "OU",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1] => "UID",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25] => "DC",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1] => "emailAddress",
        _ => "",
    };
    into.push_str(synchronised);
    if synchronised.is_empty() {
        push_oid(oid, into);
    }
}

fn push_oid(oid: &[u8], into: &mut String) {
    let (mut number, mut first) = (0u64, true);
    for &byte in oid.iter().take(32) {
        number = number.wrapping_shl(7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            let _ = match (first, number) {
                (true, n) => write!(into, "{}.{}", (n / 40).min(2), n - (n / 40).min(2) * 40),
                (false, n) => write!(into, ".{n}"),
            };
            (number, first) = (0, false);
        }
    }
}

fn push_value(value: &[u8], into: &mut String) {
    for c in String::from_utf8_lossy(value).chars().take(LONGEST) {
        if matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=') {
            into.push('\\');
        }
        if !c.is_control() {
            into.push(c);
        }
    }
}

/// UTCTime or GeneralizedTime (RFC 5280 section 4.1.2.5) in the form of RFC 3339.
fn time(tag: u8, digits: &[u8]) -> Option<String> {
    let digits = std::str::from_utf8(digits).ok()?.strip_suffix('Z')?;
    let all = match tag {
        tag::UTC_TIME if digits.starts_with(['0', '1', '2', '3', '4']) => format!("20{digits}"),
        tag::UTC_TIME => format!("19{digits}"),
        tag::GENERALIZED_TIME => digits.to_owned(),
        _ => return None,
    };
    if all.len() != 14 || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| all.get(from..to).unwrap_or_default();
    let (date, clock) =
        ([part(0, 4), part(4, 6), part(6, 8)], [part(8, 10), part(10, 12), part(12, 14)]);
    Some(format!("{}T{}Z", date.join("-"), clock.join(":")))
}
