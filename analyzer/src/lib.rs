//! From frames to facts: the flow table, TCP reassembly and measures, application protocols and the
//! pairing of requests with responses.
//!
//! Deterministic: no I/O, no clock, no threads, no randomness. Time comes with frames and with
//! ticks; everything found leaves through one [`Sink`](fact::Sink).

#![forbid(unsafe_code)]

mod analyzer;
mod config;
mod flow;
mod per_side;
mod tcp;
mod tracker;
mod usage;

pub use analyzer::Analyzer;
pub use config::{Config, FlowLimits, ReassemblyLimits};
pub use l7::RequestLimits;
pub use usage::Usage;
