//! What one shard counted since it last wrote to the families: plain numbers by edge, so that
//! counting takes no lock and no look-up by label, and shards do not contend for the same counters.

mod edge_tally;
mod edges;
mod flows;
mod internal;
mod requests;
mod tcp;

pub(crate) use edge_tally::Tally;
pub(crate) use edges::Edges;
pub(crate) use flows::FlowTally;
pub(crate) use internal::InternalTally;
pub(crate) use requests::{RequestTally, Sample};
pub(crate) use tcp::{Counts, TcpTally};
