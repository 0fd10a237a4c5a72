//! EDNS: the OPT record and its options (RFC 6891).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::codes::extended_error;
use super::message::Record;
use fact::Attributes;

/// Longest text of an extended error, in bytes.
const LONGEST: usize = 256;

/// Flag in the record's TTL field (RFC 6891 section 6.1.4).
const DNSSEC_OK: u32 = 0x8000;

/// Option codes (IANA "DNS EDNS0 Option Codes").
mod option {
    /// RFC 7871.
    pub(super) const CLIENT_SUBNET: u16 = 8;
    /// RFC 7873.
    pub(super) const COOKIE: u16 = 10;
    /// RFC 7830.
    pub(super) const PADDING: u16 = 12;
    /// RFC 8914.
    pub(super) const EXTENDED_ERROR: u16 = 15;
}

/// The upper eight bits of the response code.
pub(super) fn rcode(record: &Record<'_>) -> u16 {
    (record.ttl >> 24) as u16
}

/// Adds the EDNS fields of a request.
pub(super) fn push_request(record: &Record<'_>, into: &mut Attributes) {
    into.push_int("dns.edns.udp_size", i64::from(record.class));
    let version = record.ttl >> 16 & 0xff;
    if version > 0 {
        into.push_int("dns.edns.version", i64::from(version));
    }
    if record.ttl & DNSSEC_OK != 0 {
        into.push_bool("dns.edns.dnssec_ok", true);
    }
    for (code, data) in options(record.data) {
        match code {
            option::CLIENT_SUBNET => {
                if let Some(subnet) = subnet(data) {
                    into.push_text("dns.edns.client_subnet", &subnet);
                }
            }
            option::COOKIE => into.push_bool("dns.edns.cookie", true),
            option::PADDING => into.push_int("dns.edns.padding", data.len() as i64),
            _ => {}
        }
    }
}

/// Adds the EDNS fields of a response.
pub(super) fn push_response(record: &Record<'_>, into: &mut Attributes) {
    for (code, data) in options(record.data) {
        if code == option::EXTENDED_ERROR
            && let Some((&[high, low], text)) = data.split_first_chunk()
        {
            let code = u16::from_be_bytes([high, low]);
            into.push_int("dns.extended_error.code", i64::from(code));
            if let Some(name) = extended_error(code) {
                into.push_text("dns.extended_error.name", name);
            }
            if !text.is_empty() {
                into.push_bytes("dns.extended_error.text", &text[..text.len().min(LONGEST)]);
            }
            return;
        }
    }
}

fn options(mut data: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (&[c1, c2, l1, l2], rest) = data.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l1, l2])))?;
        data = rest;
        Some((u16::from_be_bytes([c1, c2]), value))
    })
}

/// Address and prefix length of the client subnet option (RFC 7871 section 6).
fn subnet(data: &[u8]) -> Option<String> {
    let (&[_, family, source, _], address) = data.split_first_chunk()?;
    let mut bytes = [0; 16];
    bytes.get_mut(..address.len())?.copy_from_slice(address);
    match family {
        1 => Some(format!("{}/{source}", Ipv4Addr::from(*bytes.first_chunk::<4>()?))),
        2 => Some(format!("{}/{source}", Ipv6Addr::from(bytes))),
        _ => None,
    }
}
