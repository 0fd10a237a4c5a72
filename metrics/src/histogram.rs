//! Histograms of durations: the numbers of a shard, and the family's metric.

use std::sync::{Arc, Mutex, PoisonError};

use fact::{Latencies, LatencyHistogram};
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Upper bounds of the buckets in nanoseconds: a network in one host (µs) to a hung service (a
/// minute).
const BOUNDS_NS: [u64; 20] = [
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    60_000_000_000,
];

/// Durations by bucket, and their sum.
#[derive(Clone, Debug, Default)]
pub(crate) struct DurationTally {
    /// One for each bound, and one for all above.
    counts: [u64; BOUNDS_NS.len() + 1],
    sum_ns: u128,
}

impl DurationTally {
    /// Counts one sample.
    pub(crate) fn observe(&mut self, nanos: u64) {
        self.counts[slot(nanos)] += 1;
        self.sum_ns += u128::from(nanos);
    }

    /// Counts the samples of `now` that `before` lacks.
    pub(crate) fn add_since(&mut self, now: &Latencies, before: Option<&Latencies>) {
        let counted = before.and_then(Latencies::few).unwrap_or_default();
        match now {
            Latencies::Few { .. } => {
                let new = now.few().unwrap_or_default().iter().skip(counted.len());
                new.for_each(|&nanos| self.observe(nanos));
            }
            Latencies::Many(now) => match before {
                Some(Latencies::Many(before)) => self.add_histogram(now, before),
                _ => {
                    let mut before = LatencyHistogram::default();
                    counted.iter().for_each(|&nanos| before.record(nanos));
                    self.add_histogram(now, &before);
                }
            },
        }
    }

    fn add_histogram(&mut self, now: &LatencyHistogram, before: &LatencyHistogram) {
        for (index, (now, before)) in now.counts().iter().zip(before.counts()).enumerate() {
            if now > before {
                // The upper end of the finer bucket decides, so a sample is never put below its
                // true time.
                self.counts[slot(LatencyHistogram::upper_ns(index))] += u64::from(now - before);
            }
        }
        self.sum_ns += u128::from(now.sum_ns().saturating_sub(before.sum_ns()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.counts.iter().all(|&count| count == 0)
    }
}

/// A histogram to which many samples are added at once. The library's own takes one at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct DurationHistogram(Arc<Mutex<DurationTally>>);

impl DurationHistogram {
    /// Adds one sample.
    pub(crate) fn observe(&self, nanos: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).observe(nanos);
    }

    /// Adds all samples of `durations`.
    pub(crate) fn add(&self, durations: &DurationTally) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (sum, count) in all.counts.iter_mut().zip(durations.counts) {
            *sum += count;
        }
        all.sum_ns += durations.sum_ns;
    }
}

/// Upper bound in seconds of the bucket that a sample falls into; none for the last.
pub(crate) fn bucket_bound(nanos: u64) -> Option<f64> {
    BOUNDS_NS.get(slot(nanos)).map(|&ns| ns as f64 / 1e9)
}

fn slot(nanos: u64) -> usize {
    BOUNDS_NS.partition_point(|&bound| bound < nanos)
}

impl TypedMetric for DurationHistogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for DurationHistogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bound = |i: usize| BOUNDS_NS.get(i).map_or(f64::INFINITY, |&ns| ns as f64 / 1e9);
        let buckets: Vec<(f64, u64)> =
            state.counts.iter().enumerate().map(|(i, &n)| (bound(i), n)).collect();
        encoder.encode_histogram::<NoLabelSet>(
            state.sum_ns as f64 / 1e9,
            state.counts.iter().sum(),
            &buckets,
            None,
        )
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_added() {
        let mut times = DurationTally::default();
        let mut samples = Latencies::default();
        samples.record(40_000);
        times.add_since(&samples, None);
        let before = samples.clone();
        samples.record(3_000_000);
        times.add_since(&samples, Some(&before));
        let before = samples.clone();
        samples.record(u64::MAX / 4);
        times.add_since(&samples, Some(&before));
        let seconds = DurationHistogram::default();
        seconds.add(&times);
        let state = seconds.0.lock().unwrap();
        assert_eq!(state.counts.iter().sum::<u64>(), 3);
        assert_eq!(state.counts[slot(50_000)], 1);
        assert_eq!(state.sum_ns, 40_000 + 3_000_000 + u128::from(u64::MAX / 4));
    }

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        assert_eq!(slot(10_000), 0);
        assert_eq!(slot(10_001), 1);
        assert_eq!(slot(u64::MAX), BOUNDS_NS.len());
    }
}
