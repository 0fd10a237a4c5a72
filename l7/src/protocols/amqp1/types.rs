//! AMQP's type system (part 1), as much of it as is read.

use crate::kit::reader::Reader;

/// A value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(u64),
    /// Text, symbol or binary.
    Bytes(&'a [u8]),
    List(Items<'a>),
    Map(Items<'a>),
    /// Descriptor and the fields behind it.
    Described(u64, Items<'a>),
    Other,
}

/// The values of a list or map, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Items<'a> {
    reader: Reader<'a>,
    left: u32,
}

/// Descriptors that describe descriptors are not followed further.
const DEPTH: usize = 3;

impl<'a> Items<'a> {
    const NONE: Items<'static> = Items { reader: Reader::new(&[]), left: 0 };

    /// The field with this number, counted from 0.
    pub(super) fn field(&self, number: usize) -> Value<'a> {
        let mut items = *self;
        items.nth(number).unwrap_or(Value::Null)
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.left = self.left.checked_sub(1)?;
        value(&mut self.reader)
    }
}

impl<'a> Value<'a> {
    pub(super) fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn number(self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn is_true(self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// The fields, if it is described as `code`.
    pub(super) fn described(self, code: u64) -> Option<Items<'a>> {
        match self {
            Self::Described(found, items) if found == code => Some(items),
            _ => None,
        }
    }
}

/// The next value; what is cut off is none.
pub(super) fn value<'a>(r: &mut Reader<'a>) -> Option<Value<'a>> {
    let mut ahead = *r;
    let value = read(&mut ahead, DEPTH)?;
    *r = ahead;
    Some(value)
}

fn read<'a>(r: &mut Reader<'a>, depth: usize) -> Option<Value<'a>> {
    let code = r.u8()?;
    Some(match code {
        0x00 => {
            let depth = depth.checked_sub(1)?;
            let descriptor = read(r, depth)?;
            match (descriptor, read(r, depth)?) {
                (Value::Number(code), Value::List(items)) => Value::Described(code, items),
                (Value::Number(code), _) => Value::Described(code, Items::NONE),
                _ => Value::Other,
            }
        }
        0x40 => Value::Null,
        0x41 => Value::Bool(true),
        0x42 => Value::Bool(false),
        0x56 => Value::Bool(r.u8()? != 0),
        0x43 | 0x44 => Value::Number(0),
        0x45 => Value::List(Items::NONE),
        0x50 | 0x52 | 0x53 => Value::Number(u64::from(r.u8()?)),
        0x60 => Value::Number(u64::from(r.u16()?)),
        0x70 => Value::Number(u64::from(r.u32()?)),
        0x80 => Value::Number(r.u64()?),
        0xa0 | 0xa1 | 0xa3 => Value::Bytes(r.bytes8()?),
        0xb0 | 0xb1 | 0xb3 => Value::Bytes(r.bytes32()?),
        0xc0 | 0xc1 => {
            let mut items = Reader::new(r.bytes8()?);
            compound(code, u32::from(items.u8()?), items)
        }
        0xd0 | 0xd1 => {
            let mut items = Reader::new(r.bytes32()?);
            compound(code, items.u32()?, items)
        }
        _ => {
            // Part 1, section 1.2: the first digit of the code is the size.
            match code >> 4 {
                0x4 => {}
                n @ 0x5..=0x9 => drop(r.take(1 << (n - 5))?),
                0xa | 0xc | 0xe => drop(r.bytes8()?),
                0xb | 0xd | 0xf => drop(r.bytes32()?),
                _ => return None,
            }
            Value::Other
        }
    })
}

fn compound(code: u8, left: u32, reader: Reader<'_>) -> Value<'_> {
    let items = Items { reader, left };
    if code & 1 == 0 { Value::List(items) } else { Value::Map(items) }
}

/// The fields of a list of which the end may be cut off, behind its descriptor: the code, the
/// fields, and the bytes of the list.
pub(super) fn described<'a>(r: &mut Reader<'a>) -> Option<(u64, Items<'a>)> {
    if r.u8()? != 0 {
        return None;
    }
    let code = value(r)?.number()?;
    let (len, left) = match r.u8()? {
        0x45 => (0, 0),
        0xc0 => (usize::from(r.u8()?).checked_sub(1)?, u32::from(r.u8()?)),
        0xd0 => (usize::try_from(r.u32()?).ok()?.checked_sub(4)?, r.u32()?),
        _ => return None,
    };
    let items = r.take(len.min(r.len()))?;
    Some((code, Items { reader: Reader::new(items), left }))
}
