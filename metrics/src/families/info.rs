//! What a family is called, and the macro that makes a struct of families from a table.

use std::borrow::Cow;

use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Metric, Registry, Unit};

/// Prefix of every family.
pub(crate) const PREFIX: &str = "wirespan";

/// A row of a table of families.
#[derive(Clone, Debug)]
pub struct FamilyInfo {
    /// Name without prefix, unit and the type's suffix.
    pub(crate) stem: Cow<'static, str>,
    pub(crate) metric_type: MetricType,
    pub(crate) unit: Option<Unit>,
    /// Names of the labels; of an edge family those besides the edge's.
    pub(crate) labels: &'static [&'static str],
    /// Help text, without the full stop that the encoder adds.
    pub(crate) help: &'static str,
}

impl FamilyInfo {
    /// Name of the samples in the text, `wirespan_flow_bytes_total`; of a histogram without
    /// `_bucket`, `_sum` and `_count`.
    pub fn name(&self) -> String {
        let unit = self.unit.as_ref().map(|unit| format!("_{}", unit.as_str())).unwrap_or_default();
        let suffix = match self.metric_type {
            MetricType::Counter => "_total",
            MetricType::Info => "_info",
            _ => "",
        };
        format!("{PREFIX}_{}{unit}{suffix}", self.stem)
    }

    /// Type as in the Prometheus text format: `counter`, `gauge` or `histogram`. An info is a gauge
    /// there.
    pub const fn type_name(&self) -> &'static str {
        match self.metric_type {
            MetricType::Counter => "counter",
            MetricType::Gauge | MetricType::Info => "gauge",
            MetricType::Histogram => "histogram",
            MetricType::Unknown => "untyped",
        }
    }

    /// Names of the labels; of a family of service edges those besides the edge's.
    pub const fn labels(&self) -> &'static [&'static str] {
        self.labels
    }

    pub(crate) fn register(&self, registry: &mut Registry, metric: impl Metric) {
        match &self.unit {
            Some(unit) => registry.register_with_unit(&*self.stem, self.help, unit.clone(), metric),
            None => registry.register(&*self.stem, self.help, metric),
        }
    }
}

/// A family as a field of a table: made from its row, with at most `max_series` series where labels
/// come from the wire.
pub(super) trait FromInfo: Metric + Clone {
    fn from_info(info: &'static FamilyInfo, max_series: usize) -> Self;
}

impl<N, A> FromInfo for prometheus_client::metrics::counter::Counter<N, A>
where
    Self: Metric + Clone + Default,
{
    fn from_info(_: &'static FamilyInfo, _: usize) -> Self {
        Self::default()
    }
}

impl<N, A> FromInfo for prometheus_client::metrics::gauge::Gauge<N, A>
where
    Self: Metric + Clone + Default,
{
    fn from_info(_: &'static FamilyInfo, _: usize) -> Self {
        Self::default()
    }
}

/// Makes a struct of families from a table: field, type of the family, name, unit, labels, help.
///
/// The struct gets `FAMILIES`, its rows, and `register`, which makes and registers every family.
macro_rules! table {
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident {
            $(
                $field:ident: $family:ty,
                $stem:literal $(in $unit:ident)?, [$($label:literal),*], $help:literal;
            )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        $vis struct $name {
            $(pub(super) $field: $family,)*
        }

        impl $name {
            /// The rows of the table.
            pub(crate) const FAMILIES: &'static [$crate::families::FamilyInfo] = &[
                $($crate::families::info::table!(
                    @row $family, $stem, [$($unit)?], [$($label),*], $help
                ),)*
            ];

            /// Makes the families and registers them.
            pub(crate) fn register(
                registry: &mut prometheus_client::registry::Registry,
                max_series: usize,
            ) -> Self {
                Self {
                    $($field: {
                        const ROW: &$crate::families::FamilyInfo = &$crate::families::info::table!(
                            @row $family, $stem, [$($unit)?], [$($label),*], $help
                        );
                        let family = <$family as $crate::families::info::FromInfo>::from_info(
                            ROW, max_series,
                        );
                        ROW.register(registry, family.clone());
                        family
                    },)*
                }
            }
        }
    };
    (@row $family:ty, $stem:literal, [$($unit:ident)?], [$($label:literal),*], $help:literal) => {
        $crate::families::FamilyInfo {
            stem: std::borrow::Cow::Borrowed($stem),
            metric_type: <$family as prometheus_client::metrics::TypedMetric>::TYPE,
            unit: $crate::families::info::table!(@unit $($unit)?),
            labels: &[$($label),*],
            help: $help,
        }
    };
    (@unit) => { None };
    (@unit $unit:ident) => { Some(prometheus_client::registry::Unit::$unit) };
}
pub(super) use table;
