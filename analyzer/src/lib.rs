//! From frames to facts: the flow table, TCP reassembly and measures, application protocols and the
//! pairing of requests with responses.
//!
//! Deterministic: no I/O, no clock, no threads, no randomness. Time comes with frames and with ticks;
//! everything found leaves through one [`Sink`].

#![forbid(unsafe_code)]

mod analyzer;
mod config;
pub mod fact;
mod flow;
mod l7;
mod per_side;
mod tcp;
mod tracker;
mod usage;

pub use analyzer::Analyzer;
pub use config::{Config, FlowLimits, ReassemblyLimits, RequestLimits};
pub use fact::{Fact, Sink};
pub use usage::Usage;
