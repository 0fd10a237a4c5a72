//! A small world in which clients, an event-loop proxy, a threaded service and a back end talk, and
//! taps and the kernel record what they do. Every interleaving follows from the seed.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    unused_imports,
    clippy::unwrap_used,
    clippy::too_many_arguments,
    reason = "shared by tests and the benchmark, each of which uses a part of it"
)]

mod build;
mod chain;
mod rng;

pub use build::{
    Conn, Input, Recorder, attribute, command, endpoint, exchange, exchanges, http, process,
};
pub use chain::{Score, Setup, run, score, simulate, taps};
pub use rng::Rng;
