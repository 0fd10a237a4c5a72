//! Record batches (kafka.apache.org, "Message Format"): length, number of messages and the headers
//! of the first record. Nothing is decompressed.

use super::bytes::{int16, int32, varint};

/// Bytes up to the magic byte, which tells the format.
const MAGIC: usize = 17;
/// Header of a batch of format 2, with the number of records at its end.
const HEAD: usize = 61;
/// Bytes of the first record that are inspected for trace headers.
const FIRST_RECORD: usize = 4096;

/// Base offset and the length itself, which the length does not count.
const BEFORE_LENGTH: u64 = 12;

/// Bits of a batch's attributes.
mod attribute {
    pub(super) const COMPRESSION: i16 = 0x07;
    pub(super) const CONTROL: i16 = 0x20;
}

/// What is known about a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Batch<'a> {
    /// So many bytes have to be there.
    Need(usize),
    /// No batch, or a batch that the broker cut off at the end of the response.
    Nothing,
    /// Its length in bytes, the number of its messages, and its first record unless that is
    /// compressed.
    Whole { length: u64, messages: u32, first: &'a [u8] },
}

/// Reads the batch at the beginning of `bytes`; `left` bytes of batches follow in all. `first`: its
/// first record is wanted.
pub(super) fn batch(bytes: &[u8], left: u64, first: bool) -> Batch<'_> {
    if left < MAGIC as u64 {
        return Batch::Nothing;
    }
    let (Some(length), Some(&magic)) = (int32(bytes, 8), bytes.get(MAGIC - 1)) else {
        return Batch::Need(MAGIC);
    };
    let Ok(length) = u64::try_from(length) else { return Batch::Nothing };
    let length = length + BEFORE_LENGTH;
    if length > left {
        return Batch::Nothing;
    }
    if magic < 2 {
        return Batch::Whole { length, messages: 1, first: &[] };
    }
    if magic > 2 || length < HEAD as u64 {
        return Batch::Nothing;
    }
    let (Some(attributes), Some(messages)) = (int16(bytes, 21), int32(bytes, HEAD - 4)) else {
        return Batch::Need(HEAD);
    };
    let compressed = attributes & attribute::COMPRESSION != 0;
    let control = attributes & attribute::CONTROL != 0;
    let messages = if control { 0 } else { u32::try_from(messages).unwrap_or(0) };
    if !first || compressed || control {
        return Batch::Whole { length, messages, first: &[] };
    }
    let window = length.min((HEAD + FIRST_RECORD) as u64) as usize;
    match bytes.get(HEAD..window) {
        Some(first) => Batch::Whole { length, messages, first },
        None => Batch::Need(window),
    }
}

/// Passes the headers of a batch's first record to `each`, as far as they are there.
pub(super) fn headers(record: &[u8], mut each: impl FnMut(&[u8], &[u8])) -> Option<()> {
    /// Most headers that are inspected.
    const MOST: i64 = 64;
    let mut rest = Rest(record);
    rest.number()?; // length
    rest.take(1)?; // attributes
    rest.number()?; // timestamp delta
    rest.number()?; // offset delta
    rest.text()?; // key
    rest.text()?; // value
    for _ in 0..rest.number()?.min(MOST) {
        let name = rest.text()?;
        each(name, rest.text()?);
    }
    Some(())
}

/// The rest of a record.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn number(&mut self) -> Option<i64> {
        let (value, length) = varint(self.0)?;
        self.take(length)?;
        Some(value)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Key, value or name, with its length before it; -1 is none.
    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?.max(0);
        self.take(usize::try_from(length).ok()?)
    }
}
