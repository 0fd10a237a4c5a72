//! What the analysis finds in one segment.

use fact::TcpCounter;

/// Counters that one segment increments by one; several may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings(u32);

impl Findings {
    pub(crate) const fn add(&mut self, finding: TcpCounter) {
        self.0 |= Self::bit(finding);
    }

    pub(crate) const fn has(self, finding: TcpCounter) -> bool {
        self.0 & Self::bit(finding) != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = TcpCounter> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let lowest = TcpCounter::ALL.get(rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(*lowest)
        })
    }

    const fn bit(finding: TcpCounter) -> u32 {
        const { assert!(TcpCounter::COUNT <= u32::BITS as usize) };
        1 << finding as u32
    }
}
