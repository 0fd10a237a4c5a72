//! Points in time.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A point in time: nanoseconds since the Unix epoch, UTC, as the kernel or the capture file gave
/// it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The Unix epoch, which also stands for "no time given" (pcapng Simple Packet Blocks).
    pub const ZERO: Self = Self(0);
    /// Later than every time that a source can give.
    pub const MAX: Self = Self(u64::MAX);

    /// Time from nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Time from whole seconds and nanoseconds; saturates instead of wrapping.
    pub const fn from_parts(seconds: u64, nanos: u32) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanos as u64))
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Nanoseconds from `earlier` to `self`, 0 where `earlier` is later.
    pub const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Signed nanoseconds from `other` to `self`; saturates at the ends of `i64`.
    pub const fn signed_nanos_since(self, other: Self) -> i64 {
        if self.0 >= other.0 {
            let d = self.0 - other.0;
            if d > i64::MAX as u64 { i64::MAX } else { d as i64 }
        } else {
            let d = other.0 - self.0;
            if d > i64::MAX as u64 { i64::MIN } else { -(d as i64) }
        }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    /// Saturates at [`Timestamp::MAX`].
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Timestamp {
    type Output = Duration;
    /// Zero where `earlier` is later.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        let t = Timestamp::from_parts(u64::MAX, 5);
        assert_eq!(t, Timestamp::MAX);
        assert_eq!(t + Duration::from_secs(1), Timestamp::MAX);
        assert_eq!(Timestamp::ZERO.nanos_since(t), 0);
        assert_eq!(Timestamp::ZERO.signed_nanos_since(t), i64::MIN);
        assert_eq!(Timestamp::from_nanos(7).signed_nanos_since(Timestamp::from_nanos(10)), -3);
    }
}
