//! What the threads of a run and its HTTP side share: state of the shards, and messages to the thread that keeps the store.

mod board;
mod message;
mod shared;

pub(crate) use message::{Kept, Message, Messages, ToKeeper, to_keeper};
pub(crate) use shared::{ShardState, Shared};
