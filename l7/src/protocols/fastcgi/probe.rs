//! Recognises FastCGI by the first bytes of a connection.

use wire::Direction;

use super::record::{BEGIN_REQUEST, GET_VALUES, HEADER, Record};
use crate::contract::Probe;

/// Whether bytes begin with a record. The beginning of a request is believed anywhere, others on
/// the usual port.
pub(super) fn probe(bytes: &[u8], direction: Direction, usual: bool) -> Probe {
    let to_server = direction == Direction::ToServer;
    let possible = match bytes {
        [1, kind, ..] if !usual => to_server && *kind == BEGIN_REQUEST,
        [1, kind, ..] if to_server => matches!(kind, 1..=2 | 4..=5 | 8..=9),
        [1, kind, ..] => matches!(kind, 3 | 6..=7 | 10..=11),
        [1] => usual || to_server,
        _ => false,
    };
    if !possible || bytes.get(7).is_some_and(|reserved| *reserved != 0) {
        return Probe::No;
    }
    if bytes.len() < HEADER {
        return Probe::More;
    }
    let Some(record) = Record::read(bytes).filter(|r| r.is_to_server() == to_server) else {
        return Probe::No;
    };
    match record.kind {
        BEGIN_REQUEST => begins(&bytes[HEADER..]),
        GET_VALUES if record.content > 1024 => Probe::No,
        _ => Probe::Yes,
    }
}

/// Role, flags and five bytes of nothing.
fn begins(body: &[u8]) -> Probe {
    let form: [fn(u8) -> bool; 8] = [
        |b| b == 0,
        |b| (1..=3).contains(&b),
        |b| b <= 1,
        |b| b == 0,
        |b| b == 0,
        |b| b == 0,
        |b| b == 0,
        |b| b == 0,
    ];
    if !body.iter().zip(form).all(|(byte, fits)| fits(*byte)) {
        return Probe::No;
    }
    if body.len() < 8 { Probe::More } else { Probe::Yes }
}
