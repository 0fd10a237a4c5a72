//! The captured part of a layer, and its length on the wire.

use super::Undecoded;

/// What was captured of a layer, and how long the layer was on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span<'r> {
    /// Captured bytes, never more than `len`.
    pub(super) bytes: &'r [u8],
    /// Length on the wire in bytes.
    pub(super) len: u32,
}

impl<'r> Span<'r> {
    /// A frame of `wire_len` bytes; a `wire_len` below the captured length is taken as that length.
    pub(super) fn new(bytes: &'r [u8], wire_len: u32) -> Self {
        let captured = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Self { bytes, len: wire_len.max(captured) }
    }

    /// The layer behind a header of `n` bytes that was captured whole.
    #[inline]
    pub(super) fn skip(self, n: usize) -> Result<Self, Undecoded> {
        match self.bytes.get(n..) {
            Some(bytes) => Ok(Self { bytes, len: self.len - n as u32 }),
            None => Err(self.short()),
        }
    }

    /// The layer behind a header of `n` bytes, of which any part may have been cut off.
    pub(super) fn skip_cut(self, n: u32) -> Self {
        Self {
            bytes: self.bytes.get(n as usize..).unwrap_or_default(),
            len: self.len.saturating_sub(n),
        }
    }

    /// The layer without what follows its first `len` bytes (padding, trailers).
    #[inline]
    #[must_use]
    pub(super) fn limit(self, len: u32) -> Self {
        if len >= self.len {
            return self;
        }
        Self { bytes: self.bytes.get(..len as usize).unwrap_or(self.bytes), len }
    }

    /// The first `N` bytes.
    #[inline]
    pub(super) fn head<const N: usize>(self) -> Result<&'r [u8; N], Undecoded> {
        self.bytes.first_chunk::<N>().ok_or_else(|| self.short())
    }

    /// Why a header does not fit: the capture cut it, or the frame is too small for it.
    #[cold]
    pub(super) fn short(self) -> Undecoded {
        if (self.bytes.len() as u64) < u64::from(self.len) {
            Undecoded::Truncated
        } else {
            Undecoded::Malformed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_header_and_one_that_never_fitted_are_told_apart() {
        assert_eq!(Span::new(&[0; 4], 40).skip(5).unwrap_err(), Undecoded::Truncated);
        assert_eq!(Span::new(&[0; 4], 4).head::<5>().unwrap_err(), Undecoded::Malformed);
    }

    #[test]
    fn padding_goes_and_a_cut_stays() {
        let span = Span::new(&[0; 46], 46).limit(40);
        assert_eq!((span.bytes.len(), span.len), (40, 40));
        let span = Span::new(&[0; 46], 1500).limit(1400);
        assert_eq!((span.bytes.len(), span.len), (46, 1400));
        assert_eq!(span.skip_cut(50).len, 1350);
    }
}
