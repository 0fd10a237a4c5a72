//! How often an invariant of the program did not hold.

use std::borrow::Cow;
use std::fmt::Error;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Registry;

use super::info::FamilyInfo;

/// Failures by place, since the program started.
type Failures = fn() -> Vec<(&'static str, u64)>;

/// `wirespan_invariant_failures_total`. The counts are those of [`wire::invariant_failures`], which
/// are read when the text is written.
#[derive(Debug)]
pub(crate) struct InvariantFailures {
    failures: Failures,
}

impl InvariantFailures {
    pub(crate) const FAMILIES: &'static [FamilyInfo] = &[INFO];

    pub(crate) fn register(registry: &mut Registry) {
        registry.register_collector(Box::new(Self { failures: wire::invariant_failures }));
    }
}

const INFO: FamilyInfo = FamilyInfo {
    stem: Cow::Borrowed("invariant_failures"),
    metric_type: MetricType::Counter,
    unit: None,
    labels: &["place"],
    help: "Invariants of the program that did not hold, each a bug, by module",
};

impl Collector for InvariantFailures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = format!("{}.", INFO.help);
        let mut family = encoder.encode_descriptor(&INFO.stem, &help, None, INFO.metric_type)?;
        for (place, count) in (self.failures)() {
            let labels: Vec<_> = INFO.labels.iter().map(|label| (*label, place)).collect();
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(failures: Failures) -> String {
        let mut registry = Registry::with_prefix("wirespan");
        registry.register_collector(Box::new(InvariantFailures { failures }));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("a String takes it");
        text
    }

    #[test]
    fn failures_are_counted_by_place() {
        let head = "# HELP wirespan_invariant_failures Invariants of the program that did not hold, \
                    each a bug, by module.\n# TYPE wirespan_invariant_failures counter\n";
        let samples = "wirespan_invariant_failures_total{place=\"analyzer::flow\"} 2\n\
                       wirespan_invariant_failures_total{place=\"wire\"} 1\n";
        assert_eq!(
            text(|| vec![("analyzer::flow", 2), ("wire", 1)]),
            format!("{head}{samples}# EOF\n")
        );
        assert_eq!(text(Vec::new), format!("{head}# EOF\n"));
    }
}
