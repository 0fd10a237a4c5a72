//! What one shard counted since it last wrote to the families: plain numbers by edge, so that counting takes no lock and no
//! look-up by label, and shards do not fight for the same counters.

mod edges;
mod flows;
mod requests;
mod tcp;

pub(crate) use edges::Edges;
pub(crate) use flows::FlowTally;
pub(crate) use requests::{RequestTally, Sample};
pub(crate) use tcp::{Counts, TcpTally};

use fact::FlowRecord;
use wire::Transport;

use crate::snapshot::Snapshot;

/// What was counted on one edge.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) flows: FlowTally,
    pub(crate) tcp: TcpTally,
    pub(crate) requests: RequestTally,
}

impl Tally {
    /// Adds what `now` has more than `before`, which is all of it where the flow was not counted yet.
    pub(crate) fn flow(&mut self, now: &FlowRecord, before: Option<&Snapshot>) {
        self.flows.opened += u64::from(before.is_none());
        self.flows.add(now, before);
        if now.transport == Transport::Tcp {
            self.tcp.add(now, before);
        }
    }

    /// Counts the end of a flow.
    pub(crate) fn closed(&mut self, flow: &FlowRecord) {
        if let Some(reason) = flow.close_reason {
            self.flows.closed(reason);
            self.tcp.closed(flow);
        }
    }
}
