//! What `run` and `replay` share: a [`Shard`] analyses frames, its outlet counts the facts and
//! passes on those that are wanted, the [`Recorder`] writes them as records and feeds the store.
//!
//! Sources, threads and queues are those of `run`; files, dealing and order those of `replay`.

mod hash_seed;
mod outlet;
mod owned_fact;
mod recorder;
mod shard;

pub(crate) use hash_seed::random_seed;
pub(crate) use outlet::{Destination, Wanted};
pub(crate) use owned_fact::OwnedFact;
pub(crate) use recorder::{Recorder, SpanRecords, write_summary};
pub(crate) use shard::{Shard, ShardConfig};
