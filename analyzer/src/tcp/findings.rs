/// What the analysis has to say about one segment; several may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings(u16);

impl Findings {
    pub(crate) const RETRANSMISSION: Self = Self(1);
    pub(crate) const FAST_RETRANSMISSION: Self = Self(1 << 1);
    pub(crate) const SPURIOUS_RETRANSMISSION: Self = Self(1 << 2);
    pub(crate) const OUT_OF_ORDER: Self = Self(1 << 3);
    pub(crate) const DUPLICATE_ACK: Self = Self(1 << 4);
    pub(crate) const ZERO_WINDOW: Self = Self(1 << 5);
    pub(crate) const ZERO_WINDOW_PROBE: Self = Self(1 << 6);
    pub(crate) const ZERO_WINDOW_PROBE_ACK: Self = Self(1 << 7);
    pub(crate) const WINDOW_FULL: Self = Self(1 << 8);
    pub(crate) const WINDOW_UPDATE: Self = Self(1 << 9);
    pub(crate) const KEEP_ALIVE: Self = Self(1 << 10);
    pub(crate) const KEEP_ALIVE_ACK: Self = Self(1 << 11);
    pub(crate) const LOST_SEGMENT: Self = Self(1 << 12);
    pub(crate) const ACKED_LOST_SEGMENT: Self = Self(1 << 13);

    pub(crate) const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
