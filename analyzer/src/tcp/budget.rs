//! The memory that all streams of an analyzer share.

use wire::invariant;

use crate::config::ReassemblyLimits;

/// Bytes that all streams of an analyzer together hold in their queues, and how many they may.
#[derive(Debug)]
pub(crate) struct Budget<'a> {
    pub(crate) limits: &'a ReassemblyLimits,
    pub(crate) used: &'a mut usize,
}

impl Budget<'_> {
    pub(crate) fn add(&mut self, bytes: usize) {
        *self.used += bytes;
    }

    pub(crate) fn release(&mut self, bytes: usize) {
        match self.used.checked_sub(bytes) {
            Some(rest) => *self.used = rest,
            None => _ = invariant!("bytes that are released were added"),
        }
    }

    pub(crate) fn exceeded(&self) -> bool {
        *self.used > self.limits.total_bytes
    }
}
