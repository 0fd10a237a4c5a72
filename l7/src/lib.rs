//! Application protocols: what is spoken on a connection, its messages, and their pairing into exchanges.
//!
//! [`contract`] is what an author of a protocol reads. [`input`] is what a transport delivers, [`Conversation`] what it
//! drives. Behind it: `engine` keeps what a parser could not use yet and infers which parser reads it, `protocols` find
//! messages with the tools of `kit`, and `correlate` pairs them.

#![forbid(unsafe_code)]

mod contract;
mod correlate;
mod engine;
mod input;
mod kit;
mod limits;
#[cfg(test)]
mod properties;
mod protocols;
#[cfg(test)]
mod testing;

pub use engine::{Conversation, SessionPool};
pub use input::{Chunk, Context, End, Health, RoundTrips, TroubleCounts};
pub use limits::RequestLimits;
