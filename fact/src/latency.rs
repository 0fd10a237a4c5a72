//! Times of a flow: the first few as they are, then their distribution.

/// Distribution of times: 4 buckets an octave from 1 µs (2^10 ns) to 69 s (2^36 ns), so a
/// percentile is at most 25 % off. Fixed size, no allocation; two of them are summed or subtracted
/// bucket by bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatencyHistogram {
    counts: [u32; Self::BUCKETS],
    sum_ns: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self { counts: [0; Self::BUCKETS], sum_ns: 0 }
    }
}

impl LatencyHistogram {
    const FIRST_OCTAVE: u32 = 10;
    const OCTAVES: u32 = 26;
    /// Number of buckets; the first also holds all below it, the last all above it.
    pub const BUCKETS: usize = (Self::OCTAVES * 4) as usize;

    /// Counts one sample.
    pub fn record(&mut self, nanos: u64) {
        let slot = &mut self.counts[Self::bucket(nanos)];
        *slot = slot.saturating_add(1);
        self.sum_ns = self.sum_ns.saturating_add(nanos);
    }

    fn bucket(nanos: u64) -> usize {
        let octave = nanos.max(1).ilog2();
        if octave < Self::FIRST_OCTAVE {
            return 0;
        }
        let quarter = (nanos >> (octave - 2)) & 3;
        (((octave - Self::FIRST_OCTAVE) * 4) as usize + quarter as usize).min(Self::BUCKETS - 1)
    }

    /// First nanosecond above bucket `index`.
    pub const fn upper_ns(index: usize) -> u64 {
        let octave = Self::FIRST_OCTAVE + (index / 4) as u32;
        (1u64 << octave) + ((index % 4) as u64 + 1) * (1u64 << (octave - 2))
    }

    /// Samples in each bucket.
    pub fn counts(&self) -> &[u32; Self::BUCKETS] {
        &self.counts
    }

    /// Sum of all samples in nanoseconds.
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// Number of samples.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|&n| u64::from(n)).sum()
    }

    /// First nanosecond of bucket `index`.
    const fn lower_ns(index: usize) -> u64 {
        match index {
            0 => 0,
            _ => Self::upper_ns(index - 1),
        }
    }

    /// The sample of rank `q` (0 to 1), as if those of its bucket were spread evenly over it; none
    /// without samples.
    pub fn quantile_ns(&self, q: f64) -> Option<u64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = ((q * count as f64).ceil() as u64).clamp(1, count);
        let mut before = 0;
        self.counts.iter().enumerate().find_map(|(i, &n)| {
            let place = rank - before;
            before += u64::from(n);
            (before >= rank).then(|| {
                let width = (Self::upper_ns(i) - Self::lower_ns(i)) as f64;
                let share = (place as f64 - 0.5) / f64::from(n);
                Self::lower_ns(i) + (width * share) as u64
            })
        })
    }
}

/// Times of one flow: the first few as they are, since most flows have no more, then their
/// distribution.
#[derive(Debug, PartialEq, Eq)]
pub enum Latencies {
    /// The first of these nanoseconds, as many as `count` says.
    Few {
        /// In the order in which they were measured.
        nanos: [u64; Self::FEW],
        /// How many there are.
        count: u8,
    },
    /// Many.
    Many(Box<LatencyHistogram>),
}

impl Default for Latencies {
    fn default() -> Self {
        Self::Few { nanos: [0; Self::FEW], count: 0 }
    }
}

impl Clone for Latencies {
    fn clone(&self) -> Self {
        match self {
            Self::Few { nanos, count } => Self::Few { nanos: *nanos, count: *count },
            Self::Many(all) => Self::Many(all.clone()),
        }
    }

    /// Copies a distribution into the memory that there is.
    fn clone_from(&mut self, source: &Self) {
        match (self, source) {
            (Self::Many(all), Self::Many(source)) => all.clone_from(source),
            (all, source) => *all = source.clone(),
        }
    }
}

impl Latencies {
    /// Times that are kept as they are.
    pub const FEW: usize = 6;

    /// Counts one sample.
    pub fn record(&mut self, sample: u64) {
        match self {
            Self::Few { nanos, count } => match nanos.get_mut(usize::from(*count)) {
                Some(place) => {
                    *place = sample;
                    *count += 1;
                }
                None => {
                    let mut all = Box::<LatencyHistogram>::default();
                    nanos.iter().for_each(|&n| all.record(n));
                    all.record(sample);
                    *self = Self::Many(all);
                }
            },
            Self::Many(all) => all.record(sample),
        }
    }

    /// The times themselves, while there are few.
    pub fn few(&self) -> Option<&[u64]> {
        match self {
            Self::Few { nanos, count } => {
                Some(nanos.get(..usize::from(*count)).unwrap_or_default())
            }
            Self::Many(_) => None,
        }
    }

    /// The sample of rank `q` (0 to 1): exact while there are few, then as that of
    /// [`LatencyHistogram::quantile_ns`]; none without samples.
    pub fn quantile_ns(&self, q: f64) -> Option<u64> {
        match self {
            Self::Many(all) => all.quantile_ns(q),
            Self::Few { .. } => {
                let mut sorted = [0; Self::FEW];
                let few = self.few().filter(|few| !few.is_empty())?;
                sorted[..few.len()].copy_from_slice(few);
                let sorted = &mut sorted[..few.len()];
                sorted.sort_unstable();
                let rank = ((q * few.len() as f64).ceil() as usize).clamp(1, few.len());
                sorted.get(rank - 1).copied()
            }
        }
    }

    /// Heap memory, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Few { .. } => 0,
            Self::Many(_) => size_of::<LatencyHistogram>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_lies_below_the_upper_end_of_its_bucket_and_within_a_quarter() {
        for exponent in 10..36 {
            for n in [
                1u64 << exponent,
                (1 << exponent) + 1,
                (1 << exponent) + (1 << (exponent - 1)),
                (2 << exponent) - 1,
            ] {
                let upper = LatencyHistogram::upper_ns(LatencyHistogram::bucket(n));
                assert!(n < upper && upper as f64 <= n as f64 * 1.25 + 1.0, "{n} {upper}");
            }
        }
    }

    #[test]
    fn extremes_are_counted_not_lost() {
        let mut h = LatencyHistogram::default();
        h.record(0);
        h.record(u64::MAX);
        assert_eq!(h.count(), 2);
        let last = LatencyHistogram::BUCKETS - 1;
        let bucket = LatencyHistogram::lower_ns(last)..LatencyHistogram::upper_ns(last);
        assert!(bucket.contains(&h.quantile_ns(1.0).unwrap_or(0)));
        assert!(h.quantile_ns(0.0).is_some_and(|ns| ns < LatencyHistogram::upper_ns(0)));
    }

    #[test]
    fn few_times_have_exact_quantiles_and_become_a_histogram() {
        let (mut few, mut all) = (Latencies::default(), LatencyHistogram::default());
        assert_eq!(few.quantile_ns(0.5), None);
        let times = [9_000_000, 40_000, 700, 40_001, 5, 80_000_000, 1_000];
        for n in times {
            few.record(n);
            all.record(n);
            if let Some(few) = few.few() {
                assert_eq!(few.last(), Some(&n));
            }
        }
        let mut exact = Latencies::default();
        times.iter().take(6).for_each(|&n| exact.record(n));
        let quantiles = [0.0, 0.5, 0.99, 1.0].map(|q| exact.quantile_ns(q));
        assert_eq!(quantiles, [5, 40_000, 80_000_000, 80_000_000].map(Some));
        assert_eq!(few, Latencies::Many(Box::new(all)));
    }

    #[test]
    fn the_quantiles_of_many_times_are_within_a_tenth_of_them() {
        for middle in [20_000, 2_100_000, 40_400_000, 300_000_000u64] {
            let mut h = LatencyHistogram::default();
            let times = || (0..101).map(|n| middle * (900 + 2 * n) / 1000);
            times().for_each(|n| h.record(n));
            let told = h.quantile_ns(0.5).unwrap_or(0);
            assert!(told.abs_diff(middle) <= middle / 10, "{told}, truly {middle}");
        }
    }
}
