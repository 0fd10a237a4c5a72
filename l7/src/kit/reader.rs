//! Reads the fields of a binary message, one after the other.

/// Takes one field after the other; numbers are big-endian. Where a field is not complete the
/// answer is `None`, and nothing is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Bytes behind their length in one byte.
    pub(crate) fn bytes8(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = ahead.u8()?;
        let taken = ahead.take(usize::from(len))?;
        *self = ahead;
        Some(taken)
    }

    /// Bytes behind their length in two bytes.
    pub(crate) fn bytes16(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = ahead.u16()?;
        let taken = ahead.take(usize::from(len))?;
        *self = ahead;
        Some(taken)
    }

    /// Bytes behind their length in four bytes.
    pub(crate) fn bytes32(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = ahead.u32()?;
        let taken = ahead.take(usize::try_from(len).ok()?)?;
        *self = ahead;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (&taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(taken)
    }
}

/// The beginning of a text: at most `most` bytes, cut between two characters of UTF-8.
pub(crate) fn first_bytes(text: &[u8], most: usize) -> &[u8] {
    let Some((mut head, rest)) = text.split_at_checked(most) else { return text };
    let mut next = rest.first().copied();
    while let (Some(0x80..=0xbf), Some((&last, before))) = (next, head.split_last()) {
        (head, next) = (before, Some(last));
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_takes_nothing() {
        let mut r = Reader::new(&[0, 2, b'a', b'b', 0, 9, b'c']);
        assert_eq!(r.bytes16(), Some(&b"ab"[..]));
        assert_eq!((r.bytes16(), r.u32(), r.u64(), r.len()), (None, None, None, 3));
        assert_eq!((r.u16(), r.u8(), r.u8()), (Some(9), Some(b'c'), None));
        assert_eq!(Reader::new(&[1, b'x']).bytes8(), Some(&b"x"[..]));
        assert_eq!(Reader::new(&[0, 0, 0, 1, b'x']).bytes32(), Some(&b"x"[..]));
    }

    #[test]
    fn texts_are_not_cut_within_a_character() {
        assert_eq!(first_bytes("aéb".as_bytes(), 2), b"a");
        assert_eq!(first_bytes("aéb".as_bytes(), 3), "aé".as_bytes());
        assert_eq!(first_bytes(b"ab", 9), b"ab");
        assert_eq!(first_bytes(&[0x80; 4], 2), b"");
    }
}
