use std::sync::Arc;

use wire::{Endpoint, TapId, TapKind};

/// What labels need to know about taps and endpoints. The binary answers from its registries.
pub trait Names: Send + Sync {
    /// Kind of the device behind a tap.
    fn tap_kind(&self, tap: TapId) -> TapKind;

    /// Container or process behind an endpoint, if known.
    fn workload(&self, endpoint: Endpoint) -> Option<Arc<str>>;

    /// Whether any endpoint has a name: where none has, none is looked up.
    fn knows_any(&self) -> bool {
        true
    }

    /// Whether names may still become known, so that it is worth to wait a second for them.
    fn may_learn(&self) -> bool {
        false
    }
}
