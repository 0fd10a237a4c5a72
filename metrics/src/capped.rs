use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::{MetricType, TypedMetric};

use crate::edge::Series;

/// A family with at most `cap` series; what would be one more goes to the series whose labels all say `__overflow__`.
#[derive(Clone, Debug)]
pub(crate) struct Capped<M> {
    family: Family<Series, M>,
    made: Arc<AtomicUsize>,
    cap: usize,
}

impl<M: Clone + Default> Capped<M> {
    pub(crate) fn new(cap: usize) -> Self {
        Self { family: Family::default(), made: Arc::default(), cap }
    }

    /// The metric of `series`.
    pub(crate) fn at(&self, series: &Series) -> M {
        if let Some(metric) = self.family.get(series) {
            return metric.clone();
        }
        // Two shards that make the same series at once count it twice: the cap then comes that much earlier.
        let free =
            self.made.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < self.cap).then_some(n + 1));
        let overflow;
        let series = match free {
            Ok(_) => series,
            Err(_) => {
                overflow = series.overflow();
                &overflow
            }
        };
        self.family.get_or_create(series).clone()
    }
}

impl<M: TypedMetric> TypedMetric for Capped<M> {
    const TYPE: MetricType = M::TYPE;
}

impl<M: EncodeMetric + TypedMetric + Default + Send + Sync + 'static> EncodeMetric for Capped<M> {
    fn encode(&self, encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.family.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }

    fn is_empty(&self) -> bool {
        EncodeMetric::is_empty(&self.family)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use wire::TapKind;

    use super::*;
    use crate::edge::Edge;

    #[test]
    fn beyond_the_cap_everything_goes_to_one_series() {
        let family: Capped<Counter> = Capped::new(2);
        let series = |n: u32| {
            let name: Arc<str> = format!("client{n}").into();
            Series::of(&Arc::new(Edge::new(TapKind::Veth, "http", name, "server".into())))
        };
        (0..10).for_each(|n| {
            family.at(&series(n)).inc();
        });
        assert_eq!(family.at(&series(1)).get(), 1);
        assert!(family.family.get(&series(2)).is_none());
        assert_eq!(family.at(&series(99)).get(), 8);
    }
}
