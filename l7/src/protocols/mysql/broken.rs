//! The error of a compressed packet that cannot be decompressed.

/// A packet cannot be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;
