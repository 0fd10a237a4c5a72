//! Count, smallest, mean and largest of times, and their distribution.

use fact::{Latencies, Timing};

/// Times of one kind: count, smallest, sum, largest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Samples {
    sum_ns: i64,
    min_ns: i64,
    max_ns: i64,
    count: u32,
}

impl Samples {
    pub(crate) fn record(&mut self, nanos: i64) {
        (self.min_ns, self.max_ns) = match self.count {
            0 => (nanos, nanos),
            _ => (self.min_ns.min(nanos), self.max_ns.max(nanos)),
        };
        self.sum_ns = self.sum_ns.saturating_add(nanos);
        self.count = self.count.saturating_add(1);
    }

    pub(crate) fn mean_ns(&self) -> Option<i64> {
        self.sum_ns.checked_div(i64::from(self.count))
    }

    pub(crate) fn timing(&self) -> Timing {
        Timing {
            count: u64::from(self.count),
            min_ns: self.min_ns,
            mean_ns: self.mean_ns().unwrap_or(0),
            max_ns: self.max_ns,
        }
    }
}

/// Times with their distribution.
#[derive(Debug, Default)]
pub(crate) struct Distribution {
    samples: Samples,
    latencies: Latencies,
}

impl Distribution {
    pub(crate) fn record(&mut self, nanos: u64) {
        self.latencies.record(nanos);
        self.samples.record(i64::try_from(nanos).unwrap_or(i64::MAX));
    }

    /// Sum in nanoseconds, and number.
    pub(crate) fn sum(&self) -> (u64, u32) {
        (self.samples.sum_ns.unsigned_abs(), self.samples.count)
    }

    pub(crate) fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    pub(crate) fn bytes(&self) -> usize {
        self.latencies.bytes()
    }

    pub(crate) fn timing(&self) -> Timing {
        self.samples.timing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_may_be_negative() {
        let mut samples = Samples::default();
        [-30, -10, 7].into_iter().for_each(|n| samples.record(n));
        let t = samples.timing();
        assert_eq!((t.count, t.min_ns, t.mean_ns, t.max_ns), (3, -30, -11, 7));
    }
}
