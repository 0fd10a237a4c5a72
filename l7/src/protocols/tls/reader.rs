//! A reader of the presentation language (RFC 8446 section 3) in messages that may be cut.

/// Takes values off the front of bytes. Bytes that are cut off read as if the message ended there,
/// so a message can be read as far as it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `len` bytes, or as many as there are.
    pub(super) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// Big-endian.
    pub(super) fn u16(&mut self) -> Option<u16> {
        let (&[a, b], rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes([a, b]))
    }

    /// Big-endian.
    pub(super) fn u24(&mut self) -> Option<usize> {
        let (&[a, b, c], rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c))
    }

    /// A vector behind a length of one byte.
    pub(super) fn short(&mut self) -> Option<&'a [u8]> {
        let len = self.u8()?;
        Some(self.take(usize::from(len)))
    }

    /// A vector behind a length of two bytes.
    pub(super) fn long(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        Some(self.take(usize::from(len)))
    }

    /// Numbers of two bytes, to the end.
    pub(super) fn words(mut self) -> impl Iterator<Item = u16> {
        std::iter::from_fn(move || self.u16())
    }
}
