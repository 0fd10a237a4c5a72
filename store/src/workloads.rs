//! What the store asks to name the workloads on both sides of a call.

use std::fmt::Debug;
use std::sync::Arc;

use wire::{Endpoint, Process};

/// Names workloads. Whoever owns the store knows pods, containers and units; the store asks once
/// for each side of a call, when its trace is complete.
pub trait Workloads: Debug + Send + Sync {
    /// The workload that has this end of a connection, if known; `process` is who used the socket,
    /// where a record told it.
    fn workload(&self, endpoint: Endpoint, process: Option<&Process>) -> Option<Arc<str>>;
}
