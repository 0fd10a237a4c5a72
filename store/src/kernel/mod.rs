//! Kernel records: put in order of time, hung to their sockets, each with what its thread had
//! received last.

mod facade;
mod reorder;
mod sockets;
mod threads;

pub(crate) use facade::Kernel;
pub(crate) use sockets::{IN_ADVANCE_NS, Io, Received};
