//! The kernel programs' clock made into ours.

use rustix::time::{ClockId, Timespec, clock_gettime};
use wire::Timestamp;

const REFRESH_NS: i64 = 1_000_000_000;
const TRIES: usize = 5;

/// Converts CLOCK_MONOTONIC, which `bpf_ktime_get_ns` reads, to nanoseconds since the Unix epoch.
///
/// The offset is measured again every second, so that steps of the wall clock and its slewing are
/// followed; a record that waited across a step gets the new offset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    offset: i64,
    measured: i64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let mut clock = Self { offset: 0, measured: 0 };
        clock.measure();
        clock
    }

    /// Measures the offset anew if that was a second or longer ago.
    pub(crate) fn refresh(&mut self) {
        if nanos(ClockId::Monotonic).saturating_sub(self.measured) >= REFRESH_NS {
            self.measure();
        }
    }

    /// Reads the wall clock between two readings of the monotonic one, and keeps the closest of
    /// some tries.
    fn measure(&mut self) {
        let mut narrowest = i64::MAX;
        for _ in 0..TRIES {
            let before = nanos(ClockId::Monotonic);
            let wall = nanos(ClockId::Realtime);
            let after = nanos(ClockId::Monotonic);
            let width = after.saturating_sub(before);
            if width < narrowest {
                narrowest = width;
                self.offset = wall.saturating_sub(before.saturating_add(width / 2));
                self.measured = after;
            }
        }
    }

    /// Wall-clock time of a monotonic one.
    pub(crate) const fn wall(&self, monotonic_ns: u64) -> Timestamp {
        Timestamp::from_nanos(monotonic_ns.saturating_add_signed(self.offset))
    }
}

fn nanos(id: ClockId) -> i64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(id);
    tv_sec.saturating_mul(1_000_000_000).saturating_add(tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotonic_now_is_wall_now() {
        let clock = Clock::new();
        let wall = clock.wall(u64::try_from(nanos(ClockId::Monotonic)).expect("after boot"));
        let now = u64::try_from(nanos(ClockId::Realtime)).expect("after 1970");
        assert!(now.abs_diff(wall.as_nanos()) < 50_000_000, "{now} {wall:?}");
    }

    #[test]
    fn extremes_saturate() {
        let clock = Clock { offset: i64::MAX, measured: 0 };
        assert_eq!(clock.wall(u64::MAX), Timestamp::MAX);
        let clock = Clock { offset: i64::MIN, measured: 0 };
        assert_eq!(clock.wall(1), Timestamp::ZERO);
    }
}
