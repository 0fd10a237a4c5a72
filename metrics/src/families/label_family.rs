//! Families with labels of a small set of values: those about Wirespan itself.

use std::borrow::Cow;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::{MetricType, TypedMetric};

use super::info::{FamilyInfo, FromInfo};

type Labels = Vec<(&'static str, Cow<'static, str>)>;

/// A family whose label names stand in its row, so that only values are given.
#[derive(Debug)]
pub(crate) struct LabelFamily<M> {
    info: &'static FamilyInfo,
    family: Family<Labels, M>,
}

impl<M: Clone + Default> LabelFamily<M> {
    /// The metric with these values of the labels, in the order of the row.
    pub(crate) fn get_or_create<const N: usize>(&self, values: [Cow<'static, str>; N]) -> M {
        wire::invariant!(
            N == self.info.labels.len(),
            "a family gets a value for each of its labels"
        );
        let labels: Labels = self.info.labels.iter().copied().zip(values).collect();
        self.family.get_or_create(&labels).clone()
    }

    /// Creates a series for each of `values`: a counter that starts at 0 shows its first increase.
    pub(crate) fn create_all(&self, values: impl IntoIterator<Item = &'static str>) {
        for value in values {
            self.get_or_create([value.into()]);
        }
    }
}

impl<M> Clone for LabelFamily<M> {
    fn clone(&self) -> Self {
        Self { info: self.info, family: self.family.clone() }
    }
}

impl<M: EncodeMetric + TypedMetric + Clone + Default + std::fmt::Debug + Send + Sync + 'static>
    FromInfo for LabelFamily<M>
{
    fn from_info(info: &'static FamilyInfo, _: usize) -> Self {
        Self { info, family: Family::default() }
    }
}

impl<M: TypedMetric> TypedMetric for LabelFamily<M> {
    const TYPE: MetricType = M::TYPE;
}

impl<M: EncodeMetric + TypedMetric + Default> EncodeMetric for LabelFamily<M> {
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
