//! The error of the decompressors.

/// A packet cannot be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DecompressError;
