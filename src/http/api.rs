use std::sync::Arc;
use std::time::Duration;

use store::Store;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::answer::Refusal;
use crate::config::Settings;
use crate::live::{Shared, StoreMessage, StoreSender};

/// What handlers may ask.
#[derive(Clone)]
pub(crate) struct Api {
    pub(super) shared: Arc<Shared>,
    store: StoreSender,
    pub(super) stall: Duration,
    timeout: Duration,
    pub(super) max_listed: usize,
    pub(super) max_body: usize,
}

impl Api {
    pub(crate) fn new(shared: Arc<Shared>, store: StoreSender, settings: &Settings) -> Self {
        Self {
            shared,
            store,
            stall: settings.pipeline.stall,
            timeout: settings.http.request_timeout,
            max_listed: settings.http.max_listed,
            max_body: settings.http.max_body_bytes,
        }
    }

    /// Asks the thread that keeps the store. It may be too busy with capturing to answer.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Store) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        let question = StoreMessage::Query(Box::new(move |store| drop(answer.send(question(store)))));
        self.store.try_send(question).map_err(|_| Refusal::Busy)?;
        let answer =
            timeout(self.timeout, answered).await.map_err(|_| Refusal::Busy)?.map_err(|_| Refusal::Ending)?;
        Ok(answer?)
    }
}
