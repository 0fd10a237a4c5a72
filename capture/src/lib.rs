//! Where frames come from: capture files and, on a running node, its interfaces.
//!
//! [`CaptureFile`] reads pcap and pcapng.

#![deny(unsafe_code)]

mod error;
mod file;

pub use error::Error;
pub use file::{CaptureFile, TapNames};
