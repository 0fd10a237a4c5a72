//! Header compression (RFC 7541): the decoder. The stream's beginning may be unknown, and with it
//! entries of the dynamic table.

mod huffman;
mod names;
mod table;
#[cfg(test)]
mod tests;

pub(super) use names::{Name, Role};
pub(super) use table::Table;

use names::LONGEST_NAME;

/// Bits of the first byte of a representation or string (RFC 7541 sections 5.2 and 6).
mod prefix {
    /// Indexed header field (section 6.1).
    pub(super) const INDEXED: u8 = 0x80;
    /// Literal with incremental indexing (section 6.2.1), where `INDEXED` is not set.
    pub(super) const INCREMENTAL: u8 = 0x40;
    /// Dynamic table size update (section 6.3).
    pub(super) const TABLE_SIZE: u8 = 0x20;
    pub(super) const TABLE_SIZE_MASK: u8 = 0xe0;
    /// The string is Huffman-coded (section 5.2).
    pub(super) const HUFFMAN: u8 = 0x80;
}

/// Longest value that is kept: a path with its query.
const LONGEST_VALUE: usize = 2048;

/// The block violates RFC 7541.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A field of a block. It is unknown if it refers to an entry that was added before the capture or
/// within a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// Values are cut at `LONGEST_VALUE` bytes.
    Known(Name, &'a [u8]),
    Unknown,
}

/// Buffers for literals, reused for each block.
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

/// Decodes a header block and passes its fields to `on_field` one by one. Those before an error are
/// passed as well.
pub(super) fn decode(
    mut block: &[u8],
    table: &mut Table,
    scratch: &mut Scratch,
    mut on_field: impl FnMut(Field<'_>),
) -> Result<(), Malformed> {
    let mut fields_began = false;
    while let &[first, ..] = block {
        if first & prefix::TABLE_SIZE_MASK == prefix::TABLE_SIZE {
            let size = integer(&mut block, 5).filter(|_| !fields_began).ok_or(Malformed)?;
            table.resize(size);
            continue;
        }
        fields_began = true;
        if first & prefix::INDEXED != 0 {
            let index = integer(&mut block, 7).filter(|&index| index > 0).ok_or(Malformed)?;
            match table.get(index) {
                Some((Some(name), value)) => on_field(Field::Known(name, value)),
                _ => on_field(Field::Unknown),
            }
            continue;
        }
        let added = first & prefix::INCREMENTAL != 0;
        let index = integer(&mut block, if added { 6 } else { 4 }).ok_or(Malformed)?;
        let name = match index {
            0 => {
                scratch.name.clear();
                let length =
                    string(&mut block, LONGEST_NAME, true, &mut scratch.name).ok_or(Malformed)?;
                Some(Name::of(&scratch.name, length))
            }
            _ => table.get(index).and_then(|(name, _)| name),
        };
        let matters = name.is_some_and(|n| n.role != Role::Other);
        scratch.value.clear();
        let most = if matters { LONGEST_VALUE } else { 0 };
        let length =
            string(&mut block, most, matters || added, &mut scratch.value).ok_or(Malformed)?;
        match name {
            Some(name) => on_field(Field::Known(name, &scratch.value)),
            None => on_field(Field::Unknown),
        }
        if added {
            table.insert(name, &scratch.value, length);
        }
    }
    Ok(())
}

/// An integer with a prefix of `bits` bits (RFC 7541 section 5.1). None beyond 28 bits, which no
/// table and no block here needs.
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

/// A string literal (RFC 7541 section 5.2): returns its length, and puts its first `most` bytes
/// into `into`.
///
/// If neither its length (`measured`) nor its bytes matter, a Huffman-coded string is passed over,
/// and the length is that of its code.
fn string(block: &mut &[u8], most: usize, measured: bool, into: &mut Vec<u8>) -> Option<usize> {
    let coded = block.first()? & prefix::HUFFMAN != 0;
    let length = integer(block, 7)?;
    let (text, rest) = block.split_at_checked(length)?;
    *block = rest;
    if coded && measured {
        return huffman::decode(text, most, into);
    }
    into.extend_from_slice(&text[..length.min(most)]);
    Some(length)
}
