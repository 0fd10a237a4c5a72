//! Records as the documentation promises them; views of facts, serialised without copying.

mod direction;
mod flow;
mod span;
mod traced;

pub(crate) use flow::Flow;
pub(crate) use span::Span;
pub(crate) use traced::TracedSpan;

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

/// One end of a connection.
#[derive(Debug, Serialize)]
pub(crate) struct End {
    address: IpAddr,
    port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<Arc<str>>,
}

impl From<wire::Endpoint> for End {
    fn from(end: wire::Endpoint) -> Self {
        Self { address: end.address, port: end.port, workload: None }
    }
}

impl End {
    /// The end with the name of its workload, if that is known.
    fn with_workload(self, workload: Option<Arc<str>>) -> Self {
        Self { workload, ..self }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
pub(super) fn is_zero(n: &u64) -> bool {
    *n == 0
}
