//! Application protocols: what is spoken on a flow, its messages, and their pairing into exchanges.

mod conversation;

pub(crate) use conversation::{Context, Conversation, End};
