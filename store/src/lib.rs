//! Joins what taps saw with what processes did: exchanges and kernel records become calls, calls
//! become traces, and traces are kept and found again.
//!
//! Data passes from top to bottom: [`SockIo`](wire::SockIo) records are put in order of time and
//! hung to their sockets, each with what its thread had received last;
//! [`Exchange`](fact::Exchange)s of several taps are merged into one call; the two meet by sequence
//! ranges; a call's cause leads to its parent; a tree in which nothing more happens is a [`Trace`].
//! Time is given by the caller; the only I/O is the database.

#![forbid(unsafe_code)]

mod archive;
mod assemble;
mod call_id;
mod calls;
mod cause;
mod config;
mod counters;
mod error;
mod hash;
mod headers;
mod joiner;
mod kernel;
mod model;
mod observe;
mod path;
mod services;
mod side;
mod sides;
mod spans;
mod store;

pub use archive::{Query, Reader};
pub use config::StoreConfig;
pub use counters::{Counters, Evictions};
pub use error::Error;
pub use model::{
    Attributes, Call, Cause, Hop, Message, Peer, ProcessInfo, SpanId, TcpTotals, Trace, TraceId,
};
pub use services::ServiceEdge;
pub use spans::{ObservedAt, Span, flatten};
pub use store::Store;
