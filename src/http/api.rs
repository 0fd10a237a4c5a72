//! What handlers share.

use std::sync::Arc;
use std::time::Duration;

use store::Reader;

use super::queries::Queries;
use crate::config::Settings;
use crate::live::Shared;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Api {
    pub(super) shared: Arc<Shared>,
    pub(super) queries: Queries,
    pub(super) stall: Duration,
    pub(super) max_listed: usize,
    pub(super) max_body: usize,
}

impl Api {
    pub(crate) fn new(shared: Arc<Shared>, reader: Reader, settings: &Settings) -> Self {
        Self {
            shared,
            queries: Queries::new(reader, settings.http.request_timeout),
            stall: settings.pipeline.stall,
            max_listed: settings.http.max_listed,
            max_body: settings.http.max_body_bytes,
        }
    }
}
