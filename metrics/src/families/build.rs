//! The version of the program as a family.

use std::borrow::Cow;

use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::info::FamilyInfo;

/// `wirespan_build_info`.
pub(crate) struct Build;

impl Build {
    pub(crate) const FAMILIES: &'static [FamilyInfo] = &[FamilyInfo {
        stem: Cow::Borrowed("build"),
        metric_type: MetricType::Info,
        unit: None,
        labels: &["version"],
        help: "Version of the program",
    }];

    pub(crate) fn register(registry: &mut Registry, version: &'static str) {
        for info in Self::FAMILIES {
            let labels: Vec<_> = info.labels.iter().map(|label| (*label, version)).collect();
            info.register(registry, Info::new(labels));
        }
    }
}
