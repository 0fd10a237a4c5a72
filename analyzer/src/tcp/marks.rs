//! What happened on a TCP connection so far, as bits.

use wire::Side;

/// What happened on a connection so far: a bit for each [`Marks`], and two for each [`By`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks(u32);

/// What a side did, as the bit of the low side; the next is that of the high side.
#[derive(Clone, Copy, Debug)]
pub(super) struct By(u32);

impl By {
    /// Sent the first SYN.
    pub(super) const FIRST_SYN: Self = Self(1);
    pub(super) const SYN: Self = Self(1 << 2);
    pub(super) const SYN_ACK: Self = Self(1 << 4);
    /// Sent the SYN/ACK that answers the first SYN.
    pub(super) const FIRST_SYN_ACK: Self = Self(1 << 6);
    pub(super) const FIN: Self = Self(1 << 8);
    /// Sent the first RST.
    pub(super) const RESET: Self = Self(1 << 10);
    /// Sent payload that is no keep-alive.
    pub(super) const DATA: Self = Self(1 << 12);
    /// Sent something other than SYN and RST after the RST.
    pub(super) const SENT_AFTER_RESET: Self = Self(1 << 14);
    /// Offered selective acknowledgement.
    pub(super) const SACK: Self = Self(1 << 16);
    /// Sent the last of a row of duplicate ACKs that answer each other.
    pub(super) const DUPLICATE_ACK: Self = Self(1 << 18);

    const fn bit(self, side: Side) -> u32 {
        match side {
            Side::Low => self.0,
            Side::High => self.0 << 1,
        }
    }
}

impl Marks {
    /// A segment was seen that only an established connection has.
    pub(super) const ESTABLISHED: Self = Self(1 << 20);
    /// A SYN/ACK came after the client had completed the handshake.
    pub(super) const LATE_SYN_ACK: Self = Self(1 << 21);
    /// The RST came after FINs of both sides: some kernels end a connection so.
    pub(super) const RESET_AFTER_FINS: Self = Self(1 << 22);
    pub(super) const RESET_WITH_DATA: Self = Self(1 << 23);
    pub(super) const RESET_IGNORED: Self = Self(1 << 24);
    /// The side whose address the RST has sent something else after it, twice.
    pub(super) const RESETTER_SENT_TWICE: Self = Self(1 << 25);
    /// An ACK without SYN answered the SYN.
    pub(super) const ACK_FOR_SYN: Self = Self(1 << 26);
    /// The server sent something other than SYN/ACK and RST.
    pub(super) const SERVER_SENT: Self = Self(1 << 27);
    pub(super) const SYN_DATA: Self = Self(1 << 28);
    pub(super) const SYN_DATA_ACCEPTED: Self = Self(1 << 29);
    pub(super) const TIME_WAIT_REUSE: Self = Self(1 << 30);
    /// The ACK that ends the handshake carries payload.
    pub(super) const ACK_WITH_PAYLOAD: Self = Self(1 << 31);

    pub(super) const fn set(&mut self, mark: Self) {
        self.0 |= mark.0;
    }

    pub(super) const fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }

    pub(super) const fn set_by(&mut self, what: By, side: Side) {
        self.0 |= what.bit(side);
    }

    pub(super) const fn by(self, what: By, side: Side) -> bool {
        self.0 & what.bit(side) != 0
    }

    pub(super) const fn any(self, what: By) -> bool {
        self.by(what, Side::Low) || self.by(what, Side::High)
    }

    pub(super) const fn both(self, what: By) -> bool {
        self.by(what, Side::Low) && self.by(what, Side::High)
    }

    /// The side that did it; the low one if both did.
    pub(super) const fn who(self, what: By) -> Option<Side> {
        if self.by(what, Side::Low) {
            Some(Side::Low)
        } else if self.by(what, Side::High) {
            Some(Side::High)
        } else {
            None
        }
    }

    pub(super) const fn clear(&mut self, what: By) {
        self.0 &= !(what.bit(Side::Low) | what.bit(Side::High));
    }
}
