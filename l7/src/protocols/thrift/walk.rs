//! Walks over the values of a message to find its end.

use super::head::Encoding;
use super::varint;

/// Containers in each other that are followed.
const DEPTH: usize = 64;

/// A walk over the values of a message to its end, which nothing but they themselves tell. Keeps
/// only where it is.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    encoding: Encoding,
    stack: Vec<Container>,
    /// Number of the last field of the outermost struct, and of its first; none before the first.
    field: i64,
    first: Option<i64>,
    /// Value of field 2 of the outermost struct, if it is a number.
    second: Option<i64>,
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

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many bytes; they may go beyond what was shown.
    Over(u64),
    /// So many more bytes are needed.
    More(usize),
    /// The message is over.
    End,
    /// These are no values.
    Broken,
}

impl Walk {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self { encoding, stack: vec![Container::Struct(0)], field: 0, first: None, second: None }
    }

    /// Whether the end was reached.
    pub(super) fn is_over(&self) -> bool {
        self.stack.is_empty()
    }

    /// Number of the first field of the outermost struct; none if it has none, or was not reached.
    pub(super) fn first(&self) -> Option<i64> {
        self.first
    }

    pub(super) fn second(&self) -> Option<i64> {
        self.second
    }

    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.stack.capacity() * size_of::<Container>()
    }

    /// The next value or field.
    pub(super) fn step(&mut self, bytes: &[u8]) -> Step {
        let outermost = self.stack.len() == 1;
        let Some(top) = self.stack.last_mut() else { return Step::End };
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
                        return Step::Over(1);
                    }
                    Field::More(more) => return Step::More(more),
                    Field::Broken => return Step::Broken,
                };
                let before = (std::mem::replace(last, number), self.field);
                if outermost {
                    self.field = number;
                }
                let depth = self.stack.len();
                let step = self.value(kind, bytes, used, true);
                if !matches!(step, Step::Over(_)) {
                    // The field is read again when there is more.
                    self.field = before.1;
                    if let Some(Container::Struct(last)) = self.stack.get_mut(depth - 1) {
                        *last = before.0;
                    }
                } else if outermost {
                    self.first.get_or_insert(number);
                }
                return step;
            }
            Container::List { left: 0, .. } | Container::Map { left: 0, .. } => {
                self.stack.pop();
                return Step::Over(0);
            }
            Container::List { of, left } => {
                if let Some(size) = fixed_size(self.encoding, *of) {
                    let all = left.saturating_mul(size);
                    *left = 0;
                    return Step::Over(all);
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
        if matches!(step, Step::Over(_)) {
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

    /// A value `used` bytes behind the beginning of the bytes. `in_field`: the compact protocol has
    /// truth values in the type.
    fn value(&mut self, kind: u8, bytes: &[u8], used: usize, in_field: bool) -> Step {
        let rest = bytes.get(used..).unwrap_or_default();
        let step = match self.encoding {
            Encoding::Binary => self.binary(kind, rest),
            Encoding::Compact if in_field && matches!(kind, 1 | 2) => Step::Over(0),
            Encoding::Compact => self.compact(kind, rest),
        };
        match step {
            Step::Over(length) => Step::Over(length + used as u64),
            other => other,
        }
    }

    fn binary(&mut self, kind: u8, rest: &[u8]) -> Step {
        if let Some(size) = fixed_size(Encoding::Binary, kind) {
            if kind == 8 && self.field == 2 && self.stack.len() == 1 {
                let Some(&number) = rest.first_chunk() else { return Step::More(4 - rest.len()) };
                self.second = Some(i64::from(i32::from_be_bytes(number)));
            }
            return Step::Over(size);
        }
        let needed = match kind {
            11 => 4,
            12 => 0,
            13 => 6,
            14 | 15 => 5,
            _ => return Step::Broken,
        };
        let Some(head) = rest.get(..needed) else { return Step::More(needed - rest.len()) };
        let count = |bytes: &[u8]| bytes.iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
        match (kind, head) {
            (11, length) => match count(length) {
                length @ 0..=0x7fff_ffff => Step::Over(4 + length),
                _ => Step::Broken,
            },
            (12, _) => self.push(Container::Struct(0), 0),
            (13, &[key, value, ref left @ ..]) => {
                self.push(Container::Map { key, value, left: count(left), at_value: false }, 6)
            }
            (_, &[of, ref left @ ..]) => self.push(Container::List { of, left: count(left) }, 5),
            _ => Step::Broken,
        }
    }

    fn compact(&mut self, kind: u8, rest: &[u8]) -> Step {
        if let Some(size) = fixed_size(Encoding::Compact, kind) {
            return Step::Over(size);
        }
        let number = |at: usize| match varint::read(rest.get(at..).unwrap_or_default()) {
            Some(Ok(read)) => Ok(read),
            Some(Err(more)) => Err(Step::More(more)),
            None => Err(Step::Broken),
        };
        let step = match kind {
            4..=6 => number(0).map(|(value, used)| {
                if self.field == 2 && self.stack.len() == 1 {
                    self.second = Some(varint::zigzag(value));
                }
                Step::Over(used as u64)
            }),
            8 => number(0).map(|(length, used)| {
                if length > i32::MAX as u64 { Step::Broken } else { Step::Over(length + used as u64) }
            }),
            9 | 10 => match rest.first() {
                None => Err(Step::More(1)),
                Some(&head) if head >> 4 < 15 => {
                    Ok(self.push(Container::List { of: head & 15, left: u64::from(head >> 4) }, 1))
                }
                Some(&head) => number(1)
                    .map(|(left, used)| self.push(Container::List { of: head & 15, left }, 1 + used as u64)),
            },
            11 => number(0).and_then(|(left, used)| match (left, rest.get(used)) {
                (0, _) => Ok(Step::Over(used as u64)),
                (_, None) => Err(Step::More(1)),
                (left, Some(&kinds)) => {
                    let map = Container::Map { key: kinds >> 4, value: kinds & 15, left, at_value: false };
                    Ok(self.push(map, used as u64 + 1))
                }
            }),
            12 => Ok(self.push(Container::Struct(0), 0)),
            _ => Err(Step::Broken),
        };
        step.unwrap_or_else(|step| step)
    }

    fn push(&mut self, container: Container, used: u64) -> Step {
        let count = match container {
            Container::Struct(_) => 0,
            Container::List { left, .. } | Container::Map { left, .. } => left,
        };
        if self.stack.len() >= DEPTH || count > i32::MAX as u64 {
            return Step::Broken;
        }
        self.stack.push(container);
        Step::Over(used)
    }
}

enum Field {
    /// Type, number, and bytes that say so.
    Is(u8, i64, usize),
    Stop,
    More(usize),
    Broken,
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
            None => Field::Broken,
        },
        (kind, more) => Field::Is(kind, last.wrapping_add(i64::from(more)), 1),
    }
}

/// Length of values of a type that always take as many bytes.
fn fixed_size(encoding: Encoding, kind: u8) -> Option<u64> {
    match (encoding, kind) {
        (Encoding::Binary, 2 | 3) | (Encoding::Compact, 1..=3) => Some(1),
        (Encoding::Binary, 6) => Some(2),
        (Encoding::Binary, 8) => Some(4),
        (Encoding::Binary, 4 | 10) | (Encoding::Compact, 7) => Some(8),
        (Encoding::Binary, 16) | (Encoding::Compact, 13) => Some(16),
        _ => None,
    }
}
