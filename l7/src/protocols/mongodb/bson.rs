//! The top level of a BSON document (bsonspec.org, version 1.1), element by element. Documents and
//! arrays within are skipped by length. A [`Walk`] keeps its position, so that bytes can come in
//! any pieces.

/// Types of elements.
mod kind {
    pub(super) const DOUBLE: u8 = 0x01;
    pub(super) const STRING: u8 = 0x02;
    pub(super) const DOCUMENT: u8 = 0x03;
    pub(super) const ARRAY: u8 = 0x04;
    pub(super) const BINARY: u8 = 0x05;
    pub(super) const UNDEFINED: u8 = 0x06;
    pub(super) const OBJECT_ID: u8 = 0x07;
    pub(super) const BOOLEAN: u8 = 0x08;
    pub(super) const DATETIME: u8 = 0x09;
    pub(super) const NULL: u8 = 0x0a;
    pub(super) const REGEX: u8 = 0x0b;
    pub(super) const DB_POINTER: u8 = 0x0c;
    pub(super) const CODE: u8 = 0x0d;
    pub(super) const SYMBOL: u8 = 0x0e;
    pub(super) const CODE_WITH_SCOPE: u8 = 0x0f;
    pub(super) const INT32: u8 = 0x10;
    pub(super) const TIMESTAMP: u8 = 0x11;
    pub(super) const INT64: u8 = 0x12;
    pub(super) const DECIMAL128: u8 = 0x13;
    pub(super) const MAX_KEY: u8 = 0x7f;
    pub(super) const MIN_KEY: u8 = 0xff;
}

/// Longest name of an element.
const NAME: usize = 128;
/// Bytes of a text that are kept.
const TEXT: usize = 256;
/// Bytes of a document or array within that are kept.
const INNER: usize = 512;
/// Longest regular expression.
const PATTERN: usize = 1024;

/// An element's value, as far as it is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Number(i64),
    /// Its first bytes.
    Text(&'a [u8]),
    /// The first bytes of a document or an array, with its length.
    Inner(&'a [u8]),
    Other,
}

/// Result of the next item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Item<'a> {
    /// So many bytes have to be there.
    Need(usize),
    /// So many bytes were the length of the document.
    Length(u64),
    /// An element, and its length in bytes with what is not kept.
    Element { name: &'a [u8], value: Value<'a>, length: u64 },
    /// The end, and its length.
    End(u64),
    /// Not a document, or one that cannot be skipped.
    Malformed,
}

/// A position in a document: the bytes still to come, once its length is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    left: Option<u64>,
}

impl Walk {
    /// The next item of the document. Its rest begins with `bytes`.
    pub(super) fn next<'a>(&mut self, bytes: &'a [u8]) -> Item<'a> {
        let Some(left) = self.left else {
            return match size(bytes, 0) {
                None => Item::Need(4),
                Some(size @ 5..) => {
                    self.left = Some(size - 4);
                    Item::Length(4)
                }
                Some(_) => Item::Malformed,
            };
        };
        let item = item(bytes);
        let taken = match item {
            Item::Element { length, .. } => length,
            Item::End(length) if left == length => length,
            Item::Need(needed) if needed as u64 <= left => return item,
            _ => return Item::Malformed,
        };
        let Some(left) = left.checked_sub(taken) else { return Item::Malformed };
        self.left = Some(left);
        item
    }

    /// Bytes still to come.
    pub(super) fn left(&self) -> u64 {
        self.left.unwrap_or(0)
    }
}

/// Elements of a document that is there, at least at its beginning.
pub(super) fn elements(document: &[u8]) -> impl Iterator<Item = (&[u8], Value<'_>)> {
    let (mut walk, mut rest) = (Walk::default(), document);
    std::iter::from_fn(move || {
        loop {
            match walk.next(rest) {
                Item::Length(length) => rest = rest.get(usize::try_from(length).ok()?..)?,
                Item::Element { name, value, length } => {
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    rest = rest.get(length..).unwrap_or_default();
                    return Some((name, value));
                }
                Item::Need(_) | Item::End(_) | Item::Malformed => return None,
            }
        }
    })
}

/// A length at `at`. `None` if it is not there, 0 if it is negative.
fn size(bytes: &[u8], at: usize) -> Option<u64> {
    let four = bytes.get(at..)?.first_chunk()?;
    Some(u64::try_from(i32::from_le_bytes(*four)).unwrap_or(0))
}

/// Length of a text that ends with a zero byte, with that byte.
///
/// # Errors
///
/// The number of bytes that have to be there, or none if the text is too long.
fn zero_ended(bytes: &[u8], most: usize) -> Result<usize, Option<usize>> {
    match bytes.iter().take(most).position(|byte| *byte == 0) {
        Some(end) => Ok(end + 1),
        None if bytes.len() >= most => Err(None),
        None => Err(Some(bytes.len() + 1)),
    }
}

fn item(bytes: &[u8]) -> Item<'_> {
    let Some((&kind, behind)) = bytes.split_first() else { return Item::Need(1) };
    if kind == 0 {
        return Item::End(1);
    }
    let need =
        |result: Option<usize>, at: usize| result.map_or(Item::Malformed, |n| Item::Need(n + at));
    let name_end = match zero_ended(behind, NAME) {
        Ok(length) => length,
        Err(needed) => return need(needed, 1),
    };
    let name = behind.get(..name_end - 1).unwrap_or_default();
    let at = 1 + name_end;
    let (fixed, fields) = match kind {
        kind::DOUBLE | kind::INT64 => (8, true),
        kind::INT32 => (4, true),
        kind::BOOLEAN => (1, true),
        kind::UNDEFINED | kind::NULL | kind::MAX_KEY | kind::MIN_KEY => (0, false),
        kind::OBJECT_ID => (12, false),
        kind::DATETIME | kind::TIMESTAMP => (8, false),
        kind::DECIMAL128 => (16, false),
        kind::REGEX => {
            let pattern = bytes.get(at..).unwrap_or_default();
            let first = match zero_ended(pattern, PATTERN) {
                Ok(length) => length,
                Err(needed) => return need(needed, at),
            };
            match zero_ended(pattern.get(first..).unwrap_or_default(), NAME) {
                Ok(second) => (first + second, false),
                Err(needed) => return need(needed, at + first),
            }
        }
        _ => return sized(kind, name, bytes, at),
    };
    if !fields {
        return Item::Element { name, value: Value::Other, length: (at + fixed) as u64 };
    }
    let Some(raw) = bytes.get(at..at + fixed) else { return Item::Need(at + fixed) };
    let little = raw.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    let value = match kind {
        kind::DOUBLE => f64::from_bits(little) as i64,
        kind::INT32 => i64::from(little as u32 as i32),
        _ => little as i64,
    };
    Item::Element { name, value: Value::Number(value), length: (at + fixed) as u64 }
}

/// An element whose value begins with its length.
fn sized<'a>(kind: u8, name: &'a [u8], bytes: &'a [u8], at: usize) -> Item<'a> {
    let Some(size) = size(bytes, at) else { return Item::Need(at + 4) };
    // What the length does not count: itself, the subtype of binary data, the id of a deprecated
    // reference.
    let (more, least, shown) = match kind {
        kind::STRING | kind::CODE | kind::SYMBOL => (4, 1, TEXT.min(size as usize)),
        kind::DOCUMENT | kind::ARRAY => (0, 5, INNER.min(size as usize)),
        kind::BINARY => (5, 0, 0),
        kind::DB_POINTER => (16, 1, 0),
        kind::CODE_WITH_SCOPE => (0, 14, 0),
        _ => return Item::Malformed,
    };
    if size < least {
        return Item::Malformed;
    }
    let from = if matches!(kind, kind::DOCUMENT | kind::ARRAY) { at } else { at + 4 };
    let Some(seen) = bytes.get(from..from + shown) else { return Item::Need(from + shown) };
    let value = match kind {
        kind::STRING => Value::Text(if shown as u64 == size {
            seen.get(..shown - 1).unwrap_or_default()
        } else {
            seen
        }),
        kind::DOCUMENT | kind::ARRAY => Value::Inner(seen),
        _ => Value::Other,
    };
    Item::Element { name, value, length: at as u64 + more + size }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{find: "users", n: 3, ok: 1.0, at: [1], none: null}`
    const DOCUMENT: &[u8] =
        b"\x3e\0\0\0\x02find\0\x06\0\0\0users\0\x10n\0\x03\0\0\0\x01ok\0\0\0\0\0\0\0\xf0\x3f\
        \x04at\0\x0c\0\0\0\x100\0\x01\0\0\0\0\x0anone\0\0";

    #[test]
    fn elements_are_told_with_their_values() {
        let all: Vec<_> = elements(DOCUMENT)
            .map(|(name, value)| (std::str::from_utf8(name).unwrap(), value))
            .collect();
        assert_eq!(
            all[..3],
            [("find", Value::Text(b"users")), ("n", Value::Number(3)), ("ok", Value::Number(1)),]
        );
        assert!(matches!(all[3], ("at", Value::Inner(inner)) if inner.len() == 12));
        assert_eq!(all[4..], [("none", Value::Other)]);
    }

    #[test]
    fn a_document_in_pieces_asks_for_what_it_needs() {
        let (mut walk, mut at, mut shown, mut names) = (Walk::default(), 0, 0, Vec::new());
        loop {
            match walk.next(&DOCUMENT[at..shown]) {
                Item::Need(needed) => {
                    assert!(at + needed > shown, "nothing is asked for that is there");
                    shown = at + needed;
                }
                Item::Length(n) => at += n as usize,
                Item::Element { name, length, .. } => {
                    names.push(name.len());
                    at += length as usize;
                    shown = shown.max(at);
                }
                Item::End(_) => break,
                Item::Malformed => panic!("at {at}"),
            }
        }
        assert_eq!(names, [4, 1, 2, 2, 4]);
    }

    #[test]
    fn lengths_that_cannot_be_are_met() {
        for (at, byte) in [(0, 4), (3, 0x80), (10, 0), (13, 0x80), (4, 0x20), (0, 12)] {
            let mut broken = DOCUMENT.to_vec();
            broken[at] = byte;
            assert!(elements(&broken).count() < 5, "{at}");
        }
    }
}
