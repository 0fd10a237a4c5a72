//! What an edge is looked up by.

use fact::{Exchange, FlowRecord};
use wire::{Endpoint, TapId};

/// Who talked to whom, where, in which protocol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EdgeKey {
    pub(crate) tap: TapId,
    pub(crate) protocol: &'static str,
    pub(crate) client: Endpoint,
    pub(crate) server: Endpoint,
}

impl EdgeKey {
    pub(crate) fn of_flow(flow: &FlowRecord) -> Self {
        let protocol = flow.l7.map_or(flow.transport.as_str(), |l7| l7.protocol.as_str());
        Self { tap: flow.tap, protocol, client: flow.client, server: flow.server }
    }

    pub(crate) fn of_exchange(exchange: &Exchange) -> Self {
        let Exchange { tap, client, server, protocol, .. } = *exchange;
        Self { tap, protocol: protocol.as_str(), client, server }
    }
}
