//! What labels need to know about taps and endpoints.

use std::sync::Arc;

use wire::{Endpoint, TapId, TapKind};

/// Looks up names for labels. The binary answers from its registries.
pub trait Names: Send + Sync {
    /// Kind of the device behind a tap.
    fn tap_kind(&self, tap: TapId) -> TapKind;

    /// Container or process behind an endpoint, if known.
    fn workload(&self, endpoint: Endpoint) -> Option<Arc<str>>;

    /// Whether any endpoint has a name: where none has, none is looked up.
    fn has_workloads(&self) -> bool {
        true
    }

    /// Whether names may still be added, so that it is worth to wait a second for them.
    fn may_gain_workloads(&self) -> bool {
        false
    }
}
