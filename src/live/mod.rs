//! What the threads of a run and its HTTP server share: the state of the shards, and the channel to
//! the thread that owns the store.

mod flow_board;
mod shared;
mod store_channel;

pub(crate) use flow_board::BoardUpdater;
pub(crate) use shared::{ShardState, Shared};
pub(crate) use store_channel::{StoreMessage, StoreReceiver, StoreSender, store_channel};
