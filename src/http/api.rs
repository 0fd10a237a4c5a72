use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use store::Store;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::answer::Refusal;
use super::{flows, pages, traces};
use crate::config::Settings;
use crate::run::{Message, Shared, ToKeeper};

/// What handlers may ask.
#[derive(Clone)]
pub(crate) struct Api {
    pub(super) shared: Arc<Shared>,
    keeper: ToKeeper,
    pub(super) stall: Duration,
    timeout: Duration,
    pub(super) max_listed: usize,
    max_body: usize,
}

impl Api {
    pub(crate) fn new(shared: Arc<Shared>, keeper: ToKeeper, settings: &Settings) -> Self {
        Self {
            shared,
            keeper,
            stall: settings.pipeline.stall,
            timeout: settings.http.request_timeout,
            max_listed: settings.http.max_listed,
            max_body: settings.http.max_body_bytes,
        }
    }

    /// Every path there is.
    pub(super) fn router(self) -> Router {
        let body = DefaultBodyLimit::max(self.max_body);
        Router::new()
            .route("/", get(pages::index))
            .route("/metrics", get(pages::metrics))
            .route("/healthz", get(pages::health))
            .route("/api/traces", get(traces::list))
            .route("/api/traces/{id}", get(traces::one))
            .route("/api/services", get(traces::services))
            .route("/api/flows", get(flows::list))
            .fallback(pages::nothing)
            .layer(body)
            .with_state(self)
    }

    /// Asks the thread that keeps the store. It may be too busy with capturing to answer.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Store) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        let question = Message::Ask(Box::new(move |store| drop(answer.send(question(store)))));
        self.keeper.offer(question).map_err(|_| Refusal::Busy)?;
        let answer =
            timeout(self.timeout, answered).await.map_err(|_| Refusal::Busy)?.map_err(|_| Refusal::Ending)?;
        Ok(answer?)
    }
}
