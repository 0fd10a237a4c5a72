//! Where frames come from: capture files and, on a running node, its interfaces.
//!
//! [`CaptureFile`] reads pcap and pcapng, [`CaptureWriter`] writes pcapng. A [`Ring`] is a packet
//! ring that sees every interface of a network namespace; which of them it hands over is decided by
//! [`Taps`], and [`interfaces`] lists and watches what is there. [`Filter`] is a tcpdump expression
//! for files; rings have their own in the kernel.
//!
//! Nothing here starts a thread or reads a clock.

#![deny(unsafe_code)]

mod error;
mod file;
mod filter;
pub mod interfaces;
mod ring;
mod sys;
mod writer;

pub use error::Error;
pub use file::{CaptureFile, FrameBlock, TapNames};
pub use filter::Filter;
pub use ring::{InterfaceTaps, Promiscuous, Ring, RingConfig, Skipped, Taps};
pub use writer::CaptureWriter;
