use crate::config::ReassemblyLimits;

/// What all streams of an analyzer together have waiting, and how much they may.
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
        *self.used = self.used.saturating_sub(bytes);
    }

    pub(crate) fn exceeded(&self) -> bool {
        *self.used > self.limits.total_bytes
    }
}
