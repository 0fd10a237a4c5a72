use wire::Transport;

use super::codes::type_name;
use super::message::{HEADER, Header, question};
use crate::l7::protocol::{Clue, Probe};

/// Whether bytes are a message; on the usual ports the header alone is enough.
pub(super) fn probe(head: &[u8], clue: &Clue) -> Probe {
    let usual = [clue.client_port, clue.server_port].iter().any(|p| matches!(p, 53 | 5353 | 5355));
    // NetBIOS's name service has the same header, and other names.
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
            _ => return if usual { Probe::More } else { Probe::No },
        },
    };
    let Some(header) = Header::read(message) else {
        return if clue.transport == Transport::Tcp && usual { Probe::More } else { Probe::No };
    };
    if !plausible(&header) {
        return Probe::No;
    }
    // Over TCP more comes first that only looks like it; what has no question answers one, or is of RFC 8490.
    let asked =
        header.questions == 1 || header.questions == 0 && (header.is_response() || header.opcode() == 6);
    if usual && clue.transport == Transport::Tcp && header.questions == 1 {
        return asks(message, head.len() - 2);
    }
    let usual = usual && (clue.transport == Transport::Udp || asked);
    if usual || strictly(message, &header, clue.transport) { Probe::Yes } else { Probe::No }
}

/// Whether the one question of a message over TCP is one, of which `shown` bytes of the stream are there: a header alone could be any
/// bytes in the middle of a connection.
fn asks(message: &[u8], shown: usize) -> Probe {
    /// Header, the longest name, type and class.
    const LONGEST: usize = HEADER + 255 + 4;
    match question(message, HEADER, &mut String::new()) {
        // Multicast DNS uses the highest bit.
        Some(first) if matches!(first.class & 0x7fff, 1 | 3 | 4 | 254 | 255) => Probe::Yes,
        None if message.len() == shown && shown < LONGEST => Probe::More,
        _ => Probe::No,
    }
}

fn plausible(header: &Header) -> bool {
    matches!(header.opcode(), 0..=6) && (header.questions <= 64 || header.is_response())
}

/// Without the port's help: one well-known question, no records that do not belong there, nothing behind it.
fn strictly(message: &[u8], header: &Header, transport: Transport) -> bool {
    let sections = if header.is_response() {
        header.answers < 256 && header.authorities < 256
    } else {
        header.answers == 0 && header.authorities == 0 && header.rcode() == 0
    };
    if header.opcode() != 0 || header.questions != 1 || header.additionals > 64 || !sections {
        return false;
    }
    let Some(first) = question(message, HEADER, &mut String::new()) else { return false };
    let records = header.answers + header.authorities + header.additionals;
    let end_fits = records > 0 || first.end == message.len() || transport == Transport::Tcp;
    type_name(first.kind).is_some() && matches!(first.class, 1 | 3 | 4 | 255) && end_fits
}
