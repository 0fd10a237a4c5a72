//! Application protocols: what is spoken on a connection, its messages, and their pairing into
//! exchanges.
//!
//! ```text
//!  transport ─▶ input: Chunk, Context, End ─▶ engine: Conversation ─▶ fact::Sink
//!                                                │         ▲
//!                                          bytes ▼         │ exchanges
//!                    contract: Parser ◀─ protocols/*   correlate
//!                                          │   ▲           ▲
//!                                          │   kit         │
//!                                          └── Messages ───┘
//! ```
//!
//! `contract` is what an author of a protocol reads, with an example. `input` is what a transport
//! delivers, and [`Conversation`] what it drives. Behind it, `engine` keeps what a parser could not
//! use yet and finds out which parser reads, `protocols` find messages with the tools of `kit`, and
//! `correlate` pairs them.

#![forbid(unsafe_code)]

mod contract;
mod correlate;
mod engine;
#[cfg(test)]
mod impostors;
mod input;
mod kit;
mod limits;
mod preamble;
#[cfg(test)]
mod properties;
mod protocols;
#[cfg(test)]
mod testing;

pub use engine::{Conversation, ProtocolInfo, SessionPool, is_service_port, protocols};
pub use input::{Chunk, Context, End, Health, RoundTrips, TroubleCounts};
pub use limits::RequestLimits;
