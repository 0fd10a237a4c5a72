//! The PROXY protocol, versions 1 and 2 (haproxy.org, "The PROXY protocol", sections 2.1 and 2.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::step::{PreambleStep, key};
use fact::Attributes;

/// First bytes of version 1.
const TEXT: &[u8] = b"PROXY ";
/// Longest line of version 1, its end included.
const LONGEST_LINE: usize = 107;
/// First bytes of version 2.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Length of what comes before the addresses of version 2.
const HEADER: usize = 16;
/// Bytes behind the header of version 2 that are read: addresses (the longest are of two Unix
/// sockets, 216 bytes) and TLVs. What follows is skipped.
const READ: usize = 1024;
/// Type of the TLV that holds the host name that the client asked for.
const TLV_AUTHORITY: u8 = 2;
/// Longest host name that is kept.
const LONGEST_NAME: usize = 255;

/// Both ends of the connection as the proxy accepted it.
type Ends = [(IpAddr, u16); 2];

/// Reads the first bytes of a connection.
pub(super) fn read(bytes: &[u8], told: &mut Attributes) -> PreambleStep {
    let begins = |with: &[u8]| bytes.iter().zip(with).all(|(a, b)| a == b);
    if begins(TEXT) {
        read_text(bytes, told)
    } else if begins(SIGNATURE) {
        read_binary(bytes, told)
    } else {
        PreambleStep::None
    }
}

fn push(kind: &str, ends: Option<Ends>, told: &mut Attributes) {
    told.push_text(key::KIND, kind);
    if let Some([(client, client_port), (server, server_port)]) = ends {
        told.push_text(key::CLIENT_ADDRESS, &client.to_string());
        told.push_int(key::CLIENT_PORT, i64::from(client_port));
        told.push_text(key::SERVER_ADDRESS, &server.to_string());
        told.push_int(key::SERVER_PORT, i64::from(server_port));
    }
}

/// Version 1: a line with the family, both addresses, both ports.
fn read_text(bytes: &[u8], told: &mut Attributes) -> PreambleStep {
    let line = &bytes[..bytes.len().min(LONGEST_LINE)];
    let Some(end) = memchr::memchr(b'\n', line) else {
        let more = bytes.len() < LONGEST_LINE && bytes.iter().all(|b| b' ' <= *b || *b == b'\r');
        return if more { PreambleStep::Wait } else { PreambleStep::None };
    };
    let text = line[..end].strip_suffix(b"\r").and_then(|text| std::str::from_utf8(text).ok());
    let Some(text) = text.and_then(|text| text.strip_prefix("PROXY ")) else {
        return PreambleStep::None;
    };
    let mut words = text.split(' ');
    let ends = match words.next() {
        // The rest of the line is to be ignored.
        Some("UNKNOWN") => None,
        Some(family @ ("TCP4" | "TCP6")) => match ends_of_words(words, family == "TCP6") {
            Some(ends) => Some(ends),
            None => return PreambleStep::None,
        },
        _ => return PreambleStep::None,
    };
    push("proxy_v1", ends, told);
    PreambleStep::Consumed(end + 1)
}

fn ends_of_words<'a>(mut words: impl Iterator<Item = &'a str>, v6: bool) -> Option<Ends> {
    let mut address = || words.next()?.parse().ok().filter(|a: &IpAddr| a.is_ipv6() == v6);
    let [client, server] = [address()?, address()?];
    let mut port = || words.next()?.parse().ok();
    let ports: [u16; 2] = [port()?, port()?];
    words.next().is_none().then_some([(client, ports[0]), (server, ports[1])])
}

/// Version 2: a signature, version and command, family, length, addresses, TLVs.
fn read_binary(bytes: &[u8], told: &mut Attributes) -> PreambleStep {
    let Some(&[version_command, family, high, low]) =
        bytes.get(SIGNATURE.len()..).and_then(|rest| rest.first_chunk())
    else {
        return PreambleStep::Wait;
    };
    let is_local = match version_command {
        0x20 => true,
        0x21 => false,
        _ => return PreambleStep::None,
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let Some(body) = bytes.get(HEADER..HEADER + length.min(READ)) else {
        return PreambleStep::Wait;
    };
    // What a proxy asks of its own accord (a check of health) is nobody else's.
    let (ends, addresses) = if is_local { (None, 0) } else { ends_of_bytes(family, body) };
    push("proxy_v2", ends, told);
    if !is_local && let Some(name) = authority(body.get(addresses..).unwrap_or_default()) {
        told.push_bytes("tls.client.server_name", name);
    }
    let consumed = HEADER + body.len();
    match (length - body.len()) as u64 {
        0 => PreambleStep::Consumed(consumed),
        skip => PreambleStep::Skip { consumed, skip },
    }
}

/// Both ends, where the family is IPv4 or IPv6, and how long the addresses are.
fn ends_of_bytes(family: u8, body: &[u8]) -> (Option<Ends>, usize) {
    let port = |at: usize| {
        body.get(at..).and_then(|rest| rest.first_chunk()).map(|port| u16::from_be_bytes(*port))
    };
    let v4 = |at: usize| {
        body.get(at..)?.first_chunk::<4>().map(|address| IpAddr::V4(Ipv4Addr::from(*address)))
    };
    let v6 = |at: usize| {
        body.get(at..)?.first_chunk::<16>().map(|address| IpAddr::V6(Ipv6Addr::from(*address)))
    };
    let ends = |addresses: [Option<IpAddr>; 2], ports: [Option<u16>; 2]| {
        Some([(addresses[0]?, ports[0]?), (addresses[1]?, ports[1]?)])
    };
    match family >> 4 {
        1 => (ends([v4(0), v4(4)], [port(8), port(10)]), 12),
        2 => (ends([v6(0), v6(16)], [port(32), port(34)]), 36),
        // Unix sockets.
        3 => (None, 216),
        _ => (None, body.len()),
    }
}

/// The host name that the client asked for, among the TLVs.
fn authority(mut tlvs: &[u8]) -> Option<&[u8]> {
    while let [kind, high, low, rest @ ..] = tlvs {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let value = rest.get(..length)?;
        if *kind == TLV_AUTHORITY {
            return Some(&value[..length.min(LONGEST_NAME)]);
        }
        tlvs = &rest[length..];
    }
    None
}
