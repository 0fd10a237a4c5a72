//! What the kernel itself sees: calls on TCP sockets ([`SocketRecords`]) and, as an
//! alternative to packet sockets, frames at XDP and TCX hooks ([`FrameTap`]).
//!
//! The programs under `bpf/` are C, compiled by `build.rs`, and find the kernel's structures
//! through its BTF. They copy no payload out of system calls. Times leave this crate as
//! [`wire::Timestamp`]: the kernel's monotonic clock is converted here and nowhere else.

#![forbid(unsafe_code)]

mod attach;
mod clock;
mod error;
mod frame_record;
mod frame_tap;
mod identities;
mod object;
mod program;
mod record;
mod ring;
mod sock_config;
mod sock_programs;
mod sock_records;
mod tracefs;

pub use attach::Ingress;
pub use error::{Error, Missing};
pub use frame_tap::{FrameTap, FrameTapConfig};
pub use sock_config::SocketRecordsConfig;
pub use sock_records::SocketRecords;
pub use tracefs::{TRACEFS, ensure_tracefs};
