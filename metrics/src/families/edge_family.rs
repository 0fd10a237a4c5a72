//! Families of service edges, with a bound on their series.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::{MetricType, TypedMetric};

use super::info::{FamilyInfo, FromInfo};
use crate::edge::{Edge, Series};

/// A family with at most `max_series` series. Further ones are counted in one series whose labels
/// all have the value `__overflow__`.
#[derive(Debug)]
pub(crate) struct EdgeFamily<M> {
    info: &'static FamilyInfo,
    family: Family<Series, M>,
    created: Arc<AtomicUsize>,
    max_series: usize,
}

impl<M: Clone + Default> EdgeFamily<M> {
    /// The metric of `edge` with these values of the further labels, in the order of the row.
    pub(crate) fn get_or_create<const N: usize>(
        &self,
        edge: &Arc<Edge>,
        values: [Cow<'static, str>; N],
    ) -> M {
        let series = self.series(edge, values);
        if let Some(metric) = self.family.get(&series) {
            return metric.clone();
        }
        // Two shards that create the same series at once count it twice: the bound is reached a
        // little earlier then.
        let below = |created: usize| (created < self.max_series).then(|| created + 1);
        let has_room =
            self.created.fetch_update(Ordering::Relaxed, Ordering::Relaxed, below).is_ok();
        let series = if has_room { series } else { series.overflow() };
        self.family.get_or_create(&series).clone()
    }

    pub(crate) fn series<const N: usize>(
        &self,
        edge: &Arc<Edge>,
        values: [Cow<'static, str>; N],
    ) -> Series {
        const { assert!(N <= Series::MAX_LABELS) };
        wire::invariant!(
            N == self.info.labels.len(),
            "a family gets a value for each of its labels"
        );
        let mut series = Series { edge: edge.clone(), labels: Default::default() };
        let labels = self.info.labels.iter().copied().zip(values);
        series.labels.iter_mut().zip(labels).for_each(|(slot, label)| *slot = Some(label));
        series
    }
}

impl<M> Clone for EdgeFamily<M> {
    fn clone(&self) -> Self {
        let Self { info, family, created, max_series } = self;
        Self { info, family: family.clone(), created: created.clone(), max_series: *max_series }
    }
}

impl<M: EncodeMetric + TypedMetric + Clone + Default + std::fmt::Debug + Send + Sync + 'static>
    FromInfo for EdgeFamily<M>
{
    fn from_info(info: &'static FamilyInfo, max_series: usize) -> Self {
        Self { info, family: Family::default(), created: Arc::default(), max_series }
    }
}

impl<M: TypedMetric> TypedMetric for EdgeFamily<M> {
    const TYPE: MetricType = M::TYPE;
}

impl<M: EncodeMetric + TypedMetric + Default + Send + Sync + 'static> EncodeMetric
    for EdgeFamily<M>
{
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

    const INFO: FamilyInfo = FamilyInfo {
        stem: Cow::Borrowed("test"),
        metric_type: MetricType::Counter,
        unit: None,
        labels: &[],
        help: "Test",
    };

    #[test]
    fn beyond_the_bound_everything_goes_to_one_series() {
        let family: EdgeFamily<Counter> = EdgeFamily::from_info(&INFO, 2);
        let edge = |n: u32| {
            let name: Arc<str> = format!("client{n}").into();
            Arc::new(Edge::new(TapKind::Veth, "http", name, "server".into()))
        };
        (0..10).for_each(|n| {
            family.get_or_create(&edge(n), []).inc();
        });
        assert_eq!(family.get_or_create(&edge(1), []).get(), 1);
        assert!(family.family.get(&family.series(&edge(2), [])).is_none());
        assert_eq!(family.get_or_create(&edge(99), []).get(), 8);
    }
}
