//! From frames to facts: the flow table, TCP reassembly and measures, application protocols and the
//! pairing of requests with responses.
//!
//! Deterministic: no I/O, no clock, no threads, no randomness. Time comes with frames and with ticks;
//! everything found leaves through one [`Sink`].

#![forbid(unsafe_code)]

pub mod fact;
mod l7;
mod tcp;

pub use fact::{Fact, Sink};
