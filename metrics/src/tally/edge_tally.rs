//! What was counted on one edge.

use fact::FlowRecord;
use wire::Transport;

use super::flows::FlowTally;
use super::requests::RequestTally;
use super::tcp::TcpTally;
use crate::snapshot::Snapshot;

/// What was counted on one edge.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) flows: FlowTally,
    pub(crate) tcp: TcpTally,
    pub(crate) requests: RequestTally,
}

impl Tally {
    /// Adds what `now` has more than `before`, which is all of it where the flow was not counted
    /// yet.
    pub(crate) fn add_flow(&mut self, now: &FlowRecord, before: Option<&Snapshot>) {
        self.flows.opened += u64::from(before.is_none());
        self.flows.add(now, before);
        if now.transport == Transport::Tcp {
            self.tcp.add(now, before);
        }
    }

    /// Counts the end of a flow.
    pub(crate) fn add_closed(&mut self, flow: &FlowRecord) {
        if let Some(reason) = flow.close_reason {
            self.flows.closed(reason);
            self.tcp.closed(flow);
        }
    }
}
