//! One session for each flow: bytes that wait to be read, which parser reads them, and what is done
//! where bytes are missing.
//!
//! ```text
//!  transport ─ chunk, datagram, end, tick ─▶ Conversation ─▶ Session    while something is read
//!                                                 ▲            ├ StreamBuffer  one a direction
//!                                 opens, recycles │            ├ Inference ─ probe ─▶ registry
//!                                                 │            ├ Reader ─── read ──▶ Parser
//!                                            SessionPool       ├ Correlator ◀─ Messages ─┘
//!                                                 │            └ Counters
//!                                                 └ KnownServers: a hint for Inference
//! ```
//!
//! A session shows bytes to `Inference` until a protocol recognises them, and from then on to the
//! parser of that protocol. What the parser does not consume waits in the `StreamBuffer`. Finished
//! exchanges are emitted at the end of each call. The `SessionPool` belongs to the shard and is
//! passed to each call.

mod conversation;
mod counters;
mod inference;
mod known_servers;
mod pool;
mod ports;
mod reader;
pub(crate) mod registry;
mod session;
mod stream_buffer;

pub use conversation::Conversation;
pub use pool::SessionPool;
pub use ports::is_service_port;
pub use registry::{ProtocolInfo, protocols};
