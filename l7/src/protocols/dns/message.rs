//! Header, questions and records of a message (RFC 1035 section 4.1).

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

    /// Whether the bit is set that has to be zero (RFC 1035 section 4.1.1, RFC 2535 section 6.1).
    pub(super) fn has_reserved_bit(&self) -> bool {
        self.flags >> 6 & 1 == 1
    }

    /// The lower four bits of the response code. EDNS has the others.
    pub(super) fn rcode(&self) -> u8 {
        (self.flags & 15) as u8
    }

    /// Names of the flags that are set, in dig's notation (RFC 1035 section 4.1.1, RFC 4035 section
    /// 3).
    pub(super) fn flags(&self) -> impl Iterator<Item = &'static str> {
        const FLAGS: [(u16, &str); 6] =
            [(10, "aa"), (9, "tc"), (8, "rd"), (7, "ra"), (5, "ad"), (4, "cd")];
        let flags = self.flags;
        FLAGS.into_iter().filter(move |(bit, _)| flags >> bit & 1 == 1).map(|(_, name)| name)
    }
}

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) kind: u16,
    pub(super) class: u16,
    /// End of the question.
    pub(super) end: usize,
}

/// Reads the question at `at` and appends its name to `into`.
pub(super) fn question(message: &[u8], at: usize, into: &mut String) -> Option<Question> {
    let fixed = name::read(message, at, into)?;
    let &[a, b, c, d] = message.get(fixed..)?.first_chunk()?;
    Some(Question {
        kind: u16::from_be_bytes([a, b]),
        class: u16::from_be_bytes([c, d]),
        end: fixed + 4,
    })
}

/// The section of a message that a record is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Answer,
    Authority,
    Additional,
}

/// A resource record (RFC 1035 section 4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) section: Section,
    /// Position of its name.
    pub(super) name: usize,
    pub(super) kind: u16,
    pub(super) class: u16,
    pub(super) ttl: u32,
    pub(super) data: &'a [u8],
    /// Position of its data, for names in it.
    pub(super) data_at: usize,
}

/// The records of a message, as far as they are there.
pub(super) struct Records<'a> {
    message: &'a [u8],
    at: usize,
    left: [u16; 3],
}

impl<'a> Records<'a> {
    /// The records of a message whose questions end at `at`.
    pub(super) fn new(message: &'a [u8], header: &Header, at: usize) -> Self {
        Self { message, at, left: [header.answers, header.authorities, header.additionals] }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        const SECTIONS: [Section; 3] = [Section::Answer, Section::Authority, Section::Additional];
        let (section, left) =
            SECTIONS.into_iter().zip(&mut self.left).find(|(_, left)| **left > 0)?;
        *left -= 1;
        let name = self.at;
        let fixed = name::skip(self.message, name)?;
        let head: &[u8; 10] = self.message.get(fixed..)?.first_chunk()?;
        let word = |n: usize| u16::from_be_bytes([head[n], head[n + 1]]);
        let data_at = fixed + head.len();
        let end = data_at + usize::from(word(8));
        let data = self.message.get(data_at..end)?;
        self.at = end;
        let ttl = u32::from(word(4)) << 16 | u32::from(word(6));
        Some(Record { section, name, kind: word(0), class: word(2), ttl, data, data_at })
    }
}
