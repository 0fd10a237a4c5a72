//! Why an acknowledgement is no sample of the network's round-trip time, and counts of these.

use std::fmt;
use std::ops::{Index, IndexMut};

/// Makes the enum of reasons, the list of them, and their names.
macro_rules! reasons {
    ($($(#[$doc:meta])+ $reason:ident = $name:literal;)+) => {
        /// Why the time from a segment to its acknowledgement is no sample of `rtt`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum RttLeftOut {
            $($(#[$doc])+ $reason,)+
        }

        impl RttLeftOut {
            /// Number of reasons.
            pub const COUNT: usize = Self::ALL.len();
            /// All reasons, in the order of records.
            pub const ALL: &'static [Self] = &[$(Self::$reason,)+];
            const NAMES: [&'static str; Self::COUNT] = [$($name,)+];
        }
    };
}

reasons! {
    /// The ACK carries payload: an application decided when it was sent.
    WithPayload = "with_payload";
    /// The ACK is on a FIN or RST: an application closed.
    Closing = "closing";
    /// The ACK took longer than the network does, by samples that are certain: the receiver waited
    /// before it acknowledged (RFC 1122, section 4.2.3.2), or the path has become slower.
    Delayed = "delayed";
    /// The receiver may have waited before it acknowledged, and nothing tells how long the network
    /// takes.
    Undecided = "undecided";
    /// What was acknowledged had been sent more than once (Karn) or had waited for a hole to be
    /// filled.
    Retransmitted = "retransmitted";
}

impl RttLeftOut {
    /// Name in records and in the label `reason`.
    pub const fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// A count for each [`RttLeftOut`]; counts stop at the largest number.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct RttLeftOutCounts([u32; RttLeftOut::COUNT]);

impl RttLeftOutCounts {
    /// Counts one.
    pub fn increment(&mut self, reason: RttLeftOut) {
        self[reason] = self[reason].saturating_add(1);
    }

    /// Every reason with its count.
    pub fn iter(&self) -> impl Iterator<Item = (RttLeftOut, u32)> {
        RttLeftOut::ALL.iter().copied().zip(self.0)
    }

    /// Whether nothing was left out.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&count| count == 0)
    }
}

impl Index<RttLeftOut> for RttLeftOutCounts {
    type Output = u32;

    fn index(&self, reason: RttLeftOut) -> &u32 {
        &self.0[reason as usize]
    }
}

impl IndexMut<RttLeftOut> for RttLeftOutCounts {
    fn index_mut(&mut self, reason: RttLeftOut) -> &mut u32 {
        &mut self.0[reason as usize]
    }
}

/// Shows the counts that are not zero.
impl fmt::Debug for RttLeftOutCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().filter(|&(_, count)| count > 0)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_own_name_and_count() {
        let mut counts = RttLeftOutCounts::default();
        assert!(counts.is_empty());
        for (index, &reason) in RttLeftOut::ALL.iter().enumerate() {
            assert_eq!(reason as usize, index);
            (0..=index).for_each(|_| counts.increment(reason));
        }
        assert!(counts.iter().map(|(_, count)| count).eq(1..=RttLeftOut::COUNT as u32));
        assert_eq!(RttLeftOut::Delayed.as_str(), "delayed");
        counts[RttLeftOut::Closing] = u32::MAX;
        counts.increment(RttLeftOut::Closing);
        assert_eq!(counts[RttLeftOut::Closing], u32::MAX);
    }
}
