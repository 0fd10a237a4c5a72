//! Joins what taps saw with what processes did: exchanges and kernel records become calls, calls
//! become traces, and traces are kept and found again.
//!
//! Data passes from top to bottom: [`SockIo`](wire::SockIo) records are put in order of time and
//! listed by socket, each send with the request in the course of which it was made;
//! [`Exchange`](fact::Exchange)s of several taps become one call; the two are joined by sequence
//! ranges; the course of a call leads to its parent; a tree to which nothing more is added becomes
//! a [`Trace`], which is kept and which a [`Reader`] finds. Time is given by the caller; the only
//! I/O is the database.

#![forbid(unsafe_code)]

mod archive;
mod assemble;
mod call_id;
mod calls;
mod cause;
mod config;
mod counters;
mod culprit;
mod error;
mod hash;
mod headers;
mod joiner;
mod kernel;
mod lead;
mod model;
mod observe;
mod path;
mod points;
mod schedule;
mod services;
mod side;
mod sides;
mod spans;
mod store;
mod timing;
mod tree;
mod waiting;
mod workloads;

pub use archive::{Query, Reader};
pub use config::StoreConfig;
pub use counters::{Counters, Evictions};
pub use culprit::{Culprit, Part, culprit, own_service_ns};
pub use error::Error;
pub use model::{
    Attributes, Call, Cause, Hop, LongestPart, Message, PartKind, Peer, ProcessInfo, SpanId,
    TcpTotals, Trace, TraceId, Undecided,
};
pub use points::{Place, Point, points};
pub use services::ServiceEdge;
pub use spans::{ObservedAt, Span, flatten};
pub use store::Store;
pub use workloads::Workloads;
