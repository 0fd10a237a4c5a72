//! Recognises hellos, and records in the middle of a connection (RFC 8446 section 5.1).

use wire::Direction;

use super::record::{
    ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEADER, Record, RecordHeader, head,
    sslv2_hello,
};
use crate::contract::{Clue, Probe};

/// Whether bytes are TLS: a hello from the side that sends one, or records in the middle of a
/// connection.
pub(super) fn probe(bytes: &[u8], direction: Direction, clue: &Clue) -> Probe {
    match head(bytes) {
        RecordHeader::Record(record) => probe_record(record, bytes, direction, clue),
        RecordHeader::Short(_) => Probe::More,
        RecordHeader::Invalid if direction == Direction::ToServer => match sslv2_hello(bytes) {
            Some(hello) if hello.length > 0 => Probe::Yes,
            Some(_) => Probe::More,
            None => Probe::No,
        },
        RecordHeader::Invalid => Probe::No,
    }
}

fn probe_record(record: Record, bytes: &[u8], direction: Direction, clue: &Clue) -> Probe {
    let body = bytes.get(HEADER..).unwrap_or_default();
    match (record.kind, body) {
        (HANDSHAKE, [kind, high, rest @ ..]) if matches!(kind, 1 | 2) => {
            let from = if *kind == 1 { Direction::ToServer } else { Direction::ToClient };
            let version = match rest {
                [_, _, 3, minor, ..] => *minor <= 4,
                [_, _, 3] | [_, _] | [_] | [] => return Probe::More,
                _ => false,
            };
            if from == direction && *high == 0 && version { Probe::Yes } else { Probe::No }
        }
        (HANDSHAKE, []) | (HANDSHAKE, [1 | 2]) => Probe::More,
        (CHANGE_CIPHER_SPEC, [1, ..]) if record.length == 1 => Probe::Yes,
        (CHANGE_CIPHER_SPEC, []) if record.length == 1 => Probe::More,
        (ALERT, [1 | 2, _, ..]) if record.length == 2 => Probe::Yes,
        (ALERT, [] | [1 | 2]) if record.length == 2 => Probe::More,
        // A hello comes first.
        (HANDSHAKE | APPLICATION_DATA, _) if clue.at_start => Probe::No,
        (ALERT | HANDSHAKE | APPLICATION_DATA, _) => {
            if clue.usual && record.length >= 16 {
                return Probe::Yes;
            }
            // On other than the usual ports a second record has to follow the first.
            match bytes.get(HEADER + record.length..).map(head) {
                None | Some(RecordHeader::Short(_)) => Probe::More,
                Some(RecordHeader::Record(_)) => Probe::Yes,
                Some(RecordHeader::Invalid) => Probe::No,
            }
        }
        _ => Probe::No,
    }
}
