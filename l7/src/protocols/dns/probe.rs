//! Recognises messages by their header and question.

use wire::Transport;

use super::codes::type_name;
use super::message::{HEADER, Header, question};
use super::name;
use crate::contract::{Clue, Probe};

/// Whether bytes are a message. On the usual ports the header alone is enough.
pub(super) fn probe(head: &[u8], clue: &Clue) -> Probe {
    let usual = [clue.client_port, clue.server_port].iter().any(|p| matches!(p, 53 | 5353 | 5355));
    // NetBIOS's name service has the same header and other names.
    if [clue.client_port, clue.server_port].contains(&137) {
        return Probe::No;
    }
    let message = match clue.transport {
        Transport::Udp => head,
        Transport::Tcp => match head {
            [a, b, rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([*a, *b]));
                if length < HEADER {
                    return Probe::No;
                }
                &rest[..length.min(rest.len())]
            }
            _ => return if usual || may_begin(head) { Probe::More } else { Probe::No },
        },
    };
    let Some(header) = Header::read(message) else {
        let more = clue.transport == Transport::Tcp && (usual || may_begin(head));
        return if more { Probe::More } else { Probe::No };
    };
    if !is_plausible(&header) {
        return Probe::No;
    }
    // Over TCP other bytes look like a header. A message without a question is a response, or of
    // RFC 8490.
    let asked = header.questions == 1
        || header.questions == 0 && (header.is_response() || header.opcode() == 6);
    if usual && clue.transport == Transport::Tcp && header.questions == 1 {
        return has_question(message, head.len() - 2);
    }
    if usual && clue.transport == Transport::Udp {
        return datagram(message, &header, clue);
    }
    if usual && asked {
        return Probe::Yes;
    }
    let shown = if clue.transport == Transport::Tcp { head.len() - 2 } else { LONGEST };
    probe_unusual_port(message, &header, clue.transport, shown)
}

/// Whether a datagram on a usual port is a message: the first entry behind the header has a class
/// that there is, as far as it was captured. Services of all kinds hide on these ports.
fn datagram(message: &[u8], header: &Header, clue: &Clue) -> Probe {
    let multicast = [clue.client_port, clue.server_port].contains(&5353);
    let most = if multicast { 64 } else { 1 };
    let records = [header.answers, header.authorities, header.additionals];
    let fits = match header.questions {
        // An error about a message that could not be read. Multicast answers repeat no question,
        // and a question may be in the message before.
        0 if header.is_response() && records == [0; 3] => return yes_if(message.len() == HEADER),
        0 => multicast && header.opcode() == 0 && header.rcode() == 0 && header.answers > 0,
        questions => questions <= most,
    };
    if !fits || header.has_reserved_bit() {
        return Probe::No;
    }
    match question(message, HEADER, &mut String::new()) {
        Some(first) => yes_if(matches!(first.class & 0x7fff, 1 | 3 | 4 | 254 | 255)),
        None => {
            let alone = header.questions == 1 || header.is_response();
            // Such small numbers are no chance: a message whose name is wrong, as in an attack.
            let certain = header.questions == 1
                && header.opcode() == 0
                && header.answers < 256
                && header.authorities < 16
                && header.additionals < 16;
            let cut_off = message.len() > HEADER && name::is_cut_off(message, HEADER);
            yes_if(certain || alone && cut_off)
        }
    }
}

fn yes_if(holds: bool) -> Probe {
    if holds { Probe::Yes } else { Probe::No }
}

/// A header and a question with the longest name.
const LONGEST: usize = HEADER + 255 + 4;

/// Whether the first bytes of a stream, fewer than a header, may be those of a message with one
/// question. Some clients send its length separately.
fn may_begin(head: &[u8]) -> bool {
    head.iter().enumerate().all(|(at, &byte)| match at {
        0 => byte < 16,
        4 => byte & 0x78 == 0,
        6 => byte == 0,
        7 => byte == 1,
        _ => true,
    })
}

/// Whether a message over TCP has one question. `shown` bytes of the stream are there. A header
/// alone could be any bytes in the middle of a connection.
fn has_question(message: &[u8], shown: usize) -> Probe {
    match question(message, HEADER, &mut String::new()) {
        // Multicast DNS uses the highest bit.
        Some(first) if matches!(first.class & 0x7fff, 1 | 3 | 4 | 254 | 255) => Probe::Yes,
        None if message.len() == shown && shown < LONGEST => Probe::More,
        _ => Probe::No,
    }
}

fn is_plausible(header: &Header) -> bool {
    matches!(header.opcode(), 0..=6) && (header.questions <= 64 || header.is_response())
}

/// Whether bytes are a message, on other than the usual ports: one question of a known type, no
/// records that do not belong there, nothing behind it.
fn probe_unusual_port(
    message: &[u8],
    header: &Header,
    transport: Transport,
    shown: usize,
) -> Probe {
    let sections = if header.is_response() {
        header.answers < 256 && header.authorities < 256
    } else {
        header.answers == 0 && header.authorities == 0 && header.rcode() == 0
    };
    if header.opcode() != 0 || header.questions != 1 || header.additionals > 64 || !sections {
        return Probe::No;
    }
    let Some(first) = question(message, HEADER, &mut String::new()) else {
        return if message.len() == shown && shown < LONGEST { Probe::More } else { Probe::No };
    };
    let records = header.answers + header.authorities + header.additionals;
    let end_fits = records > 0 || first.end == message.len() || transport == Transport::Tcp;
    let known = type_name(first.kind).is_some() && matches!(first.class, 1 | 3 | 4 | 255);
    if known && end_fits { Probe::Yes } else { Probe::No }
}
