//! Records as the documentation promises them; views of facts, serialised without copying.

mod direction;
mod flow;
mod span;
mod traced;

pub(crate) use flow::Flow;
pub(crate) use span::Span;
pub(crate) use traced::TracedSpan;

use std::net::IpAddr;

use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct End {
    address: IpAddr,
    port: u16,
}

impl From<wire::Endpoint> for End {
    fn from(end: wire::Endpoint) -> Self {
        Self { address: end.address, port: end.port }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}
