//! Options at the end of a pcapng block.

use super::step::Endian;

/// An option: its code, its length, its value (draft-ietf-opsawg-pcapng, section 3.5).
mod field {
    pub(super) const CODE: usize = 0;
    pub(super) const LENGTH: usize = 2;
    pub(super) const VALUE: usize = 4;
}

/// Ends the list.
const END: u16 = 0;

/// Codes and values of options; one that runs out of the block ends them.
#[derive(Debug)]
pub(super) struct Options<'b> {
    endian: Endian,
    rest: &'b [u8],
}

impl<'b> Options<'b> {
    pub(super) const fn new(endian: Endian, rest: &'b [u8]) -> Self {
        Self { endian, rest }
    }
}

impl<'b> Iterator for Options<'b> {
    type Item = (u16, &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.len() < field::VALUE {
            return None;
        }
        let code = self.endian.u16(self.rest, field::CODE);
        let len = usize::from(self.endian.u16(self.rest, field::LENGTH));
        let value = self.rest.get(field::VALUE..field::VALUE + len)?;
        self.rest = self.rest.get(field::VALUE + len.next_multiple_of(4)..).unwrap_or_default();
        (code != END).then_some((code, value))
    }
}
