//! One conversation at a time: bytes that wait to be read, which parser reads them, and what is done where bytes are missing.

mod conversation;
mod live;
pub(crate) mod registry;
mod servers;

pub use conversation::{Conversation, Room};
