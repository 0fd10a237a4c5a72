//! Recognises records (FastCGI Specification sections 3.3 and 5.1).

use wire::Direction;

use super::record::{
    ABORT_REQUEST, BEGIN_REQUEST, DATA, END_REQUEST, GET_VALUES, GET_VALUES_RESULT, HEADER, PARAMS,
    Record, STDERR, STDIN, STDOUT, UNKNOWN_TYPE, VERSION,
};
use crate::contract::{Clue, Probe};

/// Whether bytes of a connection begin with a record. At the start of one a request begins, or the
/// server is asked what it can do.
pub(super) fn of_connection(bytes: &[u8], direction: Direction, clue: &Clue) -> Probe {
    match bytes.get(1) {
        Some(&kind)
            if clue.at_start
                && direction == Direction::ToServer
                && !matches!(kind, BEGIN_REQUEST | GET_VALUES) =>
        {
            Probe::No
        }
        _ => probe(bytes, direction, clue.usual),
    }
}

/// Whether bytes begin with a record: BEGIN_REQUEST on any port, others on the usual port.
pub(super) fn probe(bytes: &[u8], direction: Direction, usual: bool) -> Probe {
    let to_server = direction == Direction::ToServer;
    let possible = match bytes {
        [VERSION, kind, ..] if !usual => to_server && *kind == BEGIN_REQUEST,
        [VERSION, kind, ..] if to_server => {
            matches!(*kind, BEGIN_REQUEST | ABORT_REQUEST | PARAMS | STDIN | DATA | GET_VALUES)
        }
        [VERSION, kind, ..] => {
            matches!(*kind, END_REQUEST | STDOUT | STDERR | GET_VALUES_RESULT | UNKNOWN_TYPE)
        }
        [VERSION] => usual || to_server,
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

/// Body of BEGIN_REQUEST: role, flags and five reserved bytes.
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
