//! Recognises the start of a connection, and commands in the middle of one.

use wire::Direction;

use super::commands::{command, fits};
use super::compression::CompressedHeader;
use super::handshake::Login;
use super::parser::is_greeting;
use super::values::packet;
use crate::contract::{Clue, Probe};

/// Whether bytes are the beginning of a connection, or, in the middle of one, a command.
pub(super) fn probe(head: &[u8], direction: Direction, clue: &Clue) -> Probe {
    let Some((first, payload)) = head.split_first_chunk() else {
        let possible = match (direction, head) {
            (Direction::ToClient, [_, rest @ ..]) => rest.iter().all(|b| *b == 0),
            (_, [_, 0, 0]) | (_, [_] | [_, 0]) => clue.usual,
            _ => false,
        };
        return if possible { Probe::More } else { Probe::No };
    };
    let (length, sequence) = packet(first);
    match direction {
        Direction::ToClient => greeting(length, sequence, payload, clue),
        Direction::ToServer if sequence == 1 => on_login(length, payload, clue),
        // The server begins.
        Direction::ToServer if clue.at_start => Probe::No,
        Direction::ToServer => request(head, length, sequence, payload, clue),
    }
}

fn greeting(length: usize, sequence: u8, payload: &[u8], clue: &Clue) -> Probe {
    if sequence != 0 || !(8..=400).contains(&length) || payload.len() > length {
        return Probe::No;
    }
    match payload {
        [] => Probe::More,
        [10] | [9] => Probe::More,
        [9 | 10, digit, ..] if digit.is_ascii_digit() => {
            let version = payload.iter().skip(1).take_while(|b| (b' '..0x7f).contains(*b)).count();
            match payload.get(1 + version) {
                Some(0) if is_greeting(payload) => Probe::Yes,
                None if version < 255 => Probe::More,
                _ => Probe::No,
            }
        }
        [0xff, rest @ ..] if clue.usual => match rest {
            [] | [_] => Probe::More,
            [_, 3 | 4, text @ ..] if text.iter().all(|b| *b >= b' ') => Probe::Yes,
            _ => Probe::No,
        },
        _ => Probe::No,
    }
}

/// The client's login, if the greeting was not seen.
fn on_login(length: usize, payload: &[u8], clue: &Clue) -> Probe {
    if !clue.usual || !(32..=4096).contains(&length) {
        return Probe::No;
    }
    let Some(fixed) = payload.get(..32) else { return Probe::More };
    let empty = fixed.get(9..28).is_some_and(|filler| filler.iter().all(|b| *b == 0));
    if empty && Login::read(fixed, 32).is_some() && fixed.get(1).is_some_and(|b| b & 2 != 0) {
        Probe::Yes
    } else {
        Probe::No
    }
}

/// A command, compressed or not.
fn request(head: &[u8], length: usize, sequence: u8, payload: &[u8], clue: &Clue) -> Probe {
    if sequence != 0 || length == 0 {
        return Probe::No;
    }
    let Some((code, body)) = payload.split_first() else {
        return if clue.usual { Probe::More } else { Probe::No };
    };
    let frame = head.split_first_chunk().map(|(first, body)| (CompressedHeader::read(first), body));
    if let Some((frame, body)) = frame
        && frame.is_likely(body, fits)
    {
        return if clue.usual { Probe::Yes } else { Probe::No };
    }
    if !fits(*code, length) || payload.len() > length && !starts_a_command(payload.get(length..)) {
        return Probe::No;
    }
    let text = match *code {
        command::QUERY | command::STMT_PREPARE => match body {
            [0, 1, text @ ..] => text,
            text => text,
        },
        command::INIT_DB | command::CREATE_DB | command::DROP_DB
            if body.iter().take(length - 1).any(|b| *b < b' ') =>
        {
            return Probe::No;
        }
        _ => return if clue.usual { Probe::Yes } else { Probe::No },
    };
    let readable = text.iter().take(64).all(|b| *b >= b' ' || matches!(b, b'\t' | b'\r' | b'\n'));
    if !readable || text.is_empty() && length > 2 {
        return if text.is_empty() && clue.usual { Probe::More } else { Probe::No };
    }
    if clue.usual || is_statement(text) && payload.len() == length { Probe::Yes } else { Probe::No }
}

fn starts_a_command(rest: Option<&[u8]>) -> bool {
    match rest.and_then(|rest| rest.split_first_chunk()) {
        Some((first, [code, ..])) => {
            let (length, sequence) = packet(first);
            sequence == 0 && fits(*code, length)
        }
        Some(_) | None => true,
    }
}

/// Whether a text begins like a statement of SQL.
fn is_statement(text: &[u8]) -> bool {
    const VERBS: [&[u8]; 12] = [
        b"SELECT ",
        b"INSERT ",
        b"UPDATE ",
        b"DELETE ",
        b"REPLACE ",
        b"CREATE ",
        b"ALTER ",
        b"DROP ",
        b"SHOW ",
        b"SET ",
        b"BEGIN",
        b"COMMIT",
    ];
    VERBS.iter().any(|verb| text.get(..verb.len()).is_some_and(|t| t.eq_ignore_ascii_case(verb)))
}
