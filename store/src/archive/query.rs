//! What traces are asked for, and the text that a service is found by.

use std::time::Duration;

use crate::model::Trace;

/// What traces are asked for; the newest come first.
#[derive(Clone, Debug)]
pub struct Query {
    /// Text that a workload, command, control group, address, port or host name of a call
    /// contains, case ignored.
    pub service: Option<String>,
    /// Shortest duration of the root call.
    pub min_duration: Duration,
    /// Only traces (true) with a failed call, or (false) without.
    pub error: Option<bool>,
    /// At most so many.
    pub limit: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self { service: None, min_duration: Duration::ZERO, error: None, limit: 100 }
    }
}

impl Query {
    pub(super) fn min_duration_ns(&self) -> u64 {
        u64::try_from(self.min_duration.as_nanos()).unwrap_or(u64::MAX)
    }

    pub(super) fn service(&self) -> Option<String> {
        self.service.as_ref().map(|text| text.to_lowercase()).filter(|text| !text.is_empty())
    }
}

/// All that a service can be found by, one a line.
pub(super) fn services(trace: &Trace) -> String {
    let mut lines: Vec<String> = Vec::new();
    trace.visit(|call| {
        for peer in [&call.client, &call.server] {
            lines.push(format!("{}:{}", peer.address, peer.port));
            lines.extend(peer.workload.as_deref().map(str::to_lowercase));
            if let Some(process) = &peer.process {
                lines.push(process.command.to_lowercase());
                lines.push(process.cgroup.to_lowercase());
            }
        }
        for key in ["server.address", "url.domain", "rpc.service", "dns.question.name"] {
            if let Some(text) = call.attributes.text(key) {
                lines.push(text.to_lowercase());
            }
        }
    });
    lines.sort_unstable();
    lines.dedup();
    lines.join("\n")
}
