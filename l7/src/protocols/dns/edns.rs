//! EDNS: the OPT record and its options (RFC 6891).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::codes::extended_error;
use super::message::Record;
use fact::Attributes;

/// Type of the record that EDNS stands in (RFC 6891 section 6.1).
pub(super) const OPT: u16 = 41;
/// Longest text that is taken over.
const LONGEST: usize = 256;

/// The upper eight bits of the response code.
pub(super) fn rcode(record: &Record<'_>) -> u16 {
    (record.ttl >> 24) as u16
}

/// Says what a client asks for with EDNS.
pub(super) fn asked(record: &Record<'_>, into: &mut Attributes) {
    into.push_int("dns.edns.udp_size", i64::from(record.class));
    let version = record.ttl >> 16 & 0xff;
    if version > 0 {
        into.push_int("dns.edns.version", i64::from(version));
    }
    if record.ttl & 0x8000 != 0 {
        into.push_bool("dns.edns.dnssec_ok", true);
    }
    for (code, data) in options(record.data) {
        match code {
            8 => {
                if let Some(subnet) = subnet(data) {
                    into.push_text("dns.edns.client_subnet", &subnet);
                }
            }
            10 => into.push_bool("dns.edns.cookie", true),
            12 => into.push_int("dns.edns.padding", data.len() as i64),
            _ => {}
        }
    }
}

/// Says what a server answers with EDNS.
pub(super) fn answered(record: &Record<'_>, into: &mut Attributes) {
    for (code, data) in options(record.data) {
        // RFC 8914 section 2.
        if code == 15
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

/// RFC 7871 section 6.
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
