use crate::fact::{LatencyHistogram, Timing};

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
            p50_ns: None,
            p99_ns: None,
        }
    }
}

/// Times with their distribution. The first few are kept as they are: most flows have no more.
#[derive(Debug, Default)]
pub(crate) struct Distribution {
    samples: Samples,
    first: [u64; Self::FIRST],
    all: Option<Box<LatencyHistogram>>,
}

impl Distribution {
    const FIRST: usize = 2;

    pub(crate) fn record(&mut self, nanos: u64) {
        match (&mut self.all, self.first.get_mut(self.samples.count as usize)) {
            (Some(all), _) => all.record(nanos),
            (None, Some(slot)) => *slot = nanos,
            (None, None) => {
                let mut all = Box::<LatencyHistogram>::default();
                self.first.iter().for_each(|&n| all.record(n));
                all.record(nanos);
                self.all = Some(all);
            }
        }
        self.samples.record(i64::try_from(nanos).unwrap_or(i64::MAX));
    }

    /// Sum in nanoseconds, and number.
    pub(crate) fn sum(&self) -> (u64, u32) {
        (self.samples.sum_ns.unsigned_abs(), self.samples.count)
    }

    pub(crate) fn histogram(&self) -> Option<Box<LatencyHistogram>> {
        if self.all.is_some() || self.samples.count == 0 {
            return self.all.clone();
        }
        let mut few = Box::<LatencyHistogram>::default();
        self.first.iter().take(self.samples.count as usize).for_each(|&n| few.record(n));
        Some(few)
    }

    pub(crate) fn bytes(&self) -> usize {
        if self.all.is_some() { size_of::<LatencyHistogram>() } else { 0 }
    }

    pub(crate) fn timing(&self, histogram: Option<&LatencyHistogram>) -> Timing {
        Timing {
            p50_ns: histogram.and_then(|h| h.quantile_ns(0.5)),
            p99_ns: histogram.and_then(|h| h.quantile_ns(0.99)),
            ..self.samples.timing()
        }
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

    #[test]
    fn the_first_samples_are_in_the_histogram_too() {
        let mut d = Distribution::default();
        for n in 1..=9 {
            d.record(n * 1_000_000);
            let histogram = d.histogram().unwrap();
            assert_eq!(histogram.count(), n);
            assert_eq!(histogram.sum_ns(), n * (n + 1) / 2 * 1_000_000);
        }
        assert_eq!(d.timing(None).mean_ns, 5_000_000);
        assert_eq!(d.timing(None).min_ns, 1_000_000);
    }
}
