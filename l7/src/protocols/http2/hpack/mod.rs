//! Header compression (RFC 7541): the decoding side, of streams whose beginning may be unknown.

mod huffman;
mod names;
mod table;
#[cfg(test)]
mod tests;

pub(super) use names::{Name, Role};
pub(super) use table::Table;

use names::LONGEST_NAME;

/// Longest value that is kept: a path with its query.
const LONGEST_VALUE: usize = 2048;

/// A block is not what RFC 7541 allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A field of a block. Its name, or its value, is unknown where an entry is meant that was added before what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// Long values are cut off.
    Known(Name, &'a [u8]),
    Unknown,
}

/// Texts that are reused.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Scratch {
    /// Memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.name.capacity() + self.value.capacity()
    }
}

/// Reads a header block and tells its fields one by one; those before a malformed one are told.
pub(super) fn decode(
    mut block: &[u8],
    table: &mut Table,
    scratch: &mut Scratch,
    mut field: impl FnMut(Field<'_>),
) -> Result<(), Malformed> {
    let mut fields_began = false;
    while let &[first, ..] = block {
        if first & 0xe0 == 0x20 {
            let size = integer(&mut block, 5).filter(|_| !fields_began).ok_or(Malformed)?;
            table.resize(size);
            continue;
        }
        fields_began = true;
        if first & 0x80 != 0 {
            let index = integer(&mut block, 7).filter(|&index| index > 0).ok_or(Malformed)?;
            match table.get(index) {
                Some((Some(name), value)) => field(Field::Known(name, value)),
                _ => field(Field::Unknown),
            }
            continue;
        }
        let added = first & 0xc0 == 0x40;
        let index = integer(&mut block, if added { 6 } else { 4 }).ok_or(Malformed)?;
        let name = match index {
            0 => {
                scratch.name.clear();
                let length = string(&mut block, LONGEST_NAME, true, &mut scratch.name).ok_or(Malformed)?;
                Some(Name::of(&scratch.name, length))
            }
            _ => table.get(index).and_then(|(name, _)| name),
        };
        let matters = name.is_some_and(|n| n.role != Role::Other);
        scratch.value.clear();
        let most = if matters { LONGEST_VALUE } else { 0 };
        let length = string(&mut block, most, matters || added, &mut scratch.value).ok_or(Malformed)?;
        match name {
            Some(name) => field(Field::Known(name, &scratch.value)),
            None => field(Field::Unknown),
        }
        if added {
            table.insert(name, &scratch.value, length);
        }
    }
    Ok(())
}

/// An integer with a prefix of `bits` bits (RFC 7541 section 5.1); none beyond 28 bits, which nothing here needs.
fn integer(block: &mut &[u8], bits: u32) -> Option<usize> {
    let (&first, mut rest) = block.split_first()?;
    let most = (1usize << bits) - 1;
    let mut value = usize::from(first) & most;
    if value == most {
        for shift in (0..28).step_by(7) {
            let (&byte, behind) = rest.split_first()?;
            rest = behind;
            value += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                *block = rest;
                return Some(value);
            }
        }
        return None;
    }
    *block = rest;
    Some(value)
}

/// A string literal (RFC 7541 section 5.2): its length, and its first `most` bytes in `into`. Where the length does not matter
/// (`measured`) and nothing is kept, a coded one is passed over, and its length is that of its code.
fn string(block: &mut &[u8], most: usize, measured: bool, into: &mut Vec<u8>) -> Option<usize> {
    let coded = block.first()? & 0x80 != 0;
    let length = integer(block, 7)?;
    let (text, rest) = block.split_at_checked(length)?;
    *block = rest;
    if coded && measured {
        return huffman::decode(text, most, into);
    }
    into.extend_from_slice(&text[..length.min(most)]);
    Some(length)
}
