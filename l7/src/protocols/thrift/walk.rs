//! Reads over the values of a message to find its end, and the fields that tell its outcome.

use super::header::Encoding;
use super::varint;

/// Types of values in the binary protocol.
mod binary_type {
    pub(super) const BOOL: u8 = 2;
    pub(super) const I8: u8 = 3;
    pub(super) const DOUBLE: u8 = 4;
    pub(super) const I16: u8 = 6;
    pub(super) const I32: u8 = 8;
    pub(super) const I64: u8 = 10;
    pub(super) const STRING: u8 = 11;
    pub(super) const STRUCT: u8 = 12;
    pub(super) const MAP: u8 = 13;
    pub(super) const SET: u8 = 14;
    pub(super) const LIST: u8 = 15;
    pub(super) const UUID: u8 = 16;
}

/// Types of values in the compact protocol.
mod compact_type {
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const I8: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const MAP: u8 = 11;
    pub(super) const STRUCT: u8 = 12;
    pub(super) const UUID: u8 = 13;
}

/// Deepest nesting of containers.
const DEPTH: usize = 64;

/// A position in the values of a message. Only they tell its end.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    encoding: Encoding,
    stack: Vec<Container>,
    /// Number of the last field of the outermost struct, and of its first (none before that).
    field: i64,
    first_field: Option<i64>,
    /// Value of field 2 of the outermost struct, if it is a number.
    second_field: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
enum Container {
    /// Number of its last field.
    Struct(i64),
    List {
        of: u8,
        left: u64,
    },
    Map {
        key: u8,
        value: u8,
        left: u64,
        at_value: bool,
    },
}

/// Result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WalkStep {
    /// So many bytes; possibly more than were shown.
    Over(u64),
    /// So many more bytes are needed.
    More(usize),
    /// The message is over.
    End,
    /// The bytes are no values.
    Malformed,
}

impl Walk {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            stack: vec![Container::Struct(0)],
            field: 0,
            first_field: None,
            second_field: None,
        }
    }

    /// Whether the end was reached.
    pub(super) fn is_over(&self) -> bool {
        self.stack.is_empty()
    }

    /// Number of the first field of the outermost struct. None if it has none, or was not reached.
    pub(super) fn first_field(&self) -> Option<i64> {
        self.first_field
    }

    /// Value of field 2 of the outermost struct.
    pub(super) fn second_field(&self) -> Option<i64> {
        self.second_field
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.stack.capacity() * size_of::<Container>()
    }

    /// The next value or field.
    pub(super) fn step(&mut self, bytes: &[u8]) -> WalkStep {
        let outermost = self.stack.len() == 1;
        let Some(top) = self.stack.last_mut() else { return WalkStep::End };
        let kind = match top {
            Container::Struct(last) => {
                let field = match self.encoding {
                    Encoding::Binary => binary_field(bytes),
                    Encoding::Compact => compact_field(bytes, *last),
                };
                let (kind, number, used) = match field {
                    Field::Is(kind, number, used) => (kind, number, used),
                    Field::Stop => {
                        self.stack.pop();
                        return WalkStep::Over(1);
                    }
                    Field::More(more) => return WalkStep::More(more),
                    Field::Malformed => return WalkStep::Malformed,
                };
                let before = (std::mem::replace(last, number), self.field);
                if outermost {
                    self.field = number;
                }
                let depth = self.stack.len();
                let step = self.value(kind, bytes, used, true);
                if !matches!(step, WalkStep::Over(_)) {
                    // The field is read again when more bytes are there.
                    self.field = before.1;
                    if let Some(Container::Struct(last)) = self.stack.get_mut(depth - 1) {
                        *last = before.0;
                    }
                } else if outermost {
                    self.first_field.get_or_insert(number);
                }
                return step;
            }
            Container::List { left: 0, .. } | Container::Map { left: 0, .. } => {
                self.stack.pop();
                return WalkStep::Over(0);
            }
            Container::List { of, left } => {
                if let Some(size) = fixed_size(self.encoding, *of) {
                    let all = left.saturating_mul(size);
                    *left = 0;
                    return WalkStep::Over(all);
                }
                *of
            }
            Container::Map { key, value, at_value, .. } => {
                if *at_value {
                    *value
                } else {
                    *key
                }
            }
        };
        let depth = self.stack.len();
        let step = self.value(kind, bytes, 0, false);
        if matches!(step, WalkStep::Over(_)) {
            match self.stack.get_mut(depth - 1) {
                Some(Container::List { left, .. }) => *left -= 1,
                Some(Container::Map { left, at_value, .. }) => {
                    *left -= u64::from(*at_value);
                    *at_value = !*at_value;
                }
                _ => {}
            }
        }
        step
    }

    /// A value `used` bytes behind the beginning. `in_field`: in the compact protocol the type of a
    /// field holds truth values.
    fn value(&mut self, kind: u8, bytes: &[u8], used: usize, in_field: bool) -> WalkStep {
        let rest = bytes.get(used..).unwrap_or_default();
        let step = match self.encoding {
            Encoding::Binary => self.binary(kind, rest),
            Encoding::Compact
                if in_field && matches!(kind, compact_type::TRUE | compact_type::FALSE) =>
            {
                WalkStep::Over(0)
            }
            Encoding::Compact => self.compact(kind, rest),
        };
        match step {
            WalkStep::Over(length) => WalkStep::Over(length + used as u64),
            other => other,
        }
    }

    fn binary(&mut self, kind: u8, rest: &[u8]) -> WalkStep {
        if let Some(size) = fixed_size(Encoding::Binary, kind) {
            if kind == binary_type::I32 && self.field == 2 && self.stack.len() == 1 {
                let Some(&number) = rest.first_chunk() else {
                    return WalkStep::More(4 - rest.len());
                };
                self.second_field = Some(i64::from(i32::from_be_bytes(number)));
            }
            return WalkStep::Over(size);
        }
        let needed = match kind {
            binary_type::STRING => 4,
            binary_type::STRUCT => 0,
            binary_type::MAP => 6,
            binary_type::SET | binary_type::LIST => 5,
            _ => return WalkStep::Malformed,
        };
        let Some(header) = rest.get(..needed) else { return WalkStep::More(needed - rest.len()) };
        let count = |bytes: &[u8]| bytes.iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
        match (kind, header) {
            (binary_type::STRING, length) => match count(length) {
                length @ 0..=0x7fff_ffff => WalkStep::Over(4 + length),
                _ => WalkStep::Malformed,
            },
            (binary_type::STRUCT, _) => self.push(Container::Struct(0), 0),
            (binary_type::MAP, &[key, value, ref left @ ..]) => {
                self.push(Container::Map { key, value, left: count(left), at_value: false }, 6)
            }
            (_, &[of, ref left @ ..]) => self.push(Container::List { of, left: count(left) }, 5),
            _ => WalkStep::Malformed,
        }
    }

    fn compact(&mut self, kind: u8, rest: &[u8]) -> WalkStep {
        if let Some(size) = fixed_size(Encoding::Compact, kind) {
            return WalkStep::Over(size);
        }
        let number = |at: usize| match varint::read(rest.get(at..).unwrap_or_default()) {
            Some(Ok(read)) => Ok(read),
            Some(Err(more)) => Err(WalkStep::More(more)),
            None => Err(WalkStep::Malformed),
        };
        let step = match kind {
            compact_type::I16..=compact_type::I64 => number(0).map(|(value, used)| {
                if self.field == 2 && self.stack.len() == 1 {
                    self.second_field = Some(varint::zigzag(value));
                }
                WalkStep::Over(used as u64)
            }),
            compact_type::BINARY => number(0).map(|(length, used)| {
                if length > i32::MAX as u64 {
                    WalkStep::Malformed
                } else {
                    WalkStep::Over(length + used as u64)
                }
            }),
            compact_type::LIST | compact_type::SET => match rest.first() {
                None => Err(WalkStep::More(1)),
                Some(&header) if header >> 4 < 15 => {
                    Ok(self
                        .push(Container::List { of: header & 15, left: u64::from(header >> 4) }, 1))
                }
                Some(&header) => number(1).map(|(left, used)| {
                    self.push(Container::List { of: header & 15, left }, 1 + used as u64)
                }),
            },
            compact_type::MAP => number(0).and_then(|(left, used)| match (left, rest.get(used)) {
                (0, _) => Ok(WalkStep::Over(used as u64)),
                (_, None) => Err(WalkStep::More(1)),
                (left, Some(&kinds)) => {
                    let map = Container::Map {
                        key: kinds >> 4,
                        value: kinds & 15,
                        left,
                        at_value: false,
                    };
                    Ok(self.push(map, used as u64 + 1))
                }
            }),
            compact_type::STRUCT => Ok(self.push(Container::Struct(0), 0)),
            _ => Err(WalkStep::Malformed),
        };
        step.unwrap_or_else(|step| step)
    }

    fn push(&mut self, container: Container, used: u64) -> WalkStep {
        let count = match container {
            Container::Struct(_) => 0,
            Container::List { left, .. } | Container::Map { left, .. } => left,
        };
        if self.stack.len() >= DEPTH || count > i32::MAX as u64 {
            return WalkStep::Malformed;
        }
        self.stack.push(container);
        WalkStep::Over(used)
    }
}

enum Field {
    /// Type, number, and length of the field's header.
    Is(u8, i64, usize),
    Stop,
    More(usize),
    Malformed,
}

fn binary_field(bytes: &[u8]) -> Field {
    match *bytes {
        [] => Field::More(1),
        [0, ..] => Field::Stop,
        [kind, high, low, ..] => Field::Is(kind, i64::from(i16::from_be_bytes([high, low])), 3),
        _ => Field::More(3 - bytes.len()),
    }
}

fn compact_field(bytes: &[u8], last: i64) -> Field {
    let Some((&first, rest)) = bytes.split_first() else { return Field::More(1) };
    match (first & 15, first >> 4) {
        (0, _) => Field::Stop,
        (kind, 0) => match varint::read(rest) {
            Some(Ok((number, used))) => Field::Is(kind, varint::zigzag(number), 1 + used),
            Some(Err(more)) => Field::More(more),
            None => Field::Malformed,
        },
        (kind, more) => Field::Is(kind, last.wrapping_add(i64::from(more)), 1),
    }
}

/// Length of the values of a type whose length is fixed.
fn fixed_size(encoding: Encoding, kind: u8) -> Option<u64> {
    match (encoding, kind) {
        (Encoding::Binary, binary_type::BOOL | binary_type::I8)
        | (Encoding::Compact, compact_type::TRUE..=compact_type::I8) => Some(1),
        (Encoding::Binary, binary_type::I16) => Some(2),
        (Encoding::Binary, binary_type::I32) => Some(4),
        (Encoding::Binary, binary_type::DOUBLE | binary_type::I64)
        | (Encoding::Compact, compact_type::DOUBLE) => Some(8),
        (Encoding::Binary, binary_type::UUID) | (Encoding::Compact, compact_type::UUID) => Some(16),
        _ => None,
    }
}
