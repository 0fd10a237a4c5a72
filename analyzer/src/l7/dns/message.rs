use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::name;

/// Length of the fixed header (RFC 1035 section 4.1.1).
pub(super) const HEADER: usize = 12;

/// The fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: u16,
    flags: u16,
    pub(super) questions: u16,
    pub(super) answers: u16,
    pub(super) authorities: u16,
    pub(super) additionals: u16,
}

impl Header {
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let head = message.first_chunk::<HEADER>()?;
        let word = |n: usize| u16::from_be_bytes([head[n * 2], head[n * 2 + 1]]);
        Some(Self {
            id: word(0),
            flags: word(1),
            questions: word(2),
            answers: word(3),
            authorities: word(4),
            additionals: word(5),
        })
    }

    pub(super) fn is_response(&self) -> bool {
        self.flags >> 15 == 1
    }

    pub(super) fn opcode(&self) -> u8 {
        (self.flags >> 11 & 15) as u8
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.flags >> 9 & 1 == 1
    }

    pub(super) fn rcode(&self) -> u8 {
        (self.flags & 15) as u8
    }
}

/// The first question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) kind: u16,
    pub(super) class: u16,
    /// Where what follows begins.
    pub(super) end: usize,
}

/// Reads the question at `at` and appends its name to `into`.
pub(super) fn question(message: &[u8], at: usize, into: &mut String) -> Option<Question> {
    let fixed = name::read(message, at, into)?;
    let &[a, b, c, d] = message.get(fixed..)?.first_chunk()?;
    Some(Question { kind: u16::from_be_bytes([a, b]), class: u16::from_be_bytes([c, d]), end: fixed + 4 })
}

/// Most answers that are written down.
const SHOWN: usize = 16;

/// Writes the addresses and aliases among `count` records from `at` on, separated by commas. Stops where the bytes do.
pub(super) fn answers(message: &[u8], at: usize, count: u16, into: &mut String) -> Option<()> {
    let start = into.len();
    let mut at = at;
    let mut shown = 0;
    for _ in 0..count {
        let fixed = name::skip(message, at)?;
        let head: &[u8; 10] = message.get(fixed..)?.first_chunk()?;
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[8], head[9]]));
        let data_at = fixed + head.len();
        let data = message.get(data_at..data_at + length)?;
        let before = into.len();
        if before > start {
            into.push(',');
        }
        let written = match (kind, data) {
            (1, data) if let Ok(four) = <[u8; 4]>::try_from(data) => {
                write!(into, "{}", Ipv4Addr::from(four)).is_ok()
            }
            (28, data) if let Ok(all) = <[u8; 16]>::try_from(data) => {
                write!(into, "{}", Ipv6Addr::from(all)).is_ok()
            }
            (2 | 5 | 12 | 39, _) => name::read(message, data_at, into).is_some(),
            _ => false,
        };
        if written {
            shown += 1;
            if shown == SHOWN {
                return Some(());
            }
        } else {
            into.truncate(before);
        }
        at = data_at + length;
    }
    Some(())
}
